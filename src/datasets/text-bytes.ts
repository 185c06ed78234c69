/** @file Bytes to text, and what bytes look like that are no text: people hand over UTF-16, zip files and web pages. */
import { InputError } from "../base/errors.js";

/** What is wrong with a file's bytes. */
export interface BytesProblem {
  readonly problem: string;
  readonly hint: string;
}

const SIGNATURES: readonly (readonly [bytes: readonly number[], problem: string, hint: string])[] = [
  [[0xff, 0xfe], "is UTF-16", "Save it as UTF-8: iconv -f UTF-16 -t UTF-8 FILE."],
  [[0xfe, 0xff], "is UTF-16", "Save it as UTF-8: iconv -f UTF-16 -t UTF-8 FILE."],
  [[0x1f, 0x8b], "is compressed (gzip)", "Unpack it first: gunzip FILE."],
  [[0x42, 0x5a, 0x68], "is compressed (bzip2)", "Unpack it first: bunzip2 FILE."],
  [[0x50, 0x4b, 3, 4], "is a zip archive", "Unpack it first."],
  [[0x89, 0x48, 0x44, 0x46], "is an HDF5 file", "Give the annotation file; for MATLAB files save with -v7."],
  [[0x89, 0x50, 0x4e, 0x47], "is a PNG picture", "Give the annotation file; pictures are named by images."],
  [[0xff, 0xd8, 0xff], "is a JPEG picture", "Give the annotation file; pictures are named by images."],
];

const TEXTS: readonly (readonly [start: RegExp, problem: string, hint: string])[] = [
  [
    /^version https:\/\/git-lfs/,
    "is a pointer of Git LFS, not the file itself",
    "Fetch the file: git lfs pull.",
  ],
  [
    /^\s*<(!doctype|html)/i,
    "is a web page, not the file itself",
    "The download gave a page (a login, a warning); fetch the file again.",
  ],
  [
    /^MATLAB /,
    "is a MATLAB file",
    "CityPersons' .mat files are read by citypersons:FILE.mat. As the JSON of its evaluation: dip-r1 data convert " +
      "citypersons:FILE.mat --to citypersons --out val_gt.json.",
  ],
];

/** Which well-known kind of file these are the first bytes of; `undefined` for others, annotations among them. */
export function knownFile(head: Uint8Array): BytesProblem | undefined {
  for (const [bytes, problem, hint] of SIGNATURES)
    if (bytes.every((byte, i) => head[i] === byte)) return { problem, hint };
  const start = new TextDecoder("latin1").decode(head.subarray(0, 200));
  for (const [pattern, problem, hint] of TEXTS) if (pattern.test(start)) return { problem, hint };
  return undefined;
}

/** What the first bytes of a file show it to be, where it is no UTF-8 text. @param head the first few thousand bytes */
export function notText(head: Uint8Array): BytesProblem | undefined {
  const known = knownFile(head);
  if (known !== undefined || !head.includes(0)) return known;
  const zeros = [0, 0];
  for (const [i, byte] of head.entries()) if (byte === 0) zeros[i & 1]!++;
  const half = head.length / 2;
  return Math.max(...zeros) > 0.6 * half && Math.min(...zeros) < 0.1 * half
    ? { problem: "is UTF-16", hint: "Save it as UTF-8: iconv -f UTF-16 -t UTF-8 FILE." }
    : {
        problem: "holds bytes that no text has",
        hint: "Is it the annotation file, and was it copied whole?",
      };
}

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Text of UTF-8 bytes without a byte-order mark, or `undefined` where they are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    const text = strict.decode(bytes);
    return text.startsWith("\uFEFF") ? text.slice(1) : text;
  } catch {
    return undefined;
  }
}

/** What to say of bytes that {@link decodeUtf8} refuses. */
export const NOT_UTF8: BytesProblem = {
  problem: "is not UTF-8 (Latin-1 or Windows-1252?)",
  hint: "Save it as UTF-8: iconv -f WINDOWS-1252 -t UTF-8 FILE.",
};

/** The text of a whole file. @throws InputError that says what the bytes look like. */
export function decodeText(bytes: Uint8Array, path: string): string {
  const found = notText(bytes.subarray(0, 4096));
  const text = found === undefined ? decodeUtf8(bytes) : undefined;
  if (text !== undefined) return text;
  const { problem, hint } = found ?? NOT_UTF8;
  throw new InputError(`${path}: ${problem}`, { hint });
}
