/** @file Opening ONNX Runtime sessions on a device, and saying plainly when the device is not there. */
import * as ort from "onnxruntime-node";
import { ShapeError, UnavailableError, toError } from "../base/errors.js";

/** Where graphs run: `webgpu` is any vendor's GPU through Dawn, in ONNX Runtime's own library. */
export type Device = "cpu" | "webgpu";

/** Options of {@link createSession}. */
export interface SessionOptions {
  readonly device: Device;
  /** Threads an operator may use on the CPU; 0 = one a physical core. */
  readonly threads: number;
  /** Whether the session keeps the memory of its largest run. */
  readonly arena?: boolean;
  /** Outputs that stay in the device's memory. */
  readonly kept?: readonly string[];
}

const HINT =
  "Install the Vulkan loader and a driver for your GPU (Debian: libvulkan1 with mesa-vulkan-drivers or the vendor's driver; macOS and Windows bring theirs), or use device: cpu. To try it without a GPU, install chromium and libvulkan1 and set VK_ICD_FILENAMES=/usr/lib/chromium/vk_swiftshader_icd.json.";

/** Opening the device failed, as against a graph that it cannot run. */
const NOT_THERE = /adapter|webgpu device|vulkan|backend not found|provider.*(not|un)|no available/i;
const LEFT_TO_CPU = /fallback to CPU EP has been explicitly disabled/;

/** ONNX Runtime's reason without the source line it came from. */
function reason({ message }: Error): string {
  return message
    .slice(message.lastIndexOf("was false. ") + 1)
    .replace(/^as false\. /, "")
    .trim();
}

/**
 * Compiles a model.
 *
 * @throws UnavailableError where `webgpu` was asked for and no adapter can be opened; ShapeError where the graph has
 *   an operator that the device cannot run. It never runs on another device than the one named.
 */
export async function createSession(
  bytes: Uint8Array,
  { device, threads, arena = false, kept = [] }: SessionOptions,
): Promise<ort.InferenceSession> {
  try {
    return await ort.InferenceSession.create(bytes, {
      executionProviders: [device],
      intraOpNumThreads: threads,
      graphOptimizationLevel: "all",
      // An arena a session would hold the memory of the largest run of every graph; without, malloc lets them share it.
      enableCpuMemArena: arena,
      enableMemPattern: false,
      logSeverityLevel: 3,
      extra: {
        session: {
          // Each graph has threads of its own: those of one that is done must not keep a core from the next.
          force_spinning_stop: "1",
          // Otherwise nodes without a GPU kernel would move to the CPU in silence, with copies around each.
          ...(device === "webgpu" && { disable_cpu_ep_fallback: "1" }),
        },
      },
      ...(device === "webgpu" && {
        // An error is thrown besides; the log would only repeat it.
        logSeverityLevel: 4 as const,
      }),
      ...(kept.length > 0 && {
        preferredOutputLocation: Object.fromEntries(kept.map((name) => [name, "gpu-buffer" as const])),
      }),
    });
  } catch (thrown) {
    const error = toError(thrown);
    if (device === "cpu") throw error;
    if (LEFT_TO_CPU.test(error.message)) {
      throw new ShapeError("compile: the graph has an operator that ONNX Runtime cannot run on WebGPU", {
        hint: "src/tensor/webgpu.ts builds such operators from others: it lacks a rule for this one.",
        cause: error,
      });
    }
    if (!NOT_THERE.test(error.message)) throw error;
    throw new UnavailableError(`device webgpu: no GPU adapter could be opened (${reason(error)})`, {
      hint: HINT,
      cause: error,
    });
  }
}
