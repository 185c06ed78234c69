import { appendFileSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { EXPORT_RUN_STARTED, writeExportRun } from "../../../test/support/export-run.js";
import { InputError } from "../../base/index.js";
import { readRunRecord } from "./run-record.js";

describe("readRunRecord", () => {
  it("puts training and evaluations in the order of steps, at the run's own time", async () => {
    const record = await readRunRecord(writeExportRun());
    expect(record.points.map(({ key }) => key)).toEqual([
      "eval/plaza/greedy 0",
      "eval/night/greedy 0",
      "train 1",
      "train 2",
      "train 3",
      "eval/plaza/greedy 3",
      "eval/night/greedy 3",
    ]);
    expect(record.points.map(({ time }) => time - EXPORT_RUN_STARTED)).toEqual([0, 0, 2, 4, 6, 6, 6]);
    expect(record.ended - record.started).toBe(6);
    expect(record.points[2]!.values).toEqual({
      trainedSeconds: 2,
      "reward/mean": 0.6,
      "reward/std": 0.25,
      "reward/groupStd": 0.125,
      f1: 0.625,
      kl: 0.001,
      "grades/strict": 1,
      "grades/none": 0,
    });
    // Facts of the data are no numbers of the evaluation.
    expect(record.points[0]!.values).toEqual({
      "eval/plaza/greedy/images": 3,
      "eval/plaza/greedy/precision": 0.5,
      "eval/plaza/greedy/f1": 0.5,
      "eval/plaza/greedy/at75/f1": 0.25,
    });
    expect(record.params["grpo.kl.beta"]).toBe(0.04);
  });

  it("leaves out a last line that a kill has torn", async () => {
    const run = writeExportRun();
    appendFileSync(join(run, "metrics.jsonl"), '{"step":4,"trainedSec');
    expect((await readRunRecord(run)).points).toHaveLength(7);
  });

  it("says what is wrong with a folder", async () => {
    const empty = mkdtempSync(join(tmpdir(), "dip-export-"));
    await expect(readRunRecord(empty)).rejects.toThrow(/not a run's manifest/);
    await expect(readRunRecord(join(empty, "nowhere"))).rejects.toThrow(InputError);
    await expect(readRunRecord(writeExportRun({ steps: 0 }))).rejects.toThrow(/no metrics yet/);
    const strange = writeExportRun();
    writeFileSync(join(strange, "metrics.jsonl"), '{"step":1}\n{"step":"two"}\n');
    await expect(readRunRecord(strange)).rejects.toThrow(/metrics\.jsonl:2: "step"/);
  });

  it("may be asked for a run that has just begun", async () => {
    expect((await readRunRecord(writeExportRun({ steps: 0 }), { allowEmpty: true })).points).toEqual([]);
  });
});
