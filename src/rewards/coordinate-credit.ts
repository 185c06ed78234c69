/**
 * @file Credit by coordinate, a finer form of credit by box (design, 4.5): how much each of the four numbers of an answer
 * box costs it in overlap. A box of three good edges and a bad one tells its four numbers apart, where the box's own worth
 * is one number for all.
 */
import { iou, type Box, type Frame } from "../geometry/index.js";
import type { ParsedResponse } from "../response/types.js";
import { nearestObject, standardizer } from "./credit.js";
import { matchAnswer } from "./match.js";
import type { RewardTruth } from "./types.js";

const EDGES = ["x1", "y1", "x2", "y2"] as const;

/** Standardised worth of x1, y1, x2 and y2. */
export type CoordinateCredit = readonly [number, number, number, number];

/**
 * What a number is worth: IoU of the box with its object, less the IoU it would have with this one edge where the object's
 * is. At most about 0; compared with the mean over the group's boxes for the same object and edge, and divided by the sample
 * standard deviation of these differences over the group.
 *
 * A box is a try at the object it matched, else at the one it overlaps most. Where another box of its response matched that
 * one, it is a duplicate and has no worth here: the better its edges fit what was found already, the more they would be
 * praised for finding it again.
 *
 * @param iouThreshold from which IoU on a box matches, as in the accuracy reward.
 * @returns by response and answer box; undefined where the box is a try at no object, or a duplicate.
 */
export function coordinateCredit<F extends Frame>(
  truth: RewardTruth<F>,
  responses: readonly ParsedResponse<F>[],
  iouThreshold: number,
): (CoordinateCredit | undefined)[][] {
  const tries = responses.map(({ answer }) => {
    const boxes = answer?.boxes ?? [];
    const { matches } = matchAnswer(truth, boxes, iouThreshold);
    const found = new Set(matches);
    return boxes.map(({ box }, b) => {
      const object = matches[b]! >= 0 ? matches[b]! : nearestObject(truth, box);
      if (object < 0 || (matches[b]! < 0 && found.has(object))) return undefined;
      return { object, worths: edgeWorths(box, truth.objects[object]!.box) };
    });
  });
  const sums = truth.objects.map(() => ({ count: 0, worths: [0, 0, 0, 0] }));
  for (const one of tries.flat()) {
    if (one === undefined) continue;
    const sum = sums[one.object]!;
    sum.count++;
    one.worths.forEach((worth, edge) => (sum.worths[edge]! += worth));
  }
  const differences = tries.map((list) =>
    list.map((one) =>
      one?.worths.map((worth, edge) => worth - sums[one.object]!.worths[edge]! / sums[one.object]!.count),
    ),
  );
  const scaled = standardizer(differences.flat().flatMap((own) => own ?? []));
  return differences.map((list) =>
    list.map((own) =>
      own === undefined ? undefined : [scaled(own[0]!), scaled(own[1]!), scaled(own[2]!), scaled(own[3]!)],
    ),
  );
}

function edgeWorths<F extends Frame>(box: Box<F>, object: Box<F>): number[] {
  const own = iou(box, object);
  return EDGES.map((edge) => {
    const moved = { ...box, [edge]: object[edge] };
    // An edge may lie beyond the object's other side: put right, it would turn the box inside out.
    return moved.x2 <= moved.x1 || moved.y2 <= moved.y1 ? 0 : own - iou(moved, object);
  });
}

/**
 * Where the four numbers of a box stand in the response, as [start, end) in UTF-16 units; undefined where its text does not
 * hold four numbers in a bracket.
 *
 * @param start of the box's own text. @param end of it.
 */
export function numberSpans(
  text: string,
  start: number,
  end: number,
): { readonly start: number; readonly end: number }[] | undefined {
  // Keys such as "bbox_2d" hold digits too: only what the bracket holds counts.
  const open = text.indexOf("[", start);
  if (open < 0 || open >= end) return undefined;
  const spans: { start: number; end: number }[] = [];
  for (const match of text.slice(open, end).matchAll(/[-+]?\d+(?:\.\d+)?/g)) {
    if (spans.length === EDGES.length) break;
    spans.push({ start: open + match.index, end: open + match.index + match[0].length });
  }
  return spans.length === EDGES.length ? spans : undefined;
}
