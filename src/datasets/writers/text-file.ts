/** @file A text file that grows: buffered, with back-pressure, so that a conversion never holds what it wrote. */
import { open } from "node:fs/promises";

/** An open text file. */
export interface TextFile {
  write(text: string): Promise<void>;
  /** Writes what is left and closes, once; the conversion flushes the whole to disk before it gets its name. */
  close(): Promise<void>;
}

const BUFFER = 1 << 16;

/** Creates a file; it must not be there. */
export async function createTextFile(path: string): Promise<TextFile> {
  const handle = await open(path, "wx");
  let buffer = "";
  let isOpen = true;
  const flush = async () => {
    const text = buffer;
    buffer = "";
    if (text !== "") await handle.appendFile(text);
  };
  return {
    async write(text) {
      buffer += text;
      if (buffer.length >= BUFFER) await flush();
    },
    async close() {
      if (!isOpen) return;
      isOpen = false;
      try {
        await flush();
      } finally {
        await handle.close();
      }
    },
  };
}
