/** @file The tinker engine against a real SkyRL server: `npm run test:skyrl`. */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TinkerClient } from "../../src/engines/tinker/index.js";
import { startSkyrl, tinyModel, type SkyrlServer } from "./server.js";
import { connectText, textSteps, type TextStep } from "./text-task.js";

const folder = mkdtempSync(join(tmpdir(), "skyrl-"));
let server: SkyrlServer;
let unbroken: TextStep[] = [];

beforeAll(async () => {
  server = await startSkyrl(join(folder, "server"));
});
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function collect(steps: AsyncIterable<TextStep>): Promise<TextStep[]> {
  const all: TextStep[] = [];
  for await (const one of steps) all.push(one);
  return all;
}

const outcome = ({ step, reward, loss }: TextStep) => ({ step, reward, loss: Number(loss.toFixed(5)) });

describe("SkyRL 0.4.0, JAX backend", () => {
  it("is found to be what its source says, and learns over 12 steps", async () => {
    const engine = await connectText(server.url);
    try {
      expect(engine.traits).toEqual({
        normalization: "mean",
        policyLoss: "ppo",
        promptLogprobs: true,
        images: false,
        isolatedSamplers: false,
        deduplicates: true,
        gradNorm: true,
      });
      unbroken = await collect(textSteps(engine, 0, 12));
      const mean = (steps: readonly TextStep[]) =>
        steps.reduce((sum, { reward }) => sum + reward, 0) / steps.length;
      console.log(`rewards: ${unbroken.map(({ reward }) => reward.toFixed(3)).join(" ")}`);
      expect(mean(unbroken.slice(-4))).toBeGreaterThan(mean(unbroken.slice(0, 4)) + 0.02);
      for (const { maxGap } of unbroken) expect(maxGap).toBeLessThan(1e-4);
      const reference = await engine.reference();
      const prompt = { chunks: [{ kind: "text" as const, tokens: Int32Array.of(1, 30, 40) }] };
      expect(await reference.logprobs(prompt, Int32Array.of(50, 60))).toHaveLength(2);
    } finally {
      await engine.close();
    }
  });

  it("goes on after its client was killed in the middle of a step, and after the server was", async () => {
    const run = join(folder, "run");
    const child = spawn(
      process.execPath,
      ["--import", "tsx", fileURLToPath(new URL("text-task.ts", import.meta.url)), server.url, run],
      { stdio: "inherit" },
    );
    const gone = new Promise((resolve) => child.on("exit", resolve));
    // Somewhere within the step after the second.
    while (!existsSync(join(run, "done-2.json"))) {
      if (child.exitCode !== null) throw new Error("the client ended by itself");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    child.kill("SIGKILL");
    await gone;

    const resumed = await connectText(server.url);
    await resumed.load({ path: join(run, "step-2"), step: 2 });
    const next = await collect(textSteps(resumed, 2, 4));
    expect(next.map(outcome)).toEqual(unbroken.slice(2, 4).map(outcome));
    await resumed.save(join(run, "step-4"));
    await server.kill();
    // Nobody listens; the patience of a run would be minutes.
    await expect(fetch(`${server.url}/api/v1/healthz`)).rejects.toThrow("fetch failed");

    server = await startSkyrl(join(folder, "server"));
    const later = await connectText(server.url);
    await later.load({ path: join(run, "step-4"), step: 4 });
    const last = await collect(textSteps(later, 4, 6));
    expect(last.map(outcome)).toEqual(unbroken.slice(4, 6).map(outcome));
    await later.close();
  });

  it("refuses with typed errors in its own words", async () => {
    const client = await TinkerClient.connect({ baseUrl: server.url });
    try {
      expect(client.models.map(({ name }) => name)).toEqual([tinyModel]);
      await expect(client.createModel({ baseModel: "other", rank: 8 })).rejects.toThrow("no model");
      await expect(client.createModel({ baseModel: tinyModel, rank: 64 })).rejects.toMatchObject({
        code: "failed",
      });
      const model = await client.createModel({ baseModel: tinyModel, rank: 8 });
      const tensor = (dtype: "int64" | "float32", data: Int32Array | Float32Array) => ({
        dtype,
        data,
        shape: [data.length],
      });
      const datum = {
        modelInput: [{ type: "encoded_text" as const, tokens: Int32Array.of(1, 30, 40) }],
        lossFnInputs: {
          target_tokens: tensor("int64", Int32Array.of(30, 40, 50)),
          logprobs: tensor("float32", new Float32Array(3)),
          advantages: tensor("float32", new Float32Array(3)),
        },
      };
      await expect(model.forwardBackward([datum], { name: "nonsense" })).rejects.toMatchObject({
        code: "refused",
        status: 422,
      });
      await expect(model.forwardBackward([datum], { name: "gspo" })).rejects.toMatchObject({
        code: "failed",
        status: 400,
      });
      const path = await model.saveWeights("twice");
      expect(await model.saveWeights("twice")).toBe(path);
      await expect(
        client.loadModel("tinker://model_none/weights/none", { baseModel: tinyModel, rank: 8 }),
      ).rejects.toMatchObject({ code: "not-found" });
      // The session opens; that its weights are not there shows when they are needed.
      const hollow = await client.sampler({ modelPath: "tinker://model_none/none" });
      await expect(
        hollow.sample([{ type: "encoded_text", tokens: Int32Array.of(1, 30) }], { maxTokens: 2, seed: 0 }),
      ).rejects.toMatchObject({ code: "not-found", status: 404 });
      await model.unload();
      await expect(model.forwardBackward([datum], { name: "ppo" })).rejects.toMatchObject({
        code: "model-gone",
      });
      await client.beat();
      expect(client.sessionState).toBe("alive");
    } finally {
      client.close();
    }
  });
});
