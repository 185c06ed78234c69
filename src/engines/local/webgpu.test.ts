/** The whole engine on WebGPU: the same goldens as on the CPU, to 1e-4, and the values that stay on the device. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fixture } from "../../../test/qwen-fixture.js";
import { expectBelow, floats } from "../../../test/support/golden-batch.js";
import { goldenSuite } from "../../../test/support/golden-suite.js";
import { missingAdapter } from "../../../test/support/webgpu-adapter.js";
import { box } from "../../geometry/box.js";
import type { Datum } from "../contract.js";
import { createLocalEngine, openLocalModel } from "./engine.js";

const missing = await missingAdapter();
if (missing !== undefined) console.warn(`SKIPPED: the engine on WebGPU: ${missing}`);

describe.skipIf(missing !== undefined)(`the local engine on WebGPU equals Hugging Face`, () => {
  const golden = goldenSuite("webgpu", {
    logprob: 1e-4,
    loss: 1e-4,
    gradient: 1e-4,
    movedElsewhere: 0.02,
    // The optimiser runs on the CPU, whatever the device; that its weights get to the device is a test of its own.
    adamw: false,
  });

  it("samples the CPU's tokens while rows finish at different times and the cache is closed up", async () => {
    const prompts = golden().data.map(({ prompt }) => prompt);
    const params = [3, 14, 6].map((maxTokens, i) => ({
      n: 2,
      maxTokens,
      temperature: 0.9,
      topP: 0.95,
      seed: i,
      stop: [],
    }));
    const cpu = await openLocalModel({ modelDir: fixture("model") });
    const expected = await cpu.sampler.sampleBatch(prompts, params);
    const ours = await golden().model.sampler.sampleBatch(prompts, params);
    expect(ours.map((group) => group.map(({ tokens }) => tokens))).toEqual(
      expected.map((group) => group.map(({ tokens }) => tokens)),
    );
    await cpu.close();
  });

  it("trains with the weights of the last step: what lies on the device follows optimStep and load", async () => {
    const data = golden().data.slice(0, 1);
    const folder = await mkdtemp(join(tmpdir(), "dip-webgpu-"));
    const losses: Record<string, number[]> = {};
    for (const device of ["cpu", "webgpu"] as const) {
      const engine = await createLocalEngine({ modelDir: fixture("model"), device });
      const measured = (losses[device] = [] as number[]);
      const pass = async () => {
        const { loss } = await engine.forwardBackward(data, { kind: "crossEntropy" });
        measured.push(loss);
      };
      await pass();
      const start = await engine.save(join(folder, device));
      await engine.optimStep({ learningRate: 1e-3, weightDecay: 0, maxGradNorm: 1 });
      const sampler = await engine.sampler();
      const [row] = await sampler.logprobsBatch(data);
      measured.push(-row!.reduce((a, b, t) => a + b * data[0]!.weights[t]!, 0));
      await sampler.close();
      await pass();
      await engine.load(start);
      await pass();
      await engine.close();
    }
    await rm(folder, { recursive: true });
    losses.cpu!.forEach((loss, i) => expect(Math.abs(losses.webgpu![i]! - loss)).toBeLessThan(1e-4));
    const [first, sampled, second, loaded] = losses.webgpu!;
    expect(second).toBeLessThan(first! - 0.01);
    expect(Math.abs(sampled! - second!)).toBeLessThan(1e-4);
    expect(Math.abs(loaded! - first!)).toBeLessThan(1e-4);
  });

  it("agrees with the CPU on a policy step with KL, two responses to one prompt, and pretraining's head", async () => {
    const { data, text } = golden();
    const { prompt, tokens } = data[0]!;
    const logprobs = floats(text, "a.completion_logprobs");
    const batch = [tokens.length, tokens.length - 5].map((length, row): Datum => {
      const near = (step: number) =>
        logprobs.slice(0, length).map((value, t) => value + 0.3 * Math.sin(step + t));
      return {
        prompt,
        tokens: tokens.slice(0, length),
        weights: new Float32Array(length).fill(0.02),
        advantages: Float32Array.from({ length }, (_, t) => (row === 0 ? 1 : -0.7) + 0.1 * t),
        oldLogprobs: near(row),
        referenceLogprobs: near(row + 2),
      };
    });
    const loss = {
      kind: "policy",
      clipLow: 0.2,
      clipHigh: 0.2,
      klBeta: 0.04,
      klEstimator: "k3",
      temperature: 0.9,
    } as const;
    const image = prompt.chunks.flatMap((chunk) => (chunk.kind === "image" ? [chunk.image] : []))[0]!;
    const dense = { instances: new Map([[image, [box<"model">(10, 12, 50, 70)]]]), weight: 0.5 };
    const steps = await Promise.all(
      (["cpu", "webgpu"] as const).map(async (device) => {
        const engine = await createLocalEngine({ modelDir: fixture("model"), device, denseHead: true });
        const numbers: number[] = [];
        for (let step = 0; step < 2; step++) {
          const report = await engine.forwardBackward(batch, loss, dense);
          const { gradNorm } = await engine.optimStep({ learningRate: 1e-3, weightDecay: 0, maxGradNorm: 1 });
          numbers.push(
            report.loss,
            report.denseLoss!,
            gradNorm,
            ...report.logprobs.flatMap((row) => [...row]),
          );
        }
        await engine.close();
        return numbers;
      }),
    );
    const [cpu, webgpu] = steps as [number[], number[]];
    expect(webgpu).toHaveLength(cpu.length);
    expectBelow(
      1e-4,
      cpu.map((value, i) => [`${i}`, Math.abs(webgpu[i]! - value) / Math.max(1, Math.abs(value))]),
    );
  });
});
