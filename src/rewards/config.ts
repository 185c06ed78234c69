/** @file The rewards' options: defaults, and a check that says what is wrong with given ones. */
import { InputError } from "../base/errors.js";
import type { LookKind, LookOver, RewardConfig } from "./types.js";

/** Our reading of the paper (design, section 4): weights 0.5, 0.5, 1; linear precision-recall at IoU 0.5; count variance. */
export const defaultRewardConfig: RewardConfig = {
  weights: { format: 0.5, look: 0.5, accuracy: 1 },
  accuracy: {
    shape: { kind: "linear", precisionWeight: 1, recallWeight: 1 },
    iouThreshold: 0.5,
    soft: false,
  },
  look: { kind: "count-variance", cells: 64 },
};

/** All kinds of the look reward (design, 4.4). */
export const lookKinds = [
  "count-variance",
  "occupancy-variance",
  "instance-variance",
  "hit-variance",
] as const satisfies readonly LookKind[];

/** Whose disagreement the look reward can be paid for. */
export const lookOvers = ["group", "others"] as const satisfies readonly LookOver[];

function need(condition: boolean, field: string, value: unknown, expected: string): void {
  if (!condition) {
    throw new InputError(`rewards.${field} is ${String(value)}`, { hint: `It must be ${expected}.` });
  }
}

const isWeight = (value: number) => Number.isFinite(value) && value >= 0;

/** Checks every field. @throws InputError that names the field and what it may be. */
export function checkRewardConfig(config: RewardConfig): void {
  const { weights, accuracy, look } = config;
  for (const part of ["format", "look", "accuracy"] as const) {
    need(isWeight(weights[part]), `weights.${part}`, weights[part], "a finite number >= 0");
  }
  const { shape, iouThreshold } = accuracy;
  if (shape.kind === "linear") {
    need(
      isWeight(shape.precisionWeight),
      "accuracy.shape.precisionWeight",
      shape.precisionWeight,
      "a finite number >= 0",
    );
    need(
      isWeight(shape.recallWeight),
      "accuracy.shape.recallWeight",
      shape.recallWeight,
      "a finite number >= 0",
    );
    need(
      shape.precisionWeight + shape.recallWeight > 0,
      "accuracy.shape.precisionWeight + recallWeight",
      0,
      "above 0: precision and recall cannot both have no weight",
    );
  } else {
    need(
      shape.kind === "fbeta" && Number.isFinite(shape.beta) && shape.beta > 0,
      "accuracy.shape",
      JSON.stringify(shape),
      'kind "linear" with its two weights, or kind "fbeta" with a finite beta > 0',
    );
  }
  need(iouThreshold > 0 && iouThreshold <= 1, "accuracy.iouThreshold", iouThreshold, "above 0 and at most 1");
  need(lookKinds.includes(look.kind), "look.kind", look.kind, `one of ${lookKinds.join(", ")}`);
  need(
    look.over === undefined || lookOvers.includes(look.over),
    "look.over",
    look.over,
    `one of ${lookOvers.join(", ")}`,
  );
  need(
    Number.isInteger(look.cells) && look.cells >= 1 && look.cells <= 4096,
    "look.cells",
    look.cells,
    "a whole number from 1 to 4096",
  );
}
