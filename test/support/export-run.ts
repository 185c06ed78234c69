/** @file A small run's folder as `dip-r1 train` writes it, for exports: three steps, two evaluations, two groups a step. */
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { RunState } from "../../src/runs/index.js";

/** The run's start. */
export const EXPORT_RUN_STARTED = Date.parse("2026-03-04T05:06:07.500Z") / 1000;

/** What a model might say to break the page it is shown on. */
export const HOSTILE_TEXT = "<script>alert(1)</script>\n```\n# no heading\r    more";

/** Options of {@link writeExportRun}. */
export interface ExportRunOptions {
  readonly state?: RunState;
  /** Steps of training. @default 3 */
  readonly steps?: number;
  /** @default ["plaza", "night"]; the first is in-domain */
  readonly sets?: readonly string[];
}

const scenes = (look: string) => ({
  format: "scenes",
  look,
  seed: 7,
  count: 3,
  start: 0,
  width: 56,
  height: 56,
  dense: false,
});

/** The manifest of such a run. */
export function exportManifest({ state = "done", sets = ["plaza", "night"] }: ExportRunOptions = {}): object {
  const recipe = {
    kind: "grpo",
    name: "tiny",
    seed: 3,
    engine: { kind: "local", model: "models/base", device: "cpu" },
    data: {
      train: scenes("plaza"),
      eval: Object.fromEntries(sets.map((set) => [set, scenes(set)])),
      labels: ["person"],
    },
    grpo: { steps: 3, groupSize: 2, kl: { beta: 0.04, estimator: "k3" }, clip: { low: 0.2, high: 0.2 } },
  };
  return {
    format: 1,
    name: "tiny",
    recipe,
    source: { path: "recipes/tiny.yaml", set: [] },
    seed: 3,
    data: { train: "00" },
    model: "11",
    code: { version: "0.1.0", sha256: "22" },
    versions: { node: "v20" },
    state,
    created: "2026-03-04T05:06:07.500Z",
    updated: "2026-03-04T05:06:30.000Z",
    resumed: [],
  };
}

/** A line of metrics.jsonl. */
export function exportMetrics(step: number): object {
  return {
    step,
    trainedSeconds: 2 * step,
    reward: { mean: 0.5 + step / 10, std: 0.25, groupStd: 0.125 },
    f1: 0.5 + step / 8,
    kl: step / 1000,
    // Nothing was measured at the first step.
    look: { mean: step === 1 ? null : 0.25 },
    grades: { strict: 1, none: 0 },
  };
}

/** The rollouts of a step: two groups of two. */
export function exportRollouts(step: number): object[] {
  return [0, 1].flatMap((group) =>
    [0, 1].map((index) => ({
      step,
      sample: `plaza-7-00000${group}`,
      index,
      size: [56, 56],
      text: index === 0 ? HOSTILE_TEXT : `step ${step}, group ${group}`,
      grade: "none",
      regions: [],
      boxes: index === 0 ? [] : [[0, 0, 20, 20]],
      truth: index === 0 ? [[0, 0, 20, 20]] : [],
      matches: index === 0 ? [] : [0],
      format: 0,
      look: 0.5,
      accuracy: index,
      total: 0.25 + index,
      advantage: index - 0.5,
      tokens: 12,
      stopReason: "stop",
    })),
  );
}

/** A line of evaluations.jsonl. */
export function exportEvaluation(step: number, set: string, sets: readonly string[]): object {
  return {
    step,
    set,
    domain: set === sets[0] ? "in" : "out",
    decoding: "greedy",
    data: { fingerprint: "00", files: [], problems: { leftOut: 0 } },
    images: 3,
    precision: 0.5,
    f1: 0.5 + step / 16,
    at75: { f1: 0.25 },
    ap50: null,
    scoreSource: "order",
  };
}

function evaluatedImage(set: string, index: number): object {
  const tally = { truePositives: 1, predictions: 1, truths: 1 };
  const box = { x1: 4, y1: 4, x2: 20, y2: 40 };
  const answer = [{ box, label: "person" }];
  return {
    id: `${set}-7-00000${index}`,
    width: 56,
    height: 56,
    truth: { objects: [{ box, label: "person" }], ignore: [] },
    responses: [
      {
        text: "x",
        grade: "strict",
        stopReason: "stop",
        tokens: 4,
        look: [],
        answer,
        matches: [0],
        at50: tally,
        at75: tally,
        format: 1,
        accuracy: 1,
      },
    ],
  };
}

const jsonLines = (lines: readonly object[]): string =>
  lines.map((line) => JSON.stringify(line) + "\n").join("");

/** Writes the run's folder. @returns its path, in a folder of its own. */
export function writeExportRun(options: ExportRunOptions = {}): string {
  const { steps = 3, sets = ["plaza", "night"] } = options;
  const run = join(mkdtempSync(join(tmpdir(), "dip-export-")), "tiny");
  const write = (name: string, text: string) => {
    mkdirSync(dirname(join(run, name)), { recursive: true });
    writeFileSync(join(run, name), text);
  };
  const numbers = Array.from({ length: steps }, (_, i) => i + 1);
  write("manifest.json", JSON.stringify(exportManifest(options)));
  write("metrics.jsonl", jsonLines(numbers.map(exportMetrics)));
  write("rollouts.jsonl", jsonLines(numbers.flatMap(exportRollouts)));
  const judged = steps > 0 ? [0, steps] : [];
  write(
    "evaluations.jsonl",
    jsonLines(judged.flatMap((step) => sets.map((set) => exportEvaluation(step, set, sets)))),
  );
  for (const step of judged)
    for (const set of sets)
      write(
        `evaluations/step-${String(step).padStart(6, "0")}/${set}.greedy.jsonl`,
        jsonLines([0, 1, 2].map((index) => evaluatedImage(set, index))),
      );
  return run;
}
