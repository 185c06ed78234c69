/** @file A graph compiled by ONNX Runtime, with buffers of its own for what it gives back. */
import * as ort from "onnxruntime-node";
import { ShapeError } from "../base/errors.js";
import { deviceTensor, type DeviceMemory, type DeviceTensor } from "./device-tensor.js";
import { lower } from "./onnx/lower.js";
import { createSession, type Device } from "./session.js";
import { formatShape, input, sameShape, sizeOf, type DType, type Tensor, type TensorData } from "./tensor.js";
import { forWebgpu } from "./webgpu.js";

export type { Device } from "./session.js";

/** How a graph is compiled, and what of it stays where it runs. */
export interface ProgramOptions {
  /** @default "cpu" */
  readonly device?: Device;
  /** Values of inputs that never change; see {@link lower}. */
  readonly bound?: ReadonlyMap<string, Float32Array>;
  /** Threads an operator may use; 0 = one a physical core. @default 0 */
  readonly threads?: number;
  /** On the CPU, keep the memory of a run for the next: for graphs that run often and soon close. @default false */
  readonly arena?: boolean;
  /** Inputs whose arrays seldom change: their copies stay in this memory between runs. */
  readonly resident?: { readonly memory: DeviceMemory; readonly names: Iterable<string> };
  /** Float32 outputs that stay on the device and go to `kept` of a run; not for the CPU. @default [] */
  readonly kept?: readonly string[];
}

/** Values by name. */
export type Values = Readonly<Record<string, TensorData>>;

/** What a run is fed: arrays, or values that lie on the device already. */
export type Feeds = Readonly<Record<string, TensorData | DeviceTensor>>;

/** A compiled graph. Its outputs live in buffers that the next run overwrites: copy what must outlive it. */
export interface Program {
  readonly nodeCount: number;
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /**
   * @param feeds an array for each input. A feed that shares its memory with an `into` buffer is updated in place.
   * @param into arrays that outputs are to be written to, instead of the program's own.
   * @param kept receives the outputs that stay on the device, new ones each run: whoever takes them disposes of them.
   */
  run(feeds: Feeds, into?: Values, kept?: Record<string, DeviceTensor>): Promise<Record<string, TensorData>>;
  close(): Promise<void>;
}

const ARRAY = { float32: Float32Array, int32: Int32Array, int64: BigInt64Array, bool: Uint8Array } as const;

function makeArray(dtype: DType, size: number): TensorData {
  return new ARRAY[dtype](size);
}

function toOrt(tensor: Tensor, data: TensorData): ort.Tensor {
  return new ort.Tensor(tensor.dtype, data as Float32Array, tensor.shape);
}

function checkArray(what: string, tensor: Tensor, data: TensorData): void {
  if (data instanceof ARRAY[tensor.dtype] && data.length === sizeOf(tensor.shape)) return;
  throw new ShapeError(
    `run: ${what} wants ${sizeOf(tensor.shape)} of ${tensor.dtype}, got ${data.length} in a ${data.constructor.name}`,
  );
}

/** The tensor as the runtime wants it: an array where it lies, or the device's buffer under the shape asked for. */
function feedOf(name: string, tensor: Tensor, value: TensorData | DeviceTensor | undefined): ort.Tensor {
  if (value === undefined) throw new ShapeError(`run: input "${name}" was not given`);
  if (!("handle" in value)) {
    checkArray(`input "${name}"`, tensor, value);
    return toOrt(tensor, value);
  }
  if (tensor.dtype !== "float32" || sizeOf(value.shape) !== sizeOf(tensor.shape)) {
    throw new ShapeError(
      `run: input "${name}" wants ${tensor.dtype} ${formatShape(tensor.shape)}, got a device's ${formatShape(value.shape)}`,
    );
  }
  if (sameShape(value.shape, tensor.shape)) return value.handle;
  return ort.Tensor.fromGpuBuffer(value.handle.gpuBuffer, { dataType: "float32", dims: tensor.shape });
}

/** Lowers and compiles what computes `outputs`. See {@link createSession} for what it throws. */
export async function compile(
  outputs: Readonly<Record<string, Tensor>>,
  options: ProgramOptions = {},
): Promise<Program> {
  const { device = "cpu", threads = 0, arena = false, bound, resident, kept: keptNames = [] } = options;
  if (device === "cpu" && keptNames.length > 0) {
    throw new Error("compile: the CPU has no memory of its own to keep outputs in");
  }
  const graph = lower(device === "webgpu" ? forWebgpu(outputs) : outputs, bound);
  const session = await createSession(graph.bytes, { device, threads, arena, kept: keptNames });
  const inputs = graph.inputs.map((tensor) => {
    if (tensor.source.kind !== "input") throw new Error("compile: an input without a name");
    return { name: tensor.source.name, tensor };
  });
  const stay = new Set(resident?.names);
  const buffers = new Map<string, TensorData>();

  return {
    nodeCount: graph.nodeCount,
    inputNames: inputs.map(({ name }) => name),
    outputNames: Object.keys(outputs),
    async run(feeds, into = {}, kept = {}) {
      const given: Record<string, ort.Tensor> = {};
      for (const { name, tensor } of inputs) {
        const value = feeds[name];
        const stays = resident !== undefined && stay.has(name) && value instanceof Float32Array;
        given[name] = feedOf(name, tensor, stays ? await resident.memory.resident(value) : value);
      }
      const fetches: Record<string, ort.Tensor | null> = {};
      const results: Record<string, TensorData> = {};
      const strange = Object.keys(into).find((name) => !Object.hasOwn(outputs, name));
      if (strange !== undefined) throw new ShapeError(`run: there is no output "${strange}" to write`);
      for (const [name, tensor] of Object.entries(outputs)) {
        if (keptNames.includes(name)) {
          fetches[name] = null;
          continue;
        }
        let data = into[name] ?? buffers.get(name);
        if (data === undefined) buffers.set(name, (data = makeArray(tensor.dtype, sizeOf(tensor.shape))));
        else if (into[name] !== undefined) checkArray(`output "${name}"`, tensor, data);
        results[name] = data;
        // Beside outputs that stay, ONNX Runtime 1.30 leaves arrays given for the others unwritten.
        fetches[name] = keptNames.length > 0 ? null : toOrt(tensor, data);
      }
      const out = await session.run(given, fetches);
      if (keptNames.length > 0) {
        for (const [name, data] of Object.entries(results)) data.set(out[name]!.data as never);
        for (const name of keptNames) kept[name] = deviceTensor(out[name]!);
      }
      return results;
    },
    close: () => session.release(),
  };
}

/**
 * Makes sure that a device is there, before anything long is begun on it.
 *
 * @throws UnavailableError where it is not, with what to install.
 */
export async function requireDevice(device: Device): Promise<void> {
  if (device === "cpu") return;
  const program = await compile({ copy: input("value", [1]) }, { device });
  await program.close();
}
