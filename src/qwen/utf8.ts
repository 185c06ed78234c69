/** @file Bytes to text with the way back: which UTF-16 units a byte belongs to, broken sequences included. */

/** Decodes leniently, as Rust's from_utf8_lossy: each broken sequence becomes one U+FFFD. A leading U+FEFF stays. */
export function decodeUtf8(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
}

/** For every byte the UTF-16 units [start, end) of the character of {@link decodeUtf8} that it is part of. */
export interface CharacterOfByte {
  readonly start: Int32Array;
  readonly end: Int32Array;
}

/** Maps bytes to characters of the decoded text. */
export function charactersOfBytes(bytes: Uint8Array): CharacterOfByte {
  const start = new Int32Array(bytes.length);
  const end = new Int32Array(bytes.length);
  let unit = 0;
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at);
    // Only a whole sequence of four bytes is beyond the basic plane; a broken one is a single U+FFFD.
    const units = length === 4 ? 2 : 1;
    start.fill(unit, at, at + length);
    end.fill(unit + units, at, at + length);
    at += length;
    unit += units;
  }
  return { start, end };
}

/** Length of the whole character at `at`, or of the broken sequence that a decoder replaces as one. */
function sequenceLength(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!;
  const following =
    lead >= 0xc2 && lead <= 0xdf
      ? 1
      : lead >= 0xe0 && lead <= 0xef
        ? 2
        : lead >= 0xf0 && lead <= 0xf4
          ? 3
          : 0;
  // The second byte's range is narrower after these leads: no overlong forms, surrogates or code points past 10FFFF.
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  let length = 1;
  while (length <= following && at + length < bytes.length) {
    const byte = bytes[at + length]!;
    if (byte < (length === 1 ? low : 0x80) || byte > (length === 1 ? high : 0xbf)) break;
    length++;
  }
  return length;
}
