/**
 * @file TFRecord framing: length (uint64), its masked CRC-32C, the data, its masked CRC-32C; all little-endian. Readers
 * wait for the rest of a record that is cut short, so a file may grow while it is read.
 */
import { maskedCrc32c } from "./crc32c.js";

/** One record, framed. */
export function tfRecord(data: Uint8Array): Buffer {
  const record = Buffer.alloc(8 + 4 + data.length + 4);
  record.writeBigUInt64LE(BigInt(data.length), 0);
  record.writeUInt32LE(maskedCrc32c(record.subarray(0, 8)), 8);
  record.set(data, 12);
  record.writeUInt32LE(maskedCrc32c(data), 12 + data.length);
  return record;
}
