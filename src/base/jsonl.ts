/**
 * @file JSON Lines that survive a kill: one write a line, and a last line that was torn by a kill is dropped when the
 * file is opened again. Reading a file that a person wrote is strict: errors name the file and the line.
 */
import { closeSync, fsyncSync, ftruncateSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { InputError, toError } from "./errors.js";

/** An open JSON Lines file; lines are handed to the system one by one, in order. */
export interface JsonlAppender {
  append(value: unknown): void;
  /** Flushes to disk: after this even a loss of power keeps the lines. */
  sync(): void;
  close(): void;
}

/** A parsed line and where it stood (1-based). */
export interface JsonlLine {
  readonly line: number;
  readonly value: unknown;
}

function tryParse(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

/**
 * How many bytes of the content are whole lines of JSON that pass `keep`, counted from the start up to the first that
 * is torn, is not JSON or is refused.
 */
function wholeLines(content: Buffer, keep: (value: unknown) => boolean): number {
  let start = 0;
  for (;;) {
    const end = content.indexOf(0x0a, start);
    if (end < 0) return start;
    const text = content.toString("utf8", start, end);
    if (text.trim() !== "") {
      const parsed = tryParse(text);
      if (parsed === undefined || !keep(parsed.value)) return start;
    }
    start = end + 1;
  }
}

/** Opens a file for appending. A torn end and everything from the first line that `keep` refuses is cut off. */
export function openJsonlAppender(
  path: string,
  options: { keep?: (value: unknown) => boolean } = {},
): JsonlAppender {
  mkdirSync(dirname(path), { recursive: true });
  const file = openSync(path, "a+");
  ftruncateSync(file, wholeLines(readFileSync(path), options.keep ?? (() => true)));
  return {
    append(value) {
      const bytes = Buffer.from(JSON.stringify(value) + "\n");
      // A short write (full disk, signal) is continued; the torn rule covers a kill in between.
      for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
    },
    sync: () => fsyncSync(file),
    close: () => closeSync(file),
  };
}

/** The whole lines of a file written by {@link openJsonlAppender}; a torn end is left out. No file: no lines. */
export async function readJsonlTolerant(path: string): Promise<unknown[]> {
  let content: Buffer;
  try {
    content = await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
  const length = wholeLines(content, () => true);
  return content
    .toString("utf8", 0, length)
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => JSON.parse(line) as unknown);
}

/**
 * The lines of a file that a person made; blank lines are skipped.
 * @throws InputError naming the file and the line where it cannot be read or is not JSON.
 */
export async function readJsonl(path: string): Promise<JsonlLine[]> {
  let content: string;
  try {
    content = await readFile(path, "utf8");
  } catch (error) {
    throw new InputError(`Cannot read ${path}: ${toError(error).message}`, {
      hint: "Give the path of a JSON Lines file: one JSON object a line.",
      cause: error,
    });
  }
  const lines: JsonlLine[] = [];
  for (const [index, text] of content
    .replace(/^\uFEFF/, "")
    .split("\n")
    .entries()) {
    if (text.trim() === "") continue;
    try {
      lines.push({ line: index + 1, value: JSON.parse(text) as unknown });
    } catch (error) {
      throw new InputError(`${path}:${index + 1}: not JSON: ${toError(error).message}`, {
        hint: "Each line must be one whole JSON object; a pretty-printed file or a JSON array is not JSON Lines.",
        cause: error,
      });
    }
  }
  return lines;
}
