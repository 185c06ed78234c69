/** @file A WebGPU adapter for tests: SwiftShader where no driver was chosen, so that no graphics card is needed. */
import { existsSync } from "node:fs";
import { UnavailableError } from "../../src/base/errors.js";
import { requireDevice } from "../../src/tensor/index.js";

/** The driver that Debian's chromium package carries: Vulkan on the CPU. */
const SWIFTSHADER = "/usr/lib/chromium/vk_swiftshader_icd.json";
const INSTALL = "scripts/install-webgpu-test-driver.sh installs one that needs no graphics card";

/**
 * Undefined where an adapter can be opened in this process, else why not. To be called before anything else opens the
 * device: the Vulkan loader reads its environment then.
 *
 * @throws Error under CI, where tests that need an adapter must not be skipped.
 */
export async function missingAdapter(): Promise<string | undefined> {
  if (existsSync(SWIFTSHADER)) process.env.VK_ICD_FILENAMES ??= SWIFTSHADER;
  try {
    await requireDevice("webgpu");
    return undefined;
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    const why = `no WebGPU adapter here (${error.message}); ${INSTALL}`;
    if (process.env.CI === "true") throw new Error(why, { cause: error });
    return why;
  }
}
