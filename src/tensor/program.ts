/** @file A graph compiled by ONNX Runtime, with buffers of its own for what it gives back. */
import * as ort from "onnxruntime-node";
import { ShapeError, UnavailableError, toError } from "../base/errors.js";
import { lower } from "./onnx/lower.js";
import { sizeOf, type DType, type Tensor, type TensorData } from "./tensor.js";

/** Where graphs run: `webgpu` is any vendor's GPU through Dawn, in ONNX Runtime's own library. */
export type Device = "cpu" | "webgpu";

export interface ProgramOptions {
  /** @default "cpu" */
  readonly device?: Device;
  /** Values of inputs that never change; see {@link lower}. */
  readonly bound?: ReadonlyMap<string, Float32Array>;
  /** Threads an operator may use; 0 = one a physical core. @default 0 */
  readonly threads?: number;
}

/** Values by name. */
export type Values = Readonly<Record<string, TensorData>>;

/** A compiled graph. Its outputs live in buffers that the next run overwrites: copy what must outlive it. */
export interface Program {
  readonly nodeCount: number;
  readonly inputNames: readonly string[];
  /**
   * @param feeds an array for each input. A feed that shares its memory with an `into` buffer is updated in place.
   * @param into arrays that outputs are to be written to, instead of the program's own.
   */
  run(feeds: Values, into?: Values): Promise<Record<string, TensorData>>;
  close(): Promise<void>;
}

const ARRAY = { float32: Float32Array, int32: Int32Array, int64: BigInt64Array, bool: Uint8Array } as const;

function makeArray(dtype: DType, size: number): TensorData {
  return new ARRAY[dtype](size);
}

function toOrt(tensor: Tensor, data: TensorData): ort.Tensor {
  return new ort.Tensor(tensor.dtype, data as Float32Array, tensor.shape);
}

const NO_ADAPTER = /adapter|webgpu|dawn|vulkan/i;

async function createSession(
  bytes: Uint8Array,
  device: Device,
  threads: number,
): Promise<ort.InferenceSession> {
  try {
    return await ort.InferenceSession.create(bytes, {
      executionProviders: device === "webgpu" ? ["webgpu", "cpu"] : ["cpu"],
      intraOpNumThreads: threads,
      graphOptimizationLevel: "all",
      // An arena a session would hold the memory of the largest run of every graph; malloc lets them share it.
      enableCpuMemArena: false,
      enableMemPattern: false,
      // Nodes that a provider hands back to the CPU are by design (index arithmetic), not news for every session.
      logSeverityLevel: 3,
    });
  } catch (thrown) {
    const error = toError(thrown);
    if (device === "webgpu" && NO_ADAPTER.test(error.message)) {
      throw new UnavailableError(`device webgpu: no GPU adapter could be opened (${error.message})`, {
        hint: "Install a Vulkan driver for your GPU (Debian: mesa-vulkan-drivers, or the vendor's), or use device: cpu. To try it without a GPU, install chromium and set VK_ICD_FILENAMES=/usr/lib/chromium/vk_swiftshader_icd.json.",
        cause: error,
      });
    }
    throw error;
  }
}

/** Lowers and compiles what computes `outputs`. */
export async function compile(
  outputs: Readonly<Record<string, Tensor>>,
  options: ProgramOptions = {},
): Promise<Program> {
  const { device = "cpu", threads = 0, bound } = options;
  const graph = lower(outputs, bound);
  const session = await createSession(graph.bytes, device, threads);
  const inputs = graph.inputs.map((tensor) => {
    if (tensor.source.kind !== "input") throw new Error("compile: an input without a name");
    return { name: tensor.source.name, tensor };
  });
  const buffers = new Map<string, TensorData>();

  const feedOf = (name: string, tensor: Tensor, feeds: Values): ort.Tensor => {
    const data = feeds[name];
    if (data === undefined) throw new ShapeError(`run: input "${name}" was not given`);
    if (!(data instanceof ARRAY[tensor.dtype]) || data.length !== sizeOf(tensor.shape)) {
      throw new ShapeError(
        `run: input "${name}" wants ${sizeOf(tensor.shape)} of ${tensor.dtype}, got ${data.length} in a ${data.constructor.name}`,
      );
    }
    return toOrt(tensor, data);
  };

  return {
    nodeCount: graph.nodeCount,
    inputNames: inputs.map(({ name }) => name),
    async run(feeds, into = {}) {
      const given: Record<string, ort.Tensor> = {};
      for (const { name, tensor } of inputs) given[name] = feedOf(name, tensor, feeds);
      const fetches: Record<string, ort.Tensor> = {};
      const results: Record<string, TensorData> = {};
      for (const [name, tensor] of Object.entries(outputs)) {
        let data = into[name] ?? buffers.get(name);
        if (data === undefined) buffers.set(name, (data = makeArray(tensor.dtype, sizeOf(tensor.shape))));
        results[name] = data;
        fetches[name] = toOrt(tensor, data);
      }
      await session.run(given, fetches);
      return results;
    },
    close: () => session.release(),
  };
}
