/**
 * @file Values that stay in a GPU's memory between runs: weights, uploaded once an update, and caches. ONNX Runtime's
 * Node binding can neither make nor read a GPU buffer itself, but a graph's output may be one: so a graph of nothing
 * but a copy uploads, and another one downloads.
 */
import type { DeviceMemory, DeviceTensor } from "./device-tensor.js";
import { compile, type Program } from "./program.js";
import type { Device } from "./session.js";
import { input, sizeOf, type Shape } from "./tensor.js";

/** Memory of a device; `undefined` for the CPU, whose graphs read the host's arrays where they lie. */
export function createDeviceMemory(device: Device): DeviceMemory | undefined {
  if (device === "cpu") return undefined;
  /** By array: a copy goes when its array does. */
  let copies = new WeakMap<Float32Array, Promise<DeviceTensor>>();
  const programs = new Map<string, Promise<Program>>();
  const copier = (way: "up" | "down", shape: Shape) => {
    const key = `${way} ${shape.join("x")}`;
    let program = programs.get(key);
    if (program === undefined) {
      program = compile({ copy: input("value", shape) }, { device, kept: way === "up" ? ["copy"] : [] });
      programs.set(key, program);
    }
    return program;
  };
  async function upload(array: Float32Array): Promise<DeviceTensor> {
    const kept: Record<string, DeviceTensor> = {};
    await (await copier("up", [array.length])).run({ value: array }, {}, kept);
    return kept.copy!;
  }
  return {
    resident(array) {
      let copy = copies.get(array);
      if (copy === undefined) copies.set(array, (copy = upload(array)));
      return copy;
    },
    changed(arrays) {
      for (const array of arrays) {
        void copies.get(array)?.then((copy) => copy.dispose());
        copies.delete(array);
      }
    },
    async download(value, target) {
      if (target.length !== sizeOf(value.shape)) throw new Error("download: the target has another size");
      await (await copier("down", value.shape)).run({ value }, { copy: target });
    },
    async close() {
      copies = new WeakMap();
      const open = [...programs.values()];
      programs.clear();
      await Promise.all(open.map(async (program) => (await program).close()));
    },
  };
}
