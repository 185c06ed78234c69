/** @file The weights of a checkpoint on the server, to compare two of them byte by byte. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { TinkerClient } from "../../src/engines/tinker/index.js";
import { tinyModel, type SkyrlServer } from "./server.js";

const tar = (...args: readonly string[]): Buffer =>
  execFileSync("tar", args, { stdio: ["ignore", "pipe", "ignore"] });

/**
 * SHA-256 of the adapter (safetensors) that a step of a run left on the server. Training checkpoints themselves hold random
 * names; loaded into a model and saved for sampling, the same weights are the same bytes.
 */
export async function adapterHash(server: SkyrlServer, run: string, step: number): Promise<string> {
  const file = join(
    run,
    "checkpoints",
    `step-${String(step).padStart(6, "0")}`,
    "engine",
    "tinker-checkpoint.json",
  );
  const { path } = JSON.parse(readFileSync(file, "utf8")) as { readonly path: string };
  const client = await TinkerClient.connect({ baseUrl: server.url });
  try {
    const model = await client.loadModel(path, { baseModel: tinyModel, rank: 8 });
    await model.saveSamplerWeights("compared");
    await model.unload();
    const archive = join(server.checkpoints, model.id, "sampler_weights", "compared.tar.gz");
    const names = tar("-tzf", archive).toString().split("\n");
    const name = names.find((one) => one.endsWith("adapter_model.safetensors"));
    if (name === undefined) throw new Error(`${archive} holds ${names.join(", ")}`);
    return createHash("sha256")
      .update(tar("-xzOf", archive, name))
      .digest("hex");
  } finally {
    client.close();
  }
}
