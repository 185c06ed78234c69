/** @file What a conversion could not keep as it was: counted while samples pass, said at the end, never silent. */
import { boxArea } from "../../geometry/overlap.js";
import type { GroundTruthObject, Sample } from "../sample.js";

/** `dropped` = not in the new files; `changed` = there, but not the same; `added` = the form asks for what was not known. */
export type LossKind = "dropped" | "changed" | "added";

/** One thing that was not kept. */
export interface Loss {
  readonly kind: LossKind;
  /** In words, without the number: `head boxes`. */
  readonly what: string;
  readonly count: number;
}

/** Counts losses. */
export interface LossTally {
  add(kind: LossKind, what: string, count?: number): void;
  /** In the order in which they were first met, dropped before changed before added. */
  list(): Loss[];
}

const ORDER: readonly LossKind[] = ["dropped", "changed", "added"];

/** A tally of nothing yet. */
export function lossTally(): LossTally {
  const counts = new Map<string, { kind: LossKind; what: string; count: number }>();
  return {
    add(kind, what, count = 1) {
      if (count === 0) return;
      const key = `${kind} ${what}`;
      const entry = counts.get(key);
      if (entry === undefined) counts.set(key, { kind, what, count });
      else entry.count += count;
    },
    list: () => [...counts.values()].sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind)),
  };
}

/** What a form keeps of a sample beside its picture, boxes and sizes. */
export interface Holds {
  readonly visible: boolean;
  /** The visible share as a number of its own; where false, it survives as far as a visible box tells it. */
  readonly visibility: boolean;
  readonly head: boolean;
  readonly id: boolean;
  /** Names of the attributes that have a place, or all. */
  readonly attributes: "all" | readonly string[];
  readonly ignore: boolean;
  readonly ignoreLabels: boolean;
}

/** A form that keeps everything. */
export const HOLDS_ALL: Holds = {
  visible: true,
  visibility: true,
  head: true,
  id: true,
  attributes: "all",
  ignore: true,
  ignoreLabels: true,
};

/** A form that keeps boxes and labels only. */
export const HOLDS_BOXES: Holds = {
  visible: false,
  visibility: false,
  head: false,
  id: false,
  attributes: [],
  ignore: false,
  ignoreLabels: false,
};

/** Counts what of a sample has no place in a form. */
export function countLosses(sample: Sample, holds: Holds, losses: LossTally): void {
  for (const object of sample.objects) {
    if (object.visible && !holds.visible) losses.add("dropped", "visible boxes");
    if (object.head && !holds.head) losses.add("dropped", "head boxes");
    if (object.id !== undefined && !holds.id) losses.add("dropped", "ids of objects");
    if (object.visibility !== undefined && !holds.visibility && !told(object, holds))
      losses.add("dropped", "visible shares");
    if (object.attributes && holds.attributes !== "all")
      for (const name of Object.keys(object.attributes))
        if (!holds.attributes.includes(name)) losses.add("dropped", `attributes "${name}"`);
  }
  if (!holds.ignore) losses.add("dropped", "ignore regions", sample.ignore.length);
  else if (!holds.ignoreLabels)
    losses.add(
      "dropped",
      "words for what ignore regions are",
      (sample.ignoreLabels ?? []).filter((label) => label !== "").length,
    );
}

/** The visible box tells the share as well as the number does. */
function told({ box, visible, visibility }: GroundTruthObject, holds: Holds): boolean {
  if (!holds.visible || visible === undefined || visibility === undefined) return false;
  return Math.abs(boxArea(visible) / boxArea(box) - visibility) < 1e-6;
}
