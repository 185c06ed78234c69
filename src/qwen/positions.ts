/**
 * @file M-RoPE: three positions (time, height, width) for every token of a row of text, pictures and videos, and the
 * rotary tables that follow from them.
 */
import { InputError } from "../base/errors.js";
import type { QwenConfig } from "./config.js";
import type { GridThw } from "./image-processor.js";

/** A video in a row. */
export interface VideoGrid {
  readonly gridThw: GridThw;
  /** Seconds that one temporal patch covers. @default 1 */
  readonly secondsPerGrid?: number;
}

/** What stands at a row's picture and video tokens, in order of appearance. */
export interface RowGrids {
  readonly images?: readonly GridThw[];
  readonly videos?: readonly VideoGrid[];
  /** 1 = token, 0 = padding, as long as the row. @default all tokens */
  readonly attentionMask?: ArrayLike<number>;
}

/** Positions of one row. */
export interface RowPositions {
  /** [3, length]: time, height, width; 0 at padding. */
  readonly positions: Int32Array;
  /** A later token with index i among the unpadded ones has position i + ropeDelta on all three axes. */
  readonly ropeDelta: number;
}

/**
 * Positions of a row. A text token stands one after the one before it, on all axes; a picture's token at the start of
 * the picture plus its (frame, row, column) in the merged grid; the text after it at start + max(rows, columns).
 * @param ids Token ids; a picture or video is as many placeholder ids as it has merged tokens.
 * @throws InputError when the placeholders are not those of the grids.
 */
export function ropePositions(
  ids: ArrayLike<number>,
  { images = [], videos = [], attentionMask }: RowGrids,
  { tokens, vision }: Pick<QwenConfig, "tokens" | "vision">,
): RowPositions {
  const length = ids.length;
  const positions = new Int32Array(3 * length);
  const kept: number[] = [];
  for (let i = 0; i < length; i++) if (attentionMask === undefined || attentionMask[i]! !== 0) kept.push(i);
  let imageCount = 0;
  let videoCount = 0;
  let next = 0;
  let largest = -1;
  const put = (index: number, t: number, h: number, w: number): void => {
    const at = kept[index]!;
    positions[at] = t;
    positions[length + at] = h;
    positions[2 * length + at] = w;
    largest = Math.max(largest, t, h, w);
  };
  for (let i = 0; i < kept.length;) {
    const id = ids[kept[i]!]!;
    if (id !== tokens.image && id !== tokens.video) {
      put(i++, next, next, next);
      next++;
      continue;
    }
    const kind = id === tokens.image ? "picture" : "video";
    const video: VideoGrid | undefined =
      kind === "picture" ? asVideo(images[imageCount++]) : videos[videoCount++];
    if (video === undefined) throw new InputError(`the row has more ${kind} tokens than its ${kind}s take`);
    const [frames, rows, columns] = video.gridThw;
    const height = rows / vision.mergeSize;
    const width = columns / vision.mergeSize;
    // A still picture has no duration; a video's frames are spaced by time, in fp32 as PyTorch multiplies.
    const interval =
      kind === "picture" ? 1 : Math.fround(vision.tokensPerSecond * Math.fround(video.secondsPerGrid ?? 1));
    for (let frame = 0; frame < frames; frame++) {
      const time = next + Math.trunc(Math.fround(frame * interval));
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          if (i >= kept.length || ids[kept[i]!] !== id) {
            throw new InputError(
              `a ${kind} of ${frames} x ${rows} x ${columns} patches needs ${frames * height * width} tokens, the row has fewer in one run`,
            );
          }
          put(i++, time, next + y, next + x);
        }
      }
    }
    // Only the sides count, even for a video: later text may overlap its last frames in time.
    next += Math.max(height, width);
  }
  if (imageCount !== images.length || videoCount !== videos.length) {
    throw new InputError(
      `the row has tokens for ${imageCount} pictures and ${videoCount} videos, given were ${images.length} and ${videos.length}`,
    );
  }
  return { positions, ropeDelta: largest + 1 - kept.length };
}

function asVideo(gridThw: GridThw | undefined): VideoGrid | undefined {
  return gridThw && { gridThw };
}

/** Cosines and sines of rotary angles, [length, headDim / 2] each; the second half of a head repeats the first. */
export interface RotaryTable {
  readonly cos: Float32Array;
  readonly sin: Float32Array;
}

/** theta^(-2i / dim) for i below dim / 2, in fp32. */
export function inverseFrequencies(dim: number, theta: number): Float32Array {
  return Float32Array.from({ length: dim / 2 }, (_, i) => 1 / theta ** ((2 * i) / dim));
}

/** The table of fp32 angles [length, half] that `angle(row, i)` gives. */
export function rotaryTable(
  length: number,
  half: number,
  angle: (row: number, i: number) => number,
): RotaryTable {
  const cos = new Float32Array(length * half);
  const sin = new Float32Array(length * half);
  for (let row = 0; row < length; row++) {
    for (let i = 0; i < half; i++) {
      const radians = Math.fround(angle(row, i));
      cos[row * half + i] = Math.cos(radians);
      sin[row * half + i] = Math.sin(radians);
    }
  }
  return { cos, sin };
}

/**
 * The decoder's rotary table for positions [3, length]: the first frequencies turn with time, the next with height,
 * the last with width, as many as `mropeSection` says (in chunks, not interleaved).
 */
export function textRotary(
  positions: Int32Array,
  { headDim, ropeTheta, mropeSection }: Pick<QwenConfig["text"], "headDim" | "ropeTheta" | "mropeSection">,
): RotaryTable {
  const length = positions.length / 3;
  const frequencies = inverseFrequencies(headDim, ropeTheta);
  const offset = Int32Array.from(
    mropeSection.flatMap((size, axis) => Array<number>(size).fill(axis * length)),
  );
  return rotaryTable(length, headDim / 2, (row, i) => positions[offset[i]! + row]! * frequencies[i]!);
}
