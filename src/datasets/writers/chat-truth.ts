/** @file A sample's ground truth as the chat forms hold it: boxes in the frame that the model speaks. */
import { smartResize } from "../../qwen/smart-resize.js";
import {
  clipBox,
  convertBox,
  coordinateProfiles,
  frameSize,
  roundBox,
  type Box,
  type Frame,
  type FrameSize,
  type FrameSizes,
} from "../../geometry/index.js";
import type { Sample } from "../sample.js";
import { QWEN25_RESIZE, type ChatFrame, type ChatOptions } from "./chat-options.js";
import { corners } from "./boxes.js";
import type { LossTally } from "./losses.js";

/** One instance as Qwen2.5-VL writes it. */
export interface ChatInstance {
  readonly bbox_2d: readonly [number, number, number, number];
  readonly label: string;
}

/** Ground truth in the frame of a chat form. */
export interface ChatTruth {
  readonly instances: readonly ChatInstance[];
  readonly ignore: readonly (readonly [number, number, number, number])[];
  /** Size of the picture after smart-resize; only in the frame `absolute`. */
  readonly model?: FrameSize<"model">;
  /** The canvas of the frame. */
  readonly canvas: FrameSize;
}

/** The type-level name of a chat frame. */
export const frameOf = { ...coordinateProfiles, image: "image" } as const satisfies Record<ChatFrame, Frame>;

/** Converts, clips and rounds; counts what changes by it. @throws InputError where smart-resize refuses the picture. */
export function chatTruth(sample: Sample, options: ChatOptions, losses: LossTally): ChatTruth {
  const name = options.frame ?? "absolute";
  const frame: Frame = frameOf[name];
  const image = { width: sample.width, height: sample.height };
  const model = name === "absolute" ? smartResize(image, options.resize ?? QWEN25_RESIZE) : undefined;
  const sizes: FrameSizes = { image, model: model ?? image };
  const canvas = frameSize(frame, sizes);
  const round = options.round ?? name !== "image";
  const convert = (box: Box<"image">, what: string): Box | undefined => {
    let converted: Box = convertBox(box, "image", frame, sizes);
    if (options.clip ?? true) {
      const inside = clipBox(converted, canvas);
      if (inside === undefined) {
        losses.add("dropped", `${what} wholly outside the picture`);
        return undefined;
      }
      // Compared before scaling: a box at the very edge must not count as cut by a rounding error.
      if (box.x1 < 0 || box.y1 < 0 || box.x2 > image.width || box.y2 > image.height)
        losses.add("changed", `${what} cut at the picture's edge`);
      converted = inside;
    }
    if (!round) return converted;
    const rounded = roundBox(converted);
    if (corners(rounded).some((value, i) => Math.abs(value - corners(converted)[i]!) > 1e-9))
      losses.add("changed", `${what} rounded to whole ${name === "norm1000" ? "thousandths" : "pixels"}`);
    return rounded;
  };
  const instances: ChatInstance[] = [];
  for (const { box, label } of sample.objects) {
    if (options.labels !== undefined && !options.labels.includes(label)) {
      losses.add("dropped", `objects labelled "${label}", which are not asked for`);
      continue;
    }
    const converted = convert(box, "boxes");
    if (converted !== undefined) instances.push({ bbox_2d: corners(converted), label });
  }
  const ignore = sample.ignore.flatMap((region) => {
    const converted = convert(region, "ignore regions");
    return converted === undefined ? [] : [corners(converted)];
  });
  return { instances, ignore, canvas, ...(model && { model }) };
}
