/**
 * @file The file that an offline W&B run is kept in: a seven-byte header, then LevelDB's log format (blocks of 32 KiB;
 * records cut where a block ends), with the checksum zlib's CRC-32 instead of CRC-32C.
 */
import { crc32 } from "node:zlib";

const BLOCK = 32768;
/** Of a record, and of the file: both are as long. */
const HEADER = 7;

/** Whole, or the first, a middle or the last piece of a record. */
const KIND = { full: 1, first: 2, middle: 3, last: 4 } as const;

function fileHeader(): Buffer {
  const header = Buffer.alloc(HEADER);
  header.write(":W&B", "latin1");
  header.writeUInt16LE(0xbee1, 4); // of "Weights & Biases"
  header.writeUInt8(0, 6); // version
  return header;
}

function piece(data: Uint8Array, kind: number): Buffer {
  const bytes = Buffer.alloc(HEADER + data.length);
  bytes.writeUInt16LE(data.length, 4);
  bytes.writeUInt8(kind, 6);
  bytes.set(data, HEADER);
  bytes.writeUInt32LE(crc32(bytes.subarray(6)), 0); // of kind and data
  return bytes;
}

/** Records as one file. */
export function wandbLog(records: Iterable<Uint8Array>): Buffer {
  const parts: Buffer[] = [fileHeader()];
  let at = HEADER;
  const put = (part: Buffer) => {
    parts.push(part);
    at += part.length;
  };
  for (const record of records) {
    let rest = record;
    let begun = false;
    do {
      let room = BLOCK - (at % BLOCK);
      if (room < HEADER) {
        put(Buffer.alloc(room));
        room = BLOCK;
      }
      const data = rest.subarray(0, room - HEADER);
      rest = rest.subarray(data.length);
      const ends = rest.length === 0;
      put(piece(data, begun ? (ends ? KIND.last : KIND.middle) : ends ? KIND.full : KIND.first));
      begun = true;
    } while (rest.length > 0);
  }
  return Buffer.concat(parts);
}
