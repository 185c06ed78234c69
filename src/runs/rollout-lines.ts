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
  readonly truth: readonly Corners[];
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
/** Ground truth in the model's frame has fractions; hundredths of a pixel are plenty for pictures. */
const rounded = (box: Box): Corners =>
  corners(box).map((value) => Math.round(100 * value) / 100) as unknown as Corners;

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
        // Once a group is enough.
        truth: index === 0 ? truth.objects.map(({ box }) => rounded(box)) : [],
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
