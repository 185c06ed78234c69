/** @file metrics.jsonl as charts: rewards by part, F1, KL, length, gradient norm and the rest that is worth watching. */
import type { Chart } from "./report.js";

type Line = Readonly<Record<string, unknown>>;

/** The number at a dotted path, or null. */
function numberAt(line: Line, path: string): number | null {
  const value = path
    .split(".")
    .reduce<unknown>(
      (inner, key) => (typeof inner === "object" && inner !== null ? (inner as Line)[key] : undefined),
      line,
    );
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

/** Title, and label and path of each curve. A chart without a single number is left out. */
const CHARTS: readonly (readonly [title: string, curves: Readonly<Record<string, string>>])[] = [
  ["Loss (nats a token)", { loss: "loss" }],
  ["Rewards by part", { format: "format.mean", look: "look.mean", accuracy: "accuracy.mean" }],
  ["Total reward", { reward: "reward.mean", "spread within a group": "reward.groupStd" }],
  ["Sampled answers", { F1: "f1", precision: "precision", recall: "recall" }],
  ["KL to the reference (nats a token)", { KL: "kl" }],
  ["Length (tokens a response)", { mean: "responseTokens.mean" }],
  ["Boxes an answer", { boxes: "answerBoxes" }],
  ["Gradient norm", { norm: "gradNorm" }],
  ["Entropy (nats a token)", { entropy: "entropy" }],
  [
    "Shares to watch",
    {
      "groups without spread": "zeroStdShare",
      "cut off": "truncatedShare",
      loops: "loopShare",
      "clipped tokens": "clipShare",
    },
  ],
  ["Sampler against trainer", { "mean |log p| gap": "logprobGap" }],
  ["Learning rate", { rate: "learningRate" }],
  ["Tokens a second", { tokens: "tokensPerSecond" }],
];

/** Charts of a run's steps. SFT has no rewards, GRPO's loss is 0 at every fresh step: what says nothing is left out. */
export function metricCharts(lines: readonly Line[]): Chart[] {
  const x = lines.map((line) => numberAt(line, "step") ?? 0);
  const isGrpo = lines.some((line) => "reward" in line);
  return CHARTS.flatMap(([title, curves]) => {
    if (isGrpo && "loss" in curves) return [];
    const series = Object.entries(curves)
      .map(([label, path]) => ({ label, y: lines.map((line) => numberAt(line, path)) }))
      .filter(({ y }) => y.some((value) => value !== null));
    const flat = series.every(({ y }) => y.every((value) => value === y[0]));
    return series.length === 0 || (flat && title === "Learning rate") ? [] : [{ title, x, series }];
  });
}
