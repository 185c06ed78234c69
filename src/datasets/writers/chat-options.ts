/** @file Options of the chat forms: what is asked, in which frame the boxes are, how the picture is resized. */
import type { ImageProcessorConfig } from "../../qwen/image-processor-config.js";

/**
 * Frames of the chat forms' boxes: `absolute` = whole pixels of the picture after smart-resize (Qwen2.5-VL), `norm1000`
 * = thousandths of the picture (Qwen2-VL, Qwen3-VL), `image` = pixels of the original.
 */
export const chatFrames = ["absolute", "norm1000", "image"] as const;

/** Name of a frame as the chat forms call it. */
export type ChatFrame = (typeof chatFrames)[number];

/** What decides the size at which a model sees a picture. */
export type ResizeRule = Pick<ImageProcessorConfig, "patchSize" | "mergeSize" | "minPixels" | "maxPixels">;

/**
 * Qwen2.5-VL's patches with the budget of its own image processor. The file on the hub allows 12.8 million pixels, which
 * is far more than models were found to ground well with; 1,003,520 is what Qwen's documentation recommends.
 */
export const QWEN25_RESIZE: ResizeRule = {
  patchSize: 14,
  mergeSize: 2,
  minPixels: 56 * 56,
  maxPixels: 28 * 28 * 1280,
};

/** Options of the chat forms. */
export interface ChatOptions {
  /** @default "absolute" */
  readonly frame?: ChatFrame;
  /** @default {@link QWEN25_RESIZE} */
  readonly resize?: ResizeRule;
  /** Name of a prompt. @default "dip-r1" */
  readonly prompt?: string;
  /** The user's words instead of a named prompt. */
  readonly promptText?: string;
  /** What to find; other objects are left out. @default every label of the dataset, in the order of their coming */
  readonly labels?: readonly string[];
  /** Whole numbers, as models write them. @default true, but false in the frame `image` */
  readonly round?: boolean;
  /** Cuts boxes at the picture's edge, as answers are: what is outside cannot be found. @default true */
  readonly clip?: boolean;
  /** Adds the teacher's Think-Look-Answer response as the assistant's turn, for SFT. @default false */
  readonly response?: boolean;
}
