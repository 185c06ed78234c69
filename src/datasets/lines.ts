/** @file Lines of a text file as a stream: memory holds one line, and a line without an end is an error, not a crash. */
import { createReadStream } from "node:fs";
import { InputError, toError } from "../base/errors.js";
import { AnnotationError, Problems } from "./problems.js";
import { decodeUtf8, NOT_UTF8, notText } from "./text-bytes.js";

/** Longest line by default: a hundred times the longest of CrowdHuman. */
export const MAX_LINE_BYTES: number = 64 * 2 ** 20;

/** How to read lines. */
export interface LineOptions {
  /** A longer line is an error. @default MAX_LINE_BYTES */
  readonly maxLineBytes?: number;
  /** What bad lines do. @default stop */
  readonly problems?: Problems;
}

/** One line without its break. */
export interface TextLine {
  /** From 1. */
  readonly line: number;
  readonly text: string;
  /** False where the file ends without a line break. */
  readonly ended: boolean;
}

/**
 * Streams the lines of a UTF-8 file; blank lines are left out, numbers count them.
 * @throws InputError where the file is missing, is no text, or has a line longer than `maxLineBytes`.
 */
export async function* readLines(path: string, options: LineOptions = {}): AsyncGenerator<TextLine> {
  const problems = options.problems ?? new Problems();
  for await (const { line, bytes, ended } of splitLines(path, options.maxLineBytes ?? MAX_LINE_BYTES)) {
    const text = decodeUtf8(bytes);
    if (text === undefined)
      problems.leaveOut(
        new AnnotationError("encoding", `${path}:${line}: ${NOT_UTF8.problem}`, { hint: NOT_UTF8.hint }),
      );
    else if (text.trim() !== "") yield { line, text: text.endsWith("\r") ? text.slice(0, -1) : text, ended };
  }
}

interface RawLine {
  readonly line: number;
  readonly bytes: Uint8Array;
  readonly ended: boolean;
}

async function* splitLines(path: string, maxBytes: number): AsyncGenerator<RawLine> {
  const stream = createReadStream(path, { highWaterMark: 2 ** 18 });
  let line = 1;
  let rest: Buffer[] = [];
  let length = 0;
  let first = true;
  const take = (piece: Buffer): void => {
    length += piece.length;
    if (length > maxBytes) {
      throw new InputError(`${path}:${line}: the line is longer than ${mebibytes(maxBytes)}`, {
        hint: "One record a line is expected; a file that is one long line is of another format (COCO json?) or broken.",
      });
    }
    if (piece.length > 0) rest.push(piece);
  };
  const join = (): Uint8Array => {
    const bytes = rest.length === 1 ? rest[0]! : Buffer.concat(rest);
    rest = [];
    length = 0;
    return bytes;
  };
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      if (first) {
        first = false;
        const found = notText(chunk.subarray(0, 4096));
        if (found !== undefined) throw new InputError(`${path}: ${found.problem}`, { hint: found.hint });
      }
      let from = 0;
      for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, from)) {
        take(chunk.subarray(from, at));
        yield { line, bytes: join(), ended: true };
        line++;
        from = at + 1;
      }
      take(chunk.subarray(from));
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw unreadable(path, error);
  } finally {
    stream.destroy();
  }
  if (length > 0) yield { line, bytes: join(), ended: false };
}

/** A file that cannot be opened or read, for people. */
export function unreadable(path: string, error: unknown): InputError {
  const missing = (error as NodeJS.ErrnoException).code === "ENOENT";
  return new InputError(
    missing ? `${path}: no such file` : `${path}: cannot be read (${toError(error).message})`,
    {
      hint: "Paths in a recipe are relative to the recipe's folder, on the command line to the current folder.",
      cause: error,
    },
  );
}

function mebibytes(bytes: number): string {
  return bytes >= 2 ** 20 ? `${Math.round(bytes / 2 ** 20)} MB` : `${bytes} bytes`;
}

/** The values of a file with one JSON value a line. @throws InputError as {@link readLines}, and for lines that are not JSON */
export async function* readJsonLines(
  path: string,
  options: LineOptions = {},
): AsyncGenerator<{ readonly line: number; readonly value: unknown }> {
  const problems = options.problems ?? new Problems();
  for await (const { line, text, ended } of readLines(path, options)) {
    let value: unknown;
    try {
      value = JSON.parse(text) as unknown;
    } catch (error) {
      problems.leaveOut(jsonError(`${path}:${line}`, text, error, ended));
      continue;
    }
    yield { line, value };
  }
}

function jsonError(where: string, text: string, error: unknown, ended: boolean): AnnotationError {
  if (!ended && text.trimStart().startsWith("{")) {
    return new AnnotationError("truncated", `${where}: the file ends in the middle of this record`, {
      hint: "The file was cut off: fetch or write it again.",
      cause: error,
    });
  }
  const hint = /[[,:]\s*(NaN|-?Infinity)\b/.test(text)
    ? "JSON has no NaN and no Infinity; Python's json.dump writes them unless told allow_nan=False."
    : "Each line must be one whole JSON object; a pretty-printed file or a JSON array is not JSON Lines.";
  return new AnnotationError("not-json", `${where}: is not JSON (${toError(error).message})`, {
    hint,
    cause: error,
  });
}
