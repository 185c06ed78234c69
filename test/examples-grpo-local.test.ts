/** @file The example and the library on the embedded engine: the same numbers from a real, tiny Qwen2.5-VL. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { grpo as example, type Hyperparameters, type Step } from "../examples/grpo.js";
import { generateScene } from "../src/datasets/scenes/index.js";
import type { Checkpoint } from "../src/engines/contract.js";
import { createLocalEngine, type LocalEngine } from "../src/engines/local/engine.js";
import { defaultRewardConfig } from "../src/rewards/index.js";
import {
  generatedSource,
  grpo,
  grpoDefaults,
  qwenCodec,
  qwenEncoder,
  qwenTeacher,
  sft,
  type GrpoStep,
} from "../src/rl/index.js";

const modelDir = fileURLToPath(new URL("fixtures/qwen2_5_vl/model", import.meta.url));
const labels = ["person"];
const scene = (index: number) =>
  generateScene({ seed: 1, index: index % 4, width: 56, height: 56, people: { min: 1, max: 2 } });
const source = generatedSource(scene);

const hyper: Hyperparameters = {
  seed: 2,
  steps: 3,
  imagesPerStep: 2,
  groupSize: 4,
  maxTokens: 80,
  temperature: 1,
  iterations: 2,
  clip: 0.2,
  beta: 0.04,
  boxMix: 0.7,
  learningRate: 1e-3,
  maxGradNorm: 1,
  rewards: defaultRewardConfig,
};

let folder: string;
let checkpoint: Checkpoint;
const engines: LocalEngine[] = [];

/** An engine on the checkpoint that knows a little of the task. */
async function trained(): Promise<LocalEngine> {
  const engine = await createLocalEngine({ modelDir });
  engines.push(engine);
  await engine.load(checkpoint);
  return engine;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dip-r1-example-"));
  const engine = await createLocalEngine({ modelDir });
  engines.push(engine);
  // Just enough teaching that responses can be read and still differ.
  const steps = sft({
    engine,
    source,
    encode: qwenEncoder(engine.processor, { prompt: "dip-r1-short", labels }),
    teach: qwenTeacher({ labels, style: "arrays" }),
    codec: qwenCodec(engine.processor),
    config: { steps: 16, batchSize: 4, optimizer: { learningRate: 1e-2, maxGradNorm: 1 } },
  });
  for await (const _ of steps);
  checkpoint = await engine.save(join(folder, "taught"));
});

afterAll(async () => {
  for (const engine of engines) await engine.close();
  await rm(folder, { recursive: true });
});

describe("examples/grpo.ts on the embedded engine", () => {
  it("has the library's numbers over 3 steps", async () => {
    const [ours, theirs] = [await trained(), await trained()];
    const codec = qwenCodec(ours.processor);
    const encode = qwenEncoder(ours.processor, { prompt: "dip-r1-short", labels });
    const steps: Step[] = [];
    for await (const step of example(ours, async (index) => encode(scene(index)), codec, hyper))
      steps.push(step);
    const { boxMix, ...numbers } = hyper;
    const library = grpo({
      engine: theirs,
      source,
      encode,
      codec,
      config: {
        ...grpoDefaults,
        ...numbers,
        clip: { low: hyper.clip, high: hyper.clip },
        sampling: { temperature: hyper.temperature, maxTokens: hyper.maxTokens },
        credit: { kind: "box", mix: boxMix },
        optimizer: { learningRate: hyper.learningRate, maxGradNorm: hyper.maxGradNorm },
      },
    });
    const expected: GrpoStep[] = [];
    for await (const step of library) expected.push(step);

    expect(steps).toHaveLength(3);
    steps.forEach((step, i) => {
      const { metrics, groups } = expected[i]!;
      expect(step.advantages).toEqual(
        groups.map((group) => group.responses.map(({ advantage }) => advantage)),
      );
      expect(step.reward).toBeCloseTo(metrics.reward.mean, 9);
      expect(step.f1).toBeCloseTo(metrics.f1, 9);
      expect(step.loss).toBeCloseTo(metrics.loss, 5);
      expect(step.kl).toBeCloseTo(metrics.kl, 5);
      expect(step.clipShare).toBeCloseTo(metrics.clipShare, 5);
      expect(step.gradNorm / metrics.gradNorm).toBeCloseTo(1, 4);
    });
    // The responses could be read, they differed, and sampler and trainer agreed about them.
    expect(expected.some(({ metrics }) => metrics.zeroStdShare < 1 && metrics.accuracy.std > 0)).toBe(true);
    for (const { metrics } of expected) expect(metrics.maxLogprobGap).toBeLessThan(1e-4);
  });
});
