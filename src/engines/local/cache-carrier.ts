/**
 * @file How a batch's keys and values get from one decoding step to the next: in place in the host's arrays, or, on a
 * GPU, as values that never leave its memory until the batch is closed up.
 */
import { cacheNames } from "../../qwen/decode-graph.js";
import type { DeviceMemory, DeviceTensor, TensorData } from "../../tensor/index.js";

/** Keys and values of every layer: arrays of [rows, kvHeads, capacity, headDim]. */
export interface Cache {
  readonly capacity: number;
  /** Elements of one row of one array. */
  readonly stride: number;
  readonly layers: readonly { readonly key: Float32Array; readonly value: Float32Array }[];
}

/** Takes one batch's cache from step to step. Use it for one decoding at a time, and close it in every case. */
export interface CacheCarrier {
  /** What the next step of this many rows reads, by the names of {@link cacheNames}. */
  feeds(rows: number): Record<string, TensorData | DeviceTensor>;
  /** Where it writes, where that is the host. */
  into(rows: number): Record<string, TensorData>;
  /** Takes over what a step left on the device. */
  take(kept: Readonly<Record<string, DeviceTensor>>): void;
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
      { past: names.pastKey, present: names.presentKey, array: key },
      { past: names.pastValue, present: names.presentValue, array: value },
    ];
  });
  let held: Readonly<Record<string, DeviceTensor>> | undefined;
  const drop = () => {
    for (const value of Object.values(held ?? {})) value.dispose();
    held = undefined;
  };
  const part = (array: Float32Array, rows: number) => array.subarray(0, rows * cache.stride);
  return {
    feeds: (rows) =>
      Object.fromEntries(
        arrays.map(({ past, present, array }) => [past, held?.[present] ?? part(array, rows)]),
      ),
    into: (rows) =>
      memory === undefined
        ? Object.fromEntries(arrays.map(({ present, array }) => [present, part(array, rows)]))
        : {},
    take(kept) {
      drop();
      if (memory !== undefined) held = kept;
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
