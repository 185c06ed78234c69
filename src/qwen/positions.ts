/**
 * @file Where everything stands: the three M-RoPE positions (time, height, width) of a row's tokens, and the windows,
 * rows and columns of the vision tower's patches. rope-tables.ts turns positions into angles.
 */
import { InputError } from "../base/errors.js";
import type { QwenConfig, QwenVisionConfig } from "./config.js";
import type { GridThw } from "./image-processor.js";

/** A video in a row. */
export interface VideoGrid {
  readonly gridThw: GridThw;
  /** Seconds that one temporal patch covers. @default 1 */
  readonly secondsPerGrid?: number;
}

/** What stands at a row's picture and video tokens, in order of appearance, and the model. */
export interface TextPositionsOptions {
  readonly images?: readonly GridThw[];
  readonly videos?: readonly VideoGrid[];
  /** 1 = token, 0 = padding, as long as the row. @default all tokens */
  readonly attentionMask?: ArrayLike<number>;
  readonly config: Pick<QwenConfig, "tokens" | "vision">;
}

/** Positions of one row. */
export interface TextPositions {
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
export function textPositions(
  ids: ArrayLike<number>,
  { images = [], videos = [], attentionMask, config }: TextPositionsOptions,
): TextPositions {
  const { tokens, vision } = config;
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

/** Where every patch stands. "Merged token" = mergeSize x mergeSize patches, which lie next to each other. */
export interface WindowLayout {
  readonly patches: number;
  /** [merged tokens]: the token that stands at each place of the window order. */
  readonly windowIndex: Int32Array;
  /** [merged tokens]: the place in the window order of each token; undoes {@link windowIndex}. */
  readonly inverseIndex: Int32Array;
  /** [patches]: {@link windowIndex} spelled out patch by patch. */
  readonly patchOrder: Int32Array;
  /** Bounds of the windows in patches, in window order: 0, ..., patches. */
  readonly windowBounds: Int32Array;
  /** Bounds of the frames in patches (the same in both orders): blocks with full attention stay inside them. */
  readonly frameBounds: Int32Array;
}

/** Orders the patches of one or more grids into attention windows: row by row, and row by row inside each. */
export function windowLayout(
  grids: GridThw | readonly GridThw[],
  { windowSize, mergeSize, patchSize }: Pick<QwenVisionConfig, "windowSize" | "mergeSize" | "patchSize">,
): WindowLayout {
  const list = isGrid(grids) ? [grids] : grids;
  const unit = mergeSize ** 2;
  const side = Math.floor(windowSize / mergeSize / patchSize);
  const patches = list.reduce((sum, [frames, rows, columns]) => sum + frames * rows * columns, 0);
  const windowIndex = new Int32Array(patches / unit);
  const windows = [0];
  const frames = [0];
  let base = 0;
  let place = 0;
  for (const [count, rows, columns] of list) {
    const height = rows / mergeSize;
    const width = columns / mergeSize;
    for (let frame = 0; frame < count; frame++) {
      for (let top = 0; top < height; top += side) {
        for (let left = 0; left < width; left += side) {
          for (let y = top; y < Math.min(top + side, height); y++) {
            for (let x = left; x < Math.min(left + side, width); x++)
              windowIndex[place++] = base + y * width + x;
          }
          windows.push(place * unit);
        }
      }
      base += height * width;
      frames.push(base * unit);
    }
  }
  const inverseIndex = new Int32Array(windowIndex.length);
  windowIndex.forEach((token, at) => {
    inverseIndex[token] = at;
  });
  return {
    patches,
    windowIndex,
    inverseIndex,
    patchOrder: Int32Array.from(
      { length: patches },
      (_, i) => windowIndex[Math.floor(i / unit)]! * unit + (i % unit),
    ),
    windowBounds: Int32Array.from(windows),
    frameBounds: Int32Array.from(frames),
  };
}

/** [patches, 2]: row and column of each patch of a grid, in the order of its pixel values (before the window order). */
export function patchPositions(
  [frames, rows, columns]: GridThw,
  { mergeSize }: Pick<QwenVisionConfig, "mergeSize">,
): Int32Array {
  const out = new Int32Array(frames * rows * columns * 2);
  let to = 0;
  for (let frame = 0; frame < frames; frame++) {
    for (let top = 0; top < rows; top += mergeSize) {
      for (let left = 0; left < columns; left += mergeSize) {
        for (let inner = 0; inner < mergeSize ** 2; inner++) {
          out[to++] = top + Math.floor(inner / mergeSize);
          out[to++] = left + (inner % mergeSize);
        }
      }
    }
  }
  return out;
}

function isGrid(grids: GridThw | readonly GridThw[]): grids is GridThw {
  return typeof grids[0] === "number";
}
