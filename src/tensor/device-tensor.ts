/** @file What lies in a GPU's memory between runs; device-memory.ts makes it. */
import type * as ort from "onnxruntime-node";
import type { Shape } from "./tensor.js";

/** A float32 value in the device's memory. */
export interface DeviceTensor {
  readonly shape: Shape;
  /** The runtime's handle. */
  readonly handle: ort.Tensor;
  /** Frees the memory; the value must not be used again. */
  dispose(): void;
}

/** A GPU's memory, as far as a model uses it. */
export interface DeviceMemory {
  /** The array's copy on the device: uploaded at first, then the same until the array is said to have changed. */
  resident(array: Float32Array): Promise<DeviceTensor>;
  /** Frees the copies of arrays whose elements changed, or that are no longer needed. */
  changed(arrays: Iterable<Float32Array>): void;
  /** Writes a value to `target`, which has as many elements. */
  download(value: DeviceTensor, target: Float32Array): Promise<void>;
  close(): Promise<void>;
}

/** Wraps a float32 tensor of the runtime that lies on the device; the wrapper owns it from then on. */
export function deviceTensor(handle: ort.Tensor): DeviceTensor {
  return { handle, shape: handle.dims, dispose: () => handle.dispose() };
}
