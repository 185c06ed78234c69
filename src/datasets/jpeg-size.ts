/**
 * @file The size of a plain JPEG from its first bytes: fifteen thousand pictures are asked for theirs when CrowdHuman is
 * opened, and a decoder takes a hundred times as long for each. Whatever is not plain is left to the decoder.
 */
import { closeSync, openSync, readSync } from "node:fs";

/** Bytes looked at; headers with more before the size (large previews, colour profiles) are left to the decoder. */
const HEAD_BYTES = 2 ** 14;

const buffer = Buffer.allocUnsafe(HEAD_BYTES);

/**
 * Width and height, or `undefined` where the file is no JPEG, has EXIF data (it may be turned) or is odd in any way.
 * Synchronous: one read takes less than handing it to another thread and back, many times less on a busy machine.
 * @throws where the file cannot be opened
 */
export function plainJpegSize(path: string): { readonly width: number; readonly height: number } | undefined {
  const file = openSync(path, "r");
  try {
    return jpegSizeOf(buffer.subarray(0, readSync(file, buffer, 0, HEAD_BYTES, 0)));
  } finally {
    closeSync(file);
  }
}

/** The same of a file's first bytes. */
export function jpegSizeOf(
  head: Uint8Array,
): { readonly width: number; readonly height: number } | undefined {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (head.length < 4 || view.getUint16(0) !== 0xffd8) return undefined;
  for (let at = 2; at + 9 <= head.length;) {
    if (head[at] !== 0xff) return undefined;
    const marker = head[at + 1]!;
    const length = view.getUint16(at + 2);
    // Start of frame; C4, C8 and CC in the same range are tables.
    if (marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker)) {
      const [height, width] = [view.getUint16(at + 5), view.getUint16(at + 7)];
      return width > 0 && height > 0 ? { width, height } : undefined;
    }
    const isExif = marker === 0xe1 && at + 8 <= head.length && view.getUint32(at + 4) === 0x45786966;
    const isSegment =
      (marker >= 0xe0 && marker <= 0xef) || marker === 0xfe || marker === 0xdb || marker === 0xc4;
    if (isExif || length < 2 || !(isSegment || marker === 0xdd)) return undefined;
    at += 2 + length;
  }
  return undefined;
}
