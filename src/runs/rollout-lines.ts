/** @file The lines of rollouts.jsonl: what every response of a step said and earned. */
import type { Box } from "../geometry/box.js";
import type { Grade } from "../response/types.js";
import type { GrpoStep } from "../rl/index.js";
import type { StepLine } from "./run-folder.js";

/** [x1, y1, x2, y2] */
export type Corners = readonly [number, number, number, number];

/** A line of rollouts.jsonl. Boxes are in the frame of the answers, `size` pixels wide and high. */
export interface RolloutLine extends StepLine {
  readonly sample: string;
  /** Place in its group, from 0. */
  readonly index: number;
  readonly size: readonly [width: number, height: number];
  readonly text: string;
  readonly grade: Grade;
  readonly regions: readonly Corners[];
  readonly boxes: readonly Corners[];
  /** Once a group, on its first line. */
  readonly truth: readonly Corners[];
  /** Labels of `truth`, and ignore regions, beside it where there are any to tell apart. */
  readonly labels?: readonly string[];
  readonly ignore?: readonly Corners[];
  /** Ground truth that each box hit, -1 = none, -2 = ignored. */
  readonly matches: readonly number[];
  readonly format: number;
  readonly look: number;
  readonly accuracy: number;
  readonly total: number;
  readonly advantage: number;
  readonly tokens: number;
  readonly stopReason: string;
}

const corners = ({ x1, y1, x2, y2 }: Box): Corners => [x1, y1, x2, y2];
/** Not rounded: `dip-r1 replay` must match the same pairs. Once a group is enough. */
function truthOf(
  { objects, ignore }: GrpoStep["groups"][number]["truth"],
  index: number,
): Pick<RolloutLine, "truth" | "labels" | "ignore"> {
  if (index > 0) return { truth: [] };
  const several = objects.some(({ label }) => label !== objects[0]!.label);
  return {
    truth: objects.map(({ box }) => corners(box)),
    ...(several && { labels: objects.map(({ label }) => label) }),
    ...(ignore.length > 0 && { ignore: ignore.map(corners) }),
  };
}

/** Every response of a step, group by group. */
export function* rolloutLines({ step, groups }: Pick<GrpoStep, "step" | "groups">): Generator<RolloutLine> {
  for (const { sampleId, truth, responses } of groups)
    for (const [index, response] of responses.entries())
      yield {
        step,
        sample: sampleId,
        index,
        size: [truth.size.width, truth.size.height],
        text: response.text,
        grade: response.grade,
        regions: response.lookBoxes.map(corners),
        boxes: response.answerBoxes.map(corners),
        ...truthOf(truth, index),
        matches: response.matches,
        format: response.format,
        look: response.look,
        accuracy: response.accuracy,
        total: response.total,
        advantage: response.advantage,
        tokens: response.tokens,
        stopReason: response.stopReason,
      };
}
