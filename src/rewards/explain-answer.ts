/** @file What became of every answer box and of every object: hits, duplicates, false positives, ignored ones, misses (design, 4.3). */
import { iou, type Box, type Frame } from "../geometry/index.js";
import type { ParsedBox } from "../response/types.js";
import { IGNORED, UNMATCHED, type AnswerMatch } from "./match.js";
import type { RewardTruth } from "./types.js";

/**
 * `hit` = matched; `duplicate` = fits an object that another box was matched with; `ignored` = unmatched in an ignore
 * region, does not count; `false-positive` = all else.
 */
export type BoxVerdict = "hit" | "duplicate" | "false-positive" | "ignored";

/** Why a box and an object that overlap are no pair. */
export type NoPair = "iou" | "label" | "taken";

/** One answer box. */
export interface ExplainedBox<F extends Frame = Frame> {
  /** Place in the answer, from 0. */
  readonly index: number;
  readonly box: Box<F>;
  readonly label?: string;
  readonly verdict: BoxVerdict;
  /** The object it hit, doubles, or overlaps most; absent where it overlaps none. */
  readonly object?: number;
  /** IoU with that object. */
  readonly iou?: number;
  /** Why it did not hit that object: too little IoU, another label, or the object went to another box. */
  readonly because?: NoPair;
}

/** One object that nothing hit. */
export interface ExplainedMiss<F extends Frame = Frame> {
  /** Place in the ground truth, from 0. */
  readonly object: number;
  readonly box: Box<F>;
  readonly label: string;
  /** The answer box that overlaps it most, its IoU, and why they are no pair; absent where none overlaps. */
  readonly nearest?: { readonly index: number; readonly iou: number; readonly because: NoPair };
}

/** What an answer found, invented and missed. */
export interface ExplainedAnswer<F extends Frame = Frame> {
  readonly boxes: readonly ExplainedBox<F>[];
  readonly missed: readonly ExplainedMiss<F>[];
}

interface Overlap {
  readonly index: number;
  readonly iou: number;
}

function most<F extends Frame>(
  box: Box<F>,
  others: readonly { readonly box: Box<F> }[],
): Overlap | undefined {
  let best: Overlap | undefined;
  others.forEach((other, index) => {
    const value = iou(box, other.box);
    if (value > (best?.iou ?? 0)) best = { index, iou: value };
  });
  return best;
}

/** Explains a matching. */
export function explainAnswer<F extends Frame>(
  truth: RewardTruth<F>,
  answer: readonly ParsedBox<F>[],
  match: AnswerMatch,
  iouThreshold: number,
): ExplainedAnswer<F> {
  /** By answer box, the object that it may pair with best, whoever has it. */
  const pairOf = new Map<number, Overlap>();
  match.pairs.rows.forEach((row, k) => {
    const value = match.ious[k]!;
    const hit = match.matches[row] === match.pairs.columns[k];
    // A hit's own object stands, though another may overlap it more.
    if (hit || (match.matches[row]! < 0 && value > (pairOf.get(row)?.iou ?? 0)))
      pairOf.set(row, { index: match.pairs.columns[k]!, iou: value });
  });
  const paired = new Set(match.pairs.rows.map((row, k) => `${row} ${match.pairs.columns[k]}`));
  const because = (row: number, column: number, value: number): NoPair => {
    if (paired.has(`${row} ${column}`)) return "taken";
    return value >= iouThreshold ? "label" : "iou";
  };
  const boxes = answer.map(({ box, label }, index): ExplainedBox<F> => {
    const to = match.matches[index]!;
    const said = { index, box, ...(label !== undefined && { label }) };
    const pair = pairOf.get(index);
    if (to > UNMATCHED) return { ...said, verdict: "hit", object: to, iou: pair!.iou };
    if (pair !== undefined && to !== IGNORED)
      return { ...said, verdict: "duplicate", object: pair.index, iou: pair.iou, because: "taken" };
    const verdict = to === IGNORED ? "ignored" : "false-positive";
    const near = pair ?? most(box, truth.objects);
    if (near === undefined) return { ...said, verdict };
    return {
      ...said,
      verdict,
      object: near.index,
      iou: near.iou,
      because: because(index, near.index, near.iou),
    };
  });
  const found = new Set(match.matches);
  const missed = truth.objects.flatMap(({ box, label }, object): ExplainedMiss<F>[] => {
    if (found.has(object)) return [];
    const near = most(box, answer);
    const nearest = near && { ...near, because: because(near.index, object, near.iou) };
    return [{ object, box, label, ...(nearest && { nearest }) }];
  });
  return { boxes, missed };
}
