/** @file A sample's ground truth in the frame that the responses are written in. */
import type { GroundTruthObject, SampleTruth } from "../datasets/sample.js";
import {
  boxArea,
  clipBox,
  convertBox,
  type Box,
  type Frame,
  type FrameSizes,
  frameSize,
} from "../geometry/index.js";
import type { FrameSize } from "../geometry/index.js";
import type { RewardTruth } from "./types.js";

/** Options of {@link truthFromSample}. */
export interface TruthOptions<F extends Frame> {
  /** Frame the responses are written in. */
  readonly frame: F;
  /** Size of the picture the model is shown; needed for `model`. @default the original size */
  readonly modelSize?: FrameSize<"model">;
  /** Keep objects of these labels only. @default all */
  readonly labels?: readonly string[];
}

/** As annotated, else visible area over full area, else not known. */
function knownVisibility({ box, visible, visibility }: GroundTruthObject): number | undefined {
  if (visibility !== undefined || visible === undefined) return visibility;
  const full = boxArea(box);
  return full > 0 ? Math.min(1, boxArea(visible) / full) : undefined;
}

/**
 * Ground truth for the rewards: converted (not rounded) and clipped to the picture, as answers are; objects and ignore
 * regions wholly outside are left out.
 */
export function truthFromSample<F extends Frame>(
  sample: SampleTruth,
  options: TruthOptions<F>,
): RewardTruth<F> {
  const image = { width: sample.width, height: sample.height };
  const sizes: FrameSizes = { image, model: options.modelSize ?? image };
  const size = frameSize(options.frame, sizes);
  const convert = (box: Box<"image">): Box<F> | undefined =>
    clipBox(convertBox(box, "image", options.frame, sizes), size);
  return {
    size,
    objects: sample.objects.flatMap((object) => {
      const { box, label } = object;
      if (options.labels !== undefined && !options.labels.includes(label)) return [];
      const converted = convert(box);
      if (converted === undefined) return [];
      const visibility = knownVisibility(object);
      return [{ box: converted, label, ...(visibility !== undefined && { visibility }) }];
    }),
    ignore: sample.ignore.flatMap((region) => convert(region) ?? []),
  };
}
