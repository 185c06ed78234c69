/**
 * @file How a batch's keys and values get from one decoding step to the next: in the host's arrays, to which each step's
 * tokens are appended, or, on a GPU, as values that never leave its memory until the batch is closed up.
 */
import { cacheNames } from "../../qwen/decode-graph.js";
import type { DeviceMemory, DeviceTensor, TensorData } from "../../tensor/index.js";

/** Keys and values of every layer: arrays of [rows, kvHeads, capacity, headDim]. */
export interface Cache {
  readonly capacity: number;
  readonly headDim: number;
  /** Elements of one row of one array. */
  readonly stride: number;
  readonly layers: readonly { readonly key: Float32Array; readonly value: Float32Array }[];
}

/** What a step gave. */
export interface StepOutputs {
  /** Outputs in the host's memory. */
  readonly out: Readonly<Record<string, TensorData>>;
  /** Outputs that stayed on the device. */
  readonly kept: Readonly<Record<string, DeviceTensor>>;
  /** Rows that took part: their place in the batch, and how many tokens they had before the step. */
  readonly rows: readonly { readonly slot: number; readonly length: number }[];
}

/** Takes one batch's cache from step to step. Use it for one decoding at a time, and close it in every case. */
export interface CacheCarrier {
  /** What the next step of this many rows reads, by the names of {@link cacheNames}. */
  feeds(rows: number): Record<string, TensorData | DeviceTensor>;
  /** Takes over what a step left. */
  take(outputs: StepOutputs): void;
  /** Brings everything back to the host's arrays. */
  toHost(): Promise<void>;
  /** Frees the device's memory. */
  close(): void;
}

/** Carries a cache that starts in the host's arrays. */
export function carryCache(cache: Cache, memory: DeviceMemory | undefined): CacheCarrier {
  const arrays = cache.layers.flatMap(({ key, value }, layer) => {
    const names = cacheNames(layer);
    return [
      { past: names.pastKey, present: names.presentKey, appended: names.newKey, array: key },
      { past: names.pastValue, present: names.presentValue, appended: names.newValue, array: value },
    ];
  });
  let held: Readonly<Record<string, DeviceTensor>> | undefined;
  const drop = () => {
    for (const value of Object.values(held ?? {})) value.dispose();
    held = undefined;
  };
  const part = (array: Float32Array, rows: number) => array.subarray(0, rows * cache.stride);
  const { headDim, stride, capacity } = cache;
  const rowWidth = stride / capacity;

  /** ONNX Runtime's binding copies every output, the whole cache at each step if that were one: only the new tokens are. */
  function append({ out, rows }: StepOutputs): void {
    for (const { appended, array } of arrays) {
      const values = out[appended] as Float32Array;
      for (const { slot, length } of rows) {
        for (let from = 0; from < rowWidth; from += headDim) {
          let to = slot * stride + from * capacity + length * headDim;
          const end = slot * rowWidth + from + headDim;
          for (let i = slot * rowWidth + from; i < end; i++) array[to++] = values[i]!;
        }
      }
    }
  }

  return {
    feeds: (rows) =>
      Object.fromEntries(
        arrays.map(({ past, present, array }) => [past, held?.[present] ?? part(array, rows)]),
      ),
    take(outputs) {
      drop();
      if (memory === undefined) append(outputs);
      else held = outputs.kept;
    },
    async toHost() {
      if (memory === undefined || held === undefined) return;
      for (const { present, array } of arrays) {
        const value = held[present]!;
        await memory.download(value, part(array, value.shape[0]!));
      }
      drop();
    },
    close: drop,
  };
}
