/** @file Token sequences brought to one rectangle, and the places of theirs that are scored. */
import type { QwenConfig } from "../../qwen/config.js";
import { textRopeTables } from "../../qwen/rope-tables.js";
import { bucket, paddedLength, roundUp, rowBucket } from "./buckets.js";
import type { Sequence } from "./sequence.js";

/** Everything the decoder is fed, for `rows` x `length` tokens padded on the right. */
export interface TextBatch {
  readonly rows: number;
  readonly length: number;
  /** Rows of visual features in the buffer that `visualIndex` points into; 0 where there are no images. */
  readonly features: number;
  readonly feeds: {
    readonly ids: Int32Array;
    readonly cos: Float32Array;
    readonly sin: Float32Array;
    readonly visualIndex?: Int32Array;
    readonly isImage?: Float32Array;
  };
}

export interface TextBatchOptions {
  /** Rows in the buffer of visual features. */
  readonly features: number;
  /** Pad the rows to a bucket too. @default true */
  readonly padRows?: boolean;
}

/** Packs sequences into a batch. */
export function packText(
  sequences: readonly Sequence[],
  config: QwenConfig,
  { features, padRows = true }: TextBatchOptions,
): TextBatch {
  const rows = padRows ? rowBucket(sequences.length) : sequences.length;
  const length = paddedLength(Math.max(...sequences.map(({ ids }) => ids.length)));
  const tokens = rows * length;
  const ids = new Int32Array(tokens);
  const positions = new Int32Array(3 * tokens);
  const hasImages = features > 0;
  const visualIndex = new Int32Array(hasImages ? tokens : 0);
  const isImage = new Float32Array(hasImages ? tokens : 0);
  sequences.forEach((sequence, row) => {
    const start = row * length;
    const count = sequence.ids.length;
    ids.set(sequence.ids, start);
    for (let axis = 0; axis < 3; axis++) {
      positions.set(sequence.positions.subarray(axis * count, (axis + 1) * count), axis * tokens + start);
    }
    for (let i = 0; i < count; i++) {
      const feature = sequence.featureRows[i]!;
      if (feature < 0) continue;
      visualIndex[start + i] = feature;
      isImage[start + i] = 1;
    }
  });
  return {
    rows,
    length,
    features,
    feeds: { ids, ...textRopeTables(positions, config.text), ...(hasImages && { visualIndex, isImage }) },
  };
}

/** The completion tokens of a batch, flattened and padded to a bucket. */
export interface Selection {
  /** Places in the padded flat list. */
  readonly count: number;
  /** int32 [count]: the row of the flat hidden states that predicts each token. */
  readonly rows: Int32Array;
  /** int32 [count] */
  readonly targets: Int32Array;
  /** Where each sequence's tokens begin in the flat list; one more than there are sequences. */
  readonly offsets: readonly number[];
}

/** Selects the last `completions[i]` tokens of each sequence. */
export function selectCompletions(
  sequences: readonly Sequence[],
  completions: readonly number[],
  length: number,
): Selection {
  const offsets = [0];
  for (const size of completions) offsets.push(offsets.at(-1)! + size);
  const count = bucket(roundUp(offsets.at(-1)!, 32), 32);
  const rows = new Int32Array(count);
  const targets = new Int32Array(count);
  sequences.forEach(({ ids }, row) => {
    const size = completions[row]!;
    const first = ids.length - size;
    for (let i = 0; i < size; i++) {
      rows[offsets[row]! + i] = row * length + first + i - 1;
      targets[offsets[row]! + i] = ids[first + i]!;
    }
  });
  return { count, rows, targets, offsets };
}

/** One value a completion token, laid out as the selection is, `fill` at its padding. */
export function layOut(
  selection: Selection,
  values: readonly (ArrayLike<number> | undefined)[],
  fill: number,
): Float32Array {
  const out = new Float32Array(selection.count).fill(fill);
  values.forEach((array, row) => {
    if (array !== undefined) out.set(array, selection.offsets[row]!);
  });
  return out;
}
