/** @file The part of W&B's records that we write (wandb/proto/wandb_internal.proto), encoded by protobufjs. */
import protobuf from "protobufjs";

const SCHEMA = `
syntax = "proto3";
package wandb_internal;
message RecordInfo { string stream_id = 1; }
message Item { string key = 1; repeated string nested_key = 2; string value_json = 16; }
message HistoryStep { int64 num = 1; }
message HistoryRecord { repeated Item item = 1; HistoryStep step = 2; }
message SummaryRecord { repeated Item update = 1; }
message ConfigRecord { repeated Item update = 1; }
message FilesItem { string path = 1; int32 policy = 2; int32 type = 3; }
message FilesRecord { repeated FilesItem files = 1; }
message Timestamp { int64 seconds = 1; int32 nanos = 2; }
message RunRecord {
  string run_id = 1; string entity = 2; string project = 3; ConfigRecord config = 4; string run_group = 6; string job_type = 7;
  string display_name = 8; string notes = 9; repeated string tags = 10; Timestamp start_time = 17;
}
message RunExitRecord { int32 exit_code = 1; int32 runtime = 2; }
message VersionInfo { string producer = 1; string min_consumer = 2; }
message HeaderRecord { VersionInfo version_info = 1; }
message Record {
  int64 num = 1; RecordInfo _info = 200;
  oneof record_type {
    HistoryRecord history = 2; SummaryRecord summary = 3; FilesRecord files = 6;
    RunRecord run = 17; RunExitRecord exit = 18; HeaderRecord header = 21;
  }
}`;

const recordType = protobuf.parse(SCHEMA, { keepCase: true }).root.lookupType("wandb_internal.Record");

/** FilesItem.FileType: shown in panels. */
const MEDIA = 2;

/** Facts of a run. */
export interface WandbRun {
  readonly id: string;
  readonly entity?: string;
  readonly project: string;
  readonly name: string;
  readonly group?: string;
  readonly tags: readonly string[];
  readonly notes: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Seconds since 1970. */
  readonly started: number;
}

/** What a record says. */
export type WandbRecord =
  | { readonly header: { readonly producer: string } }
  | { readonly run: WandbRun }
  /** A row: values by name, `_step`, `_timestamp` and `_runtime` among them. */
  | { readonly history: Readonly<Record<string, unknown>>; readonly step: number }
  | { readonly summary: Readonly<Record<string, unknown>> }
  /** Paths under files/. */
  | { readonly media: readonly string[] }
  | { readonly exit: { readonly code: number; readonly seconds: number } };

/** Names are kept whole as one nested key: `reward/mean` is a name, not a path. */
const items = (values: Readonly<Record<string, unknown>>) =>
  Object.entries(values).map(([name, value]) => ({ nested_key: [name], value_json: JSON.stringify(value) }));

function message(record: WandbRecord): object {
  if ("header" in record)
    return { header: { version_info: { producer: record.header.producer, min_consumer: "0.0.1" } } };
  if ("run" in record) {
    const { id, entity, project, name, group, tags, notes, config, started } = record.run;
    const seconds = Math.floor(started);
    return {
      run: {
        run_id: id,
        project,
        ...(entity !== undefined && { entity }),
        ...(group !== undefined && { run_group: group }),
        display_name: name,
        notes,
        tags,
        config: {
          update: Object.entries(config).map(([key, value]) => ({ key, value_json: JSON.stringify(value) })),
        },
        start_time: { seconds, nanos: Math.round((started - seconds) * 1e9) },
      },
    };
  }
  if ("history" in record) return { history: { item: items(record.history), step: { num: record.step } } };
  if ("summary" in record) return { summary: { update: items(record.summary) } };
  if ("media" in record) return { files: { files: record.media.map((path) => ({ path, type: MEDIA })) } };
  return { exit: { exit_code: record.exit.code, runtime: Math.round(record.exit.seconds) } };
}

/** Records in the bytes of their messages, numbered from 1. */
export function encodeWandbRecords(run: string, records: readonly WandbRecord[]): Uint8Array[] {
  return records.map((record, index) =>
    recordType
      .encode(recordType.create({ num: index + 1, _info: { stream_id: run }, ...message(record) }))
      .finish(),
  );
}
