/** @file Reads event files with a decoder apart from the writer: checks every checksum, and decodes with protobufjs by reflection. */
import protobuf from "protobufjs";
import { crc32c } from "../../src/study/export/tensorboard/crc32c.js";

const { root } = protobuf.parse(
  `syntax = "proto3";
  message Plugin { string plugin_name = 1; bytes content = 2; }
  message Metadata { Plugin plugin_data = 1; int32 data_class = 4; }
  message Image { int32 height = 1; int32 width = 2; int32 colorspace = 3; bytes encoded_image_string = 4; }
  message Tensor { int32 dtype = 1; repeated bytes string_val = 8; }
  message Value { string tag = 1; Metadata metadata = 9; oneof value { float simple_value = 2; Image image = 4; Tensor tensor = 8; } }
  message Summary { repeated Value value = 1; }
  message Event { double wall_time = 1; int64 step = 2; oneof what { string file_version = 3; Summary summary = 5; } }`,
  { keepCase: true },
);
const eventType = root.lookupType("Event");

/** A value of an event. */
export interface ReadValue {
  readonly tag: string;
  readonly simple_value?: number;
  readonly image?: { readonly width: number; readonly height: number; readonly encoded_image_string: Buffer };
  readonly tensor?: { readonly string_val?: readonly Buffer[] };
  readonly metadata?: { readonly plugin_data: { readonly plugin_name: string; readonly content?: Buffer } };
}

/** An event as it was read. */
export interface ReadEvent {
  readonly wall_time: number;
  readonly step?: number;
  readonly file_version?: string;
  readonly summary?: { readonly value: readonly ReadValue[] };
}

const masked = (crc: number): number => (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;

/** Every event of a file. @throws Error where a length or checksum is wrong, or the end is torn */
export function readEvents(file: Buffer): ReadEvent[] {
  const events: ReadEvent[] = [];
  for (let at = 0; at < file.length;) {
    const length = Number(file.readBigUInt64LE(at));
    const data = file.subarray(at + 12, at + 12 + length);
    if (data.length !== length) throw new Error(`torn record at ${at}`);
    if (file.readUInt32LE(at + 8) !== masked(crc32c(file.subarray(at, at + 8))))
      throw new Error(`wrong checksum of a length at ${at}`);
    if (file.readUInt32LE(at + 12 + length) !== masked(crc32c(data)))
      throw new Error(`wrong checksum of data at ${at}`);
    events.push(eventType.toObject(eventType.decode(data), { longs: Number }) as ReadEvent);
    at += 16 + length;
  }
  return events;
}
