import { describe, expect, it } from "vitest";
import { recordedLines } from "../../../test/support/studio/runs.js";
import { createRng } from "../../base/rng.js";
import { heldFor, smooth, trendOf } from "./alarm-series.js";
import { findAlarms, type AlarmEvidence } from "./alarms.js";
import type { EvaluationRow } from "./api.js";

const STEPS = 60;
const rng = createRng(1);
/** A column by its course from 0 to 1, with a little noise. */
const course = (of: (share: number) => number, noise = 0.01): number[] =>
  Array.from({ length: STEPS }, (_, i) => of(i / (STEPS - 1)) + noise * (rng.next() - 0.5));

/** A run in which all is well. */
function healthy(change: Record<string, (number | null)[]> = {}): AlarmEvidence {
  const columns = {
    "reward.mean": course((t) => 1 + 0.3 * t),
    "format.mean": course(() => 0.98),
    "look.mean": course((t) => 0.3 + 0.1 * t),
    "accuracy.mean": course((t) => 0.5 + 0.2 * t),
    "grades.strict": course(() => 0.98),
    "grades.none": course(() => 0),
    "responseTokens.mean": course((t) => 70 + 10 * t, 4),
    entropy: course((t) => 0.7 - 0.2 * t),
    truncatedShare: course(() => 0.01),
    loopShare: course(() => 0.01),
    logprobGap: course(() => 1e-6, 1e-7),
    kl: course((t) => 0.05 * t, 0.001),
    zeroStdShare: course((t) => 0.1 * t),
    clipShare: course(() => 0.01),
    gradNorm: course(() => 0.3),
    ...change,
  };
  return {
    kind: "grpo",
    steps: Array.from({ length: STEPS }, (_, i) => i + 1),
    columns: new Map(Object.entries(columns)),
    evaluations: [],
  };
}

const kinds = (evidence: AlarmEvidence) =>
  findAlarms(evidence).alarms.map(({ kind, severity }) => `${kind} ${severity}`);

describe("findAlarms", () => {
  it("is silent where all is well, and where the recorded run was", () => {
    expect(kinds(healthy())).toEqual([]);
    const lines = recordedLines("metrics.jsonl").map(
      (line) => JSON.parse(line) as { kl: number; step: number },
    );
    expect(lines).toHaveLength(36);
    expect(
      kinds({ ...healthy(), kind: "sft", steps: lines.map(({ step }) => step), columns: new Map() }),
    ).toEqual([]);
  });

  it.each([
    ["reward-flat warning", { "reward.mean": course(() => 1, 0.2) }],
    ["reward-flat serious", { "reward.mean": course((t) => 1 - 0.3 * t) }],
    ["reward-cancelling warning", { "look.mean": course((t) => 0.4 - 0.15 * t) }],
    ["reward-cancelling serious", { "look.mean": course((t) => 0.5 - 0.4 * t) }],
    ["parse-collapse serious", { "grades.none": course((t) => (t > 0.5 ? 0.5 : 0)) }],
    ["parse-collapse warning", { "grades.strict": course((t) => (t > 0.5 ? 0.75 : 1)) }],
    ["length-collapse serious", { "responseTokens.mean": course((t) => 70 * (1 - t) + 4) }],
    ["length-growth warning", { "responseTokens.mean": course((t) => 70 * (1 + 1.5 * t)) }],
    ["entropy-collapse serious", { entropy: course((t) => 0.7 * Math.exp(-6 * t), 0) }],
    ["truncation warning", { truncatedShare: course(() => 0.12) }],
    ["truncation serious", { truncatedShare: course((t) => t) }],
    ["loops warning", { loopShare: course(() => 0.2) }],
    ["sampler-mismatch warning", { logprobGap: course(() => 0.05, 0.001) }],
    ["kl-runaway serious", { kl: course((t) => 5 * t) }],
    ["zero-variance serious", { zeroStdShare: course((t) => t) }],
    ["clipping warning", { clipShare: course(() => 0.3) }],
    ["gradient warning", { gradNorm: course(() => 0.3).with(40, 9) }],
    ["gradient serious", { gradNorm: (course(() => 0.3) as (number | null)[]).with(40, null) }],
  ] as const)("%s", (expected, change) => {
    expect(kinds(healthy({ ...change } as Record<string, (number | null)[]>))).toEqual([expected]);
  });

  it("says since when, until when, by what numbers and what to do", () => {
    const { alarms } = findAlarms(
      healthy({ truncatedShare: course((t) => (t > 0.5 && t < 0.8 ? 0.2 : 0), 0) }),
    );
    expect(alarms).toHaveLength(1);
    const [{ firstStep, lastStep, ongoing, words, evidence, advice, keys }] = alarms as [
      (typeof alarms)[number],
    ];
    expect(firstStep).toBeGreaterThan(30);
    expect(lastStep).toBeLessThan(60);
    expect(ongoing).toBe(false);
    expect(words).toMatch(/\d%/);
    expect(evidence.map(({ value }) => value).every(Number.isFinite)).toBe(true);
    expect(advice).toMatch(/maxTokens/);
    expect(keys).toContain("truncatedShare");
  });

  it("weighs the parts as the recipe does", () => {
    const evidence = healthy({ "look.mean": course((t) => 0.4 - 0.15 * t) });
    expect(kinds({ ...evidence, weights: { format: 1, look: 0, accuracy: 1 } })).toEqual([]);
    expect(kinds({ ...evidence, weights: { format: 1, look: 3, accuracy: 1 } })).toEqual([
      "reward-cancelling serious",
    ]);
  });

  it("says what it cannot judge yet", () => {
    const { steps, columns } = healthy();
    const few = { kind: "grpo" as const, steps: steps.slice(0, 5), columns: new Map([...columns].map(([key, column]) => [key, column.slice(0, 5)])), evaluations: [] }; // prettier-ignore
    const { alarms, notes } = findAlarms(few);
    expect(alarms).toEqual([]);
    expect(notes).toHaveLength(3);
  });

  it("sees frame mistakes and held-out F1 that fell", () => {
    const row = (step: number, f1: number, better: object | null): EvaluationRow =>
      ({ step, set: "plaza", domain: "in", decoding: "greedy", f1, frame: { declared: { scale: "model", layout: "xyxy", fit: 0.1 }, better } }) as unknown as EvaluationRow; // prettier-ignore
    const wrong = { scale: "norm1000", layout: "xyxy", fit: 0.8 };
    const { alarms } = findAlarms({ ...healthy(), evaluations: [row(0, 0.6, null), row(20, 0.5, wrong), row(40, 0.54, null)] }); // prettier-ignore
    expect(
      alarms.map(({ kind, severity, firstStep, ongoing }) => [kind, severity, firstStep, ongoing]),
    ).toEqual([
      ["evaluation-drop", "serious", 20, true],
      ["frame", "serious", 20, false],
    ]);
    expect(alarms[1]!.words).toMatch(/thousandths/);
    expect(kinds({ ...healthy(), evaluations: [row(0, 0.6, null), row(40, 0.65, null)] })).toEqual([]);
  });
});

describe("the arithmetic", () => {
  it("smooths over what is known", () => {
    expect(smooth([1, 3, null, 5], 2)).toEqual([1, 2, 3, 5]);
    expect(smooth([null, null, 2], 2)).toEqual([null, null, 2]);
  });
  it("finds stretches", () => {
    const of = (text: string) => [...text].map((letter) => letter === "x");
    expect(heldFor(of("..xxx.x..xxx"), 3)).toEqual({ first: 2, last: 11, ongoing: true });
    expect(heldFor(of("..xxx.x..xx."), 3)).toEqual({ first: 2, last: 4, ongoing: false });
    expect(heldFor(of("xx.xx"), 3)).toBeUndefined();
  });
  it("reads trends of enough numbers only", () => {
    expect(trendOf([1, 2, 3])).toBeUndefined();
    expect(trendOf(Array.from({ length: 30 }, (_, i) => i))).toMatchObject({
      first: 4.5,
      last: 24.5,
      change: 20,
    });
  });
});
