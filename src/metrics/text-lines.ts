/** @file Lines of a text file one by one: memory does not grow with the file, and a file that is no text is told at once. */
import { createReadStream } from "node:fs";
import { InputError, toError } from "../base/errors.js";

/** A line and where it stands (1-based). */
export interface TextLine {
  readonly line: number;
  /** Without its line end. */
  readonly text: string;
}

/** An image's annotations are some 100 kB at most: what is longer than this is no line of any of these formats. */
const MAX_LINE_BYTES = 64 * 2 ** 20;

const LINE_FEED = 0x0a;

/** An error that a file cannot be read. */
export function unreadable(path: string, error: unknown): InputError {
  const { code, message } = toError(error) as NodeJS.ErrnoException;
  const problem =
    code === "ENOENT" ? "no such file" : code === "EISDIR" ? "is a folder" : `cannot be read (${message})`;
  return new InputError(`${path}: ${problem}`, {
    hint: "Paths on the command line are relative to the current folder.",
    cause: error,
  });
}

/**
 * Streams the lines of a UTF-8 file; blank ones are left out.
 * @param options.maxLineBytes A longer line is an error. @default 64 MiB
 * @throws InputError naming file and line where it cannot be read, is not UTF-8, or a line is too long.
 */
export async function* readLines(
  path: string,
  options: { readonly maxLineBytes?: number } = {},
): AsyncGenerator<TextLine> {
  const { maxLineBytes = MAX_LINE_BYTES } = options;
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let line = 0;
  const parts: Buffer[] = [];
  let length = 0;
  const decode = (bytes: Uint8Array): string => {
    line++;
    if (line === 1 && ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)))
      throw new InputError(`${path}: is UTF-16, not UTF-8`, { hint: "Save it as UTF-8." });
    try {
      return decoder.decode(bytes);
    } catch (error) {
      throw new InputError(`${path}:${line}: not UTF-8 text`, {
        hint: "A compressed file must be unpacked first; a text in another encoding saved as UTF-8.",
        cause: error,
      });
    }
  };
  const tooLong = () =>
    new InputError(`${path}:${line + 1}: a line of more than ${Math.floor(maxLineBytes / 2 ** 20)} MiB`, {
      hint: "This format has one image a line; a file that is one big JSON value is of another format.",
    });
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 18 }) as AsyncIterable<Buffer>) {
      let start = 0;
      for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
        parts.push(chunk.subarray(start, end));
        length += end - start;
        if (length > maxLineBytes) throw tooLong();
        const text = decode(parts.length === 1 ? parts[0]! : Buffer.concat(parts)).replace(/\r$/, "");
        parts.length = 0;
        length = 0;
        start = end + 1;
        if (text.trim() !== "") yield { line, text };
      }
      if (start < chunk.length) {
        parts.push(chunk.subarray(start));
        length += chunk.length - start;
        if (length > maxLineBytes) throw tooLong();
      }
    }
  } catch (error) {
    throw error instanceof InputError ? error : unreadable(path, error);
  }
  if (length > 0) {
    const text = decode(Buffer.concat(parts)).replace(/\r$/, "");
    if (text.trim() !== "") yield { line, text };
  }
}
