/** @file A text file that grows: buffered, with back-pressure, so that a conversion never holds what it wrote. */
import { open } from "node:fs/promises";

/** An open text file. */
export interface TextFile {
  write(text: string): Promise<void>;
  /** Flushes to disk and closes. */
  close(): Promise<void>;
}

const BUFFER = 1 << 16;

/** Creates a file; it must not be there. */
export async function createTextFile(path: string): Promise<TextFile> {
  const handle = await open(path, "wx");
  let buffer = "";
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
      try {
        await flush();
        await handle.sync();
      } finally {
        await handle.close();
      }
    },
  };
}
