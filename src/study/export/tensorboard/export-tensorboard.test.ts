import { createHash } from "node:crypto";
import { appendFileSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import {
  EXPORT_RUN_STARTED,
  exportEvaluation,
  exportManifest,
  exportMetrics,
  exportRollouts,
  HOSTILE_TEXT,
  writeExportRun,
} from "../../../../test/support/export-run.js";
import { readWithTensorBoard, tensorBoardPython } from "../../../../test/support/real-tensorboard.js";
import { readEvents, type ReadEvent } from "../../../../test/support/tfevents.js";
import { flattenNumbers } from "../flatten.js";
import { exportTensorBoard } from "./export-tensorboard.js";

const golden = fileURLToPath(new URL("../../../../test/fixtures/tensorboard/tiny.tfevents", import.meta.url));
const read = (path: string) => readEvents(readFileSync(path));

/** Steps and values of a tag. */
function scalars(events: readonly ReadEvent[], tag: string): (readonly [number, number])[] {
  return events.flatMap(({ step = 0, summary }) =>
    (summary?.value ?? []).filter((value) => value.tag === tag).map((value) => [step, value.simple_value!] as const),
  );
} // prettier-ignore

const tagsOf = (events: readonly ReadEvent[]) =>
  events.flatMap(({ summary }) => summary?.value.map(({ tag }) => tag) ?? []);

describe("exportTensorBoard", () => {
  it("writes every number, text, picture and setting once", async () => {
    const run = writeExportRun();
    const { path } = await exportTensorBoard(run, { rolloutsEvery: 2, images: 2 });
    expect(dirname(path)).toBe(join(run, "tensorboard"));
    const events = read(path);
    expect(events[0]).toEqual({ wall_time: EXPORT_RUN_STARTED, file_version: "brain.Event:2" });
    expect(scalars(events, "f1")).toEqual([1, 2, 3].map((step) => [step, 0.5 + step / 8]));
    expect(scalars(events, "look/mean").map(([step]) => step)).toEqual([2, 3]);
    expect(scalars(events, "eval/plaza/greedy/at75/f1")).toEqual([[0, 0.25], [3, 0.25]]); // prettier-ignore
    expect(events.find(({ step }) => step === 2)!.wall_time).toBe(EXPORT_RUN_STARTED + 4);

    const values = events.flatMap(({ step = 0, summary }) =>
      (summary?.value ?? []).map((value) => ({ step, ...value })),
    );
    const texts = values.filter(({ tag }) => tag === "rollouts/first_group");
    expect(texts.map(({ step }) => step)).toEqual([1, 3]);
    expect(texts[0]!.metadata!.plugin_data.plugin_name).toBe("text");
    expect(texts[0]!.tensor!.string_val![0]!.toString()).toContain(HOSTILE_TEXT.split("\n")[0]);

    // Two of the in-domain set, one of the other, the same at both evaluations.
    const pictures = values.filter(({ image }) => image !== undefined);
    expect(pictures.map(({ step, tag }) => [step, tag])).toEqual(
      [0, 3].flatMap((step) => [
        [step, "eval/plaza/plaza-7-000000"],
        [step, "eval/plaza/plaza-7-000001"],
        [step, "eval/night/night-7-000000"],
      ]),
    );
    const { image } = pictures[0]!;
    expect(image!.encoded_image_string.subarray(1, 4).toString()).toBe("PNG");
    expect(image!.encoded_image_string.readUInt32BE(16)).toBe(image!.width);
    expect(tagsOf(events).filter((tag) => tag.startsWith("_hparams_/"))).toEqual([
      "_hparams_/session_start_info",
      "_hparams_/session_end_info",
    ]);
  });

  it("writes the same file again in its place, and nothing beside it", async () => {
    const run = writeExportRun();
    const { path } = await exportTensorBoard(run, { images: 0 });
    const before = readFileSync(path);
    await exportTensorBoard(run, { images: 0 });
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(readdirSync(join(run, "tensorboard"))).toHaveLength(1);
  });

  it("writes the bytes that the real TensorBoard was seen to read", async () => {
    const { path } = await exportTensorBoard(writeExportRun(), { images: 0 });
    if (process.env["DIP_UPDATE_GOLDEN"] === "1") {
      mkdirSync(dirname(golden), { recursive: true });
      writeFileSync(golden, readFileSync(path));
    }
    expect(readFileSync(path).equals(readFileSync(golden))).toBe(true);
  });

  it("does not mix the events of two runs", async () => {
    const run = writeExportRun();
    mkdirSync(join(run, "tensorboard"));
    writeFileSync(join(run, "tensorboard", "events.out.tfevents.1.host"), "");
    await expect(exportTensorBoard(run)).rejects.toThrow(/events of another run/);
  });

  it("leaves nothing behind for a run without metrics", async () => {
    const run = writeExportRun({ steps: 0 });
    await expect(exportTensorBoard(run)).rejects.toThrow(/no metrics yet/);
    expect(readdirSync(run)).not.toContain("tensorboard");
  });

  it("follows a run until it ends, through a resume that repeats a step", async () => {
    const run = writeExportRun({ state: "running", steps: 0 });
    const add = (file: string, ...lines: object[]) =>
      appendFileSync(join(run, file), lines.map((line) => JSON.stringify(line) + "\n").join(""));
    const stages = [
      () => {
        add("rollouts.jsonl", ...exportRollouts(1), ...exportRollouts(2));
        // Step 2's metrics are not there yet: its rollouts may not be whole.
        add("metrics.jsonl", exportMetrics(1));
      },
      () => add("metrics.jsonl", exportMetrics(2)),
      () => {
        writeFileSync(join(run, "rollouts.jsonl"), "");
        writeFileSync(join(run, "metrics.jsonl"), "");
        for (const step of [1, 2, 3]) {
          add("rollouts.jsonl", ...exportRollouts(step));
          add("metrics.jsonl", exportMetrics(step));
        }
      },
      () => {
        add("evaluations.jsonl", exportEvaluation(3, "plaza", ["plaza"]));
        writeFileSync(join(run, "manifest.json"), JSON.stringify(exportManifest({ state: "stopped" })));
      },
    ];
    let looks = 0;
    const { path, events: count } = await exportTensorBoard(run, {
      rolloutsEvery: 1,
      images: 0,
      follow: () => {
        stages[looks++]!();
        return Promise.resolve(true);
      },
    });
    expect(looks).toBe(stages.length);
    const events = read(path);
    expect(events).toHaveLength(count + 1);
    expect(scalars(events, "f1").map(([step]) => step)).toEqual([1, 2, 3]);
    expect(scalars(events, "eval/plaza/greedy/f1").map(([step]) => step)).toEqual([3]);
    const texts = events.filter((event) => tagsOf([event]).includes("rollouts/first_group"));
    expect(texts.map(({ step }) => step)).toEqual([1, 2, 3]);
    expect(tagsOf(events).at(-1)).toBe("_hparams_/session_end_info");
  });

  it("ends where it is told to, with what there was", async () => {
    const run = writeExportRun({ state: "running" });
    const { path } = await exportTensorBoard(run, { images: 0, follow: () => Promise.resolve(false) });
    expect(scalars(read(path), "f1")).toHaveLength(3);
    expect(tagsOf(read(path))).not.toContain("_hparams_/session_end_info");
  });

  const python = tensorBoardPython();
  it.skipIf(python === undefined)(
    "is read back by the real TensorBoard (skipped where no Python has it: docs/export.md)",
    async () => {
      const run = writeExportRun();
      const { path } = await exportTensorBoard(run, { rolloutsEvery: 1 });
      const found = readWithTensorBoard(python!, dirname(path));
      const steps = [1, 2, 3];
      // What should be there, as [tag, step, time, value], in single precision.
      const lines = [
        ...steps.map((step) => ({ step, values: flattenNumbers({ ...exportMetrics(step), step: null }) })),
        ...[0, 3].flatMap((step) =>
          ["plaza", "night"].map((set) => ({
            step,
            values: flattenNumbers(
              { ...exportEvaluation(step, set, []), step: null, data: null },
              `eval/${set}/greedy`,
            ),
          })),
        ),
      ];
      const expected = lines.flatMap(({ step, values }) =>
        Object.entries(values).map(([tag, value]) =>
          [tag, step, EXPORT_RUN_STARTED + 2 * step, Math.fround(value)].join(" "),
        ),
      );
      const scalarsFound = Object.entries(found.scalars).flatMap(([tag, points]) =>
        points.map((point) => [tag, ...point].join(" ")),
      );
      expect(scalarsFound.sort()).toEqual(expected.sort());
      expect(found.texts["rollouts/first_group"]!.map(([step]) => step)).toEqual(steps);
      expect(found.texts["rollouts/first_group"]![0]![1]).toContain("<script>alert(1)</script>");
      expect(Object.keys(found.images)).toHaveLength(4);
      const pngs = read(path).flatMap(
        ({ summary }) => summary?.value.flatMap(({ image }) => image ?? []) ?? [],
      );
      const hashes = pngs.map(({ encoded_image_string }) =>
        createHash("sha256").update(encoded_image_string).digest("hex"),
      );
      const seen = Object.values(found.images).flatMap((points) => points.map(([, , , sha256]) => sha256));
      expect(seen.sort()).toEqual(hashes.sort());
      expect(found.hparams).toMatchObject({ kind: "grpo", "grpo.kl.beta": 0.04, "data.train.dense": false });
      expect(found.started).toBe(EXPORT_RUN_STARTED);
      expect(found.status).toBe(1);
    },
  );
});
