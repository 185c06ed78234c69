/** Where no GPU adapter can be opened: said plainly, again at a second try, and never hidden by running elsewhere. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { packageRoot } from "../base/index.js";

/** Opens the device twice, on its own and under a graph; prints the errors, or the device's answer. */
const PROGRAM = `
import { compile, input, requireDevice } from "./src/tensor/index.ts";
const told = [];
for (const open of [
  () => requireDevice("webgpu"),
  () => compile({ y: input("x", [2]) }, { device: "webgpu" }),
]) {
  try { await open(); told.push("opened"); }
  catch ({ name, message, hint }) { told.push({ name, message, hint }); }
}
await requireDevice("cpu");
console.log(JSON.stringify(told));`;

describe("device webgpu without an adapter", () => {
  // The Vulkan loader reads its environment when it is first used, so this takes a process of its own. Other systems
  // find their adapters without Vulkan.
  it.skipIf(process.platform !== "linux")("throws UnavailableError that says what to install", async () => {
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--import", "tsx", "--input-type=module", "--eval", PROGRAM],
      {
        cwd: packageRoot,
        env: { ...process.env, VK_ICD_FILENAMES: "/no-such-driver.json", VK_DRIVER_FILES: "" },
      },
    );
    const told = JSON.parse(stdout) as { name: string; message: string; hint: string }[];
    expect(told).toHaveLength(2);
    for (const { name, message, hint } of told) {
      expect(name).toBe("UnavailableError");
      expect(message).toMatch(/^device webgpu: no GPU adapter could be opened \(.*adapter.*\)$/);
      expect(hint).toMatch(/libvulkan1.*device: cpu.*VK_ICD_FILENAMES/s);
    }
  });
});
