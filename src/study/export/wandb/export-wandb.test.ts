import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import fc from "fast-check";
import protobuf from "protobufjs";
import { describe, expect, it } from "vitest";
import { EXPORT_RUN_STARTED, HOSTILE_TEXT, writeExportRun } from "../../../../test/support/export-run.js";
import { exportWandb } from "./export-wandb.js";
import { wandbLog } from "./wandb-log.js";

/** Reads the log as W&B does, by blocks. @throws Error where a checksum, a filling or the order of pieces is wrong */
function readLog(file: Buffer): Buffer[] {
  const check = (right: boolean, what: string, at: number) => {
    if (!right) throw new Error(`${what} at ${at}`);
  };
  check(file.subarray(0, 7).equals(Buffer.from([0x3a, 0x57, 0x26, 0x42, 0xe1, 0xbe, 0])), "header", 0);
  const records: Buffer[] = [];
  let open: Buffer[] = [];
  for (let at = 7; at < file.length;) {
    const room = 32768 - (at % 32768);
    if (room < 7) {
      check(file.subarray(at, at + room).equals(Buffer.alloc(room)), "filling", at);
      at += room;
      continue;
    }
    const length = file.readUInt16LE(at + 4);
    const kind = file.readUInt8(at + 6);
    const data = file.subarray(at + 7, at + 7 + length);
    check(file.readUInt32LE(at) === crc32(Buffer.concat([Buffer.from([kind]), data])), "checksum", at);
    // Full and first begin a record; full and last end one.
    check((open.length === 0) === (kind === 1 || kind === 2), "order", at);
    open.push(data);
    if (kind === 1 || kind === 4) {
      records.push(Buffer.concat(open));
      open = [];
    }
    at += 7 + length;
  }
  check(open.length === 0, "end", file.length);
  return records;
}

describe("wandbLog", () => {
  // Around the end of a block, where a record's first piece may have no room for data.
  const near = Array.from({ length: 24 }, (_, i) => [32768 - 14 - 12 + i, 3]);

  it.each([[], [0], [0, 0], [100_000, 1, 70_000], ...near])(
    "keeps records of %j and %j bytes whole",
    (...sizes) => {
      const records = sizes.map((size, i) => Buffer.alloc(size, i + 1));
      expect(Buffer.compare(Buffer.concat(readLog(wandbLog(records))), Buffer.concat(records))).toBe(0);
      expect(readLog(wandbLog(records)).map(({ length }) => length)).toEqual(sizes);
    },
  );

  it("keeps any records whole", () => {
    const lengths = fc.array(fc.oneof(fc.nat(40), fc.nat(40_000)), { maxLength: 6 });
    fc.assert(
      fc.property(lengths, (sizes) => {
        const records = sizes.map((size, i) => Buffer.alloc(size, i + 1));
        const read = readLog(wandbLog(records));
        expect(read.map(({ length }) => length)).toEqual(sizes);
        expect(read.every((record, i) => record.equals(records[i]!))).toBe(true);
      }),
      { numRuns: 40 },
    );
  });
});

const { root } = protobuf.parse(
  `syntax = "proto3";
  message Item { string key = 1; repeated string nested_key = 2; string value_json = 16; }
  message Items { repeated Item item = 1; Step step = 2; }
  message Step { int64 num = 1; }
  message File { string path = 1; int32 type = 3; }
  message Files { repeated File files = 1; }
  message Time { int64 seconds = 1; int32 nanos = 2; }
  message Run { string run_id = 1; string project = 3; Items config = 4; string display_name = 8; repeated string tags = 10; Time start_time = 17; }
  message Exit { int32 exit_code = 1; int32 runtime = 2; }
  message Record { int64 num = 1; oneof what { Items history = 2; Items summary = 3; Files files = 6; Run run = 17; Exit exit = 18; bytes header = 21; } }`,
  { keepCase: true },
);

interface ReadRecord {
  readonly num: number;
  readonly what: string;
  readonly history?: { item: { nested_key: string[]; value_json: string }[]; step: { num: number } };
  readonly summary?: { item: { nested_key: string[]; value_json: string }[] };
  readonly run?: Record<string, unknown>;
  readonly files?: { files: { path: string; type: number }[] };
  readonly exit?: object;
}

function readRecords(folder: string): ReadRecord[] {
  const name = readdirSync(folder).find((one) => one.endsWith(".wandb"))!;
  const type = root.lookupType("Record");
  return readLog(readFileSync(join(folder, name))).map(
    (data) => type.toObject(type.decode(data), { longs: Number, oneofs: true, defaults: true }) as ReadRecord,
  );
}

const valuesOf = (items: { nested_key: string[]; value_json: string }[]) =>
  Object.fromEntries(
    items.map(({ nested_key: [name], value_json: text }) => [name, JSON.parse(text) as unknown]),
  );

describe("exportWandb", () => {
  it("writes a row a step, the settings, pictures and tables", async () => {
    const run = writeExportRun();
    const { path, id, rows, files } = await exportWandb(run, { project: "crowds", tags: ["a"], images: 1, rolloutsEvery: 2 }); // prettier-ignore
    expect([rows, files]).toEqual([4, 6]);
    expect(path).toBe(join(run, "wandb", `offline-run-20260304_050607-${id}`));
    expect(readdirSync(path).sort()).toEqual(["files", `run-${id}.wandb`]);
    const records = readRecords(path);
    expect(records.map(({ num }) => num)).toEqual(records.map((_, i) => i + 1));
    expect(records.map(({ what }) => what)).toEqual(["header", "run", "history", "history", "history", "history", "files", "summary", "exit"]); // prettier-ignore
    expect(records[1]!.run).toMatchObject({
      run_id: id,
      project: "crowds",
      display_name: "tiny",
      tags: ["a"],
      start_time: { seconds: Math.floor(EXPORT_RUN_STARTED), nanos: 500_000_000 },
    });
    const history = records.flatMap((record) => record.history ?? []);
    expect(history.map(({ step }) => step.num)).toEqual([0, 1, 2, 3]);
    const last = valuesOf(history[3]!.item);
    expect(last).toMatchObject({
      _step: 3,
      _timestamp: EXPORT_RUN_STARTED + 6,
      _runtime: 6,
      f1: 0.875,
      "reward/mean": 0.8,
      "eval/night/greedy/f1": 0.6875,
    });
    expect(valuesOf(records.find(({ what }) => what === "summary")!.summary!.item)).toMatchObject({
      f1: 0.875,
    });
    expect(records.at(-1)!.exit).toEqual({ exit_code: 0, runtime: 6 });

    const media = records.find(({ what }) => what === "files")!.files!.files;
    expect(media).toHaveLength(6);
    for (const { path: name, type } of media) {
      expect(type).toBe(2);
      expect(existsSync(join(path, "files", name))).toBe(true);
    }
    const picture = last["eval/plaza/plaza-7-000000"] as { path: string; sha256: string; size: number };
    const png = readFileSync(join(path, "files", picture.path));
    expect(createHash("sha256").update(png).digest("hex")).toBe(picture.sha256);
    expect(png.length).toBe(picture.size);
    const table = last["rollouts/first_group"] as { path: string; nrows: number };
    const { columns, data } = JSON.parse(readFileSync(join(path, "files", table.path), "utf8")) as {
      columns: string[];
      data: unknown[][];
    };
    expect(data).toHaveLength(table.nrows);
    expect(data[0]![columns.indexOf("text")]).toBe(HOSTILE_TEXT);
  });

  it("takes the place of what it wrote before", async () => {
    const run = writeExportRun({ state: "failed" });
    const first = await exportWandb(run, { images: 0, rolloutsEvery: 0 });
    expect(await exportWandb(run, { images: 0, rolloutsEvery: 0 })).toEqual(first);
    expect(readdirSync(join(run, "wandb"))).toHaveLength(1);
    expect(readRecords(first.path).at(-1)!.exit).toMatchObject({ exit_code: 1 });
  });

  it("refuses a run without metrics", async () => {
    await expect(exportWandb(writeExportRun({ steps: 0 }))).rejects.toThrow(/no metrics yet/);
  });
});
