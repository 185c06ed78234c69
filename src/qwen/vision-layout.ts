/** @file The order, windows and rotary positions of the vision tower's patches, for pictures and videos packed into one call. */
import { VISION_ROPE_THETA, type QwenVisionConfig } from "./config.js";
import type { GridThw } from "./image-processor.js";
import { inverseFrequencies, rotaryTable, type RotaryTable } from "./positions.js";

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
  readonly cuWindowSeqlens: Int32Array;
  /** Bounds of the frames in patches (the same in both orders): blocks with full attention stay inside them. */
  readonly cuSeqlens: Int32Array;
  /** [patches, 2]: row and column of each patch, in the order of pixel values (before the window order). */
  readonly rowColumn: Int32Array;
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
  const rowColumn = new Int32Array(patches * 2);
  const windows = [0];
  const frameBounds = [0];
  let base = 0;
  let place = 0;
  let patch = 0;
  for (const [frames, rows, columns] of list) {
    const height = rows / mergeSize;
    const width = columns / mergeSize;
    for (let frame = 0; frame < frames; frame++) {
      for (let top = 0; top < height; top += side) {
        for (let left = 0; left < width; left += side) {
          for (let y = top; y < Math.min(top + side, height); y++) {
            for (let x = left; x < Math.min(left + side, width); x++)
              windowIndex[place++] = base + y * width + x;
          }
          windows.push(place * unit);
        }
      }
      for (let y = 0; y < height; y++) {
        for (let x = 0; x < width; x++) {
          for (let inner = 0; inner < unit; inner++) {
            rowColumn[patch * 2] = y * mergeSize + Math.floor(inner / mergeSize);
            rowColumn[patch * 2 + 1] = x * mergeSize + (inner % mergeSize);
            patch++;
          }
        }
      }
      base += height * width;
      frameBounds.push(patch);
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
    cuWindowSeqlens: Int32Array.from(windows),
    cuSeqlens: Int32Array.from(frameBounds),
    rowColumn,
  };
}

/**
 * The vision tower's rotary table, [patches, headDim / 2], in window order: the first quarter of a head's frequencies
 * turns with the patch's row, the next with its column.
 */
export function visionRotary({ patches, patchOrder, rowColumn }: WindowLayout, headDim: number): RotaryTable {
  const quarter = headDim / 4;
  const frequencies = inverseFrequencies(headDim / 2, VISION_ROPE_THETA);
  return rotaryTable(patches, headDim / 2, (row, i) => {
    const axis = i < quarter ? 0 : 1;
    return rowColumn[patchOrder[row]! * 2 + axis]! * frequencies[i % quarter]!;
  });
}

function isGrid(grids: GridThw | readonly GridThw[]): grids is GridThw {
  return typeof grids[0] === "number";
}
