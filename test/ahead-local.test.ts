/** @file Sampling ahead of training on the embedded engine: its calls overlap, and a resumed run is the unbroken one. */
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { createLocalEngine, type LocalEngine } from "../src/engines/index.js";
import { defaultRewardConfig } from "../src/rewards/index.js";
import {
  generatedSource,
  grpo,
  grpoDefaults,
  type GrpoConfig,
  type LoopState,
  type TextCodec,
} from "../src/rl/index.js";
import { fixture } from "./qwen-fixture.js";

const opened: LocalEngine[] = [];
afterEach(async () => {
  for (const engine of opened.splice(0)) await engine.close();
});
async function open(): Promise<LocalEngine> {
  const engine = await createLocalEngine({ modelDir: fixture("model") });
  opened.push(engine);
  return engine;
}

/** The k-th token of a response is a box: that of the k-th person where its id is even, else one of nobody. */
const corners = (k: number, hit: boolean) => [8 * k, hit ? 0 : 30, 8 * k + 6, hit ? 20 : 50] as const;
const codec: TextCodec = {
  endTokens: [],
  encode: () => new Int32Array(),
  decode: (tokens) =>
    `<think>some</think><look>[]</look><answer>[${Array.from(
      tokens,
      (id, k) => `[${corners(k, id % 2 === 0).join(",")}]`,
    ).join(",")}]</answer>`,
  spans: (tokens) => Array.from(tokens, () => ({ start: 0, end: 0 })),
};
const config: GrpoConfig = {
  ...grpoDefaults,
  seed: 2,
  steps: 4,
  imagesPerStep: 1,
  groupSize: 6,
  maxStaleness: 1,
  sampling: { temperature: 1, maxTokens: 6 },
  rewards: defaultRewardConfig,
  optimizer: { learningRate: 0.01 },
};

const steps = (engine: LocalEngine, state?: LoopState) =>
  grpo({
    engine,
    source: generatedSource((index) => ({ id: String(index), index })),
    encode: ({ index }) => ({
      prompt: { chunks: [{ kind: "text", tokens: Int32Array.of(10, 11, 12 + index) }] },
      truth: {
        size: { width: 64, height: 64 },
        objects: Array.from({ length: 6 }, (_, k) => {
          const [x1, y1, x2, y2] = corners(k, true);
          return { box: { x1, y1, x2, y2 }, label: "person" };
        }),
        ignore: [],
      },
    }),
    codec,
    config,
    state,
    clock: () => 0,
  });

/** The bytes of the weights of now. */
async function weightsOf(engine: LocalEngine): Promise<Buffer> {
  const folder = join(mkdtempSync(join(tmpdir(), "dip-ahead-")), "model");
  await engine.exportModel(folder);
  return readFileSync(join(folder, "model.safetensors"));
}

it("trains each batch on the weights of the step before, and resumes to the same bytes", async () => {
  const whole = await open();
  const expected = [];
  for await (const { ahead: _, ...step } of steps(whole)) expected.push(step);
  expect(expected.map(({ metrics }) => metrics.staleness)).toEqual([0, 1, 1, 1]);
  expect(expected[0]!.metrics.maxLogprobGap).toBeLessThan(1e-4);
  expect(Math.max(...expected.slice(1).map(({ metrics }) => metrics.logprobGap))).toBeGreaterThan(1e-3);

  const first = await open();
  const checkpoint = mkdtempSync(join(tmpdir(), "dip-ahead-"));
  let state: LoopState | undefined;
  for await (const step of steps(first)) {
    if (step.step < 2) continue;
    state = JSON.parse(JSON.stringify({ ...step.state, ahead: await step.ahead!() })) as LoopState;
    await first.save(checkpoint);
    break;
  }
  const resumed = await open();
  await resumed.load({ path: checkpoint, step: 2 });
  const rest = [];
  for await (const { ahead: _, ...step } of steps(resumed, state)) rest.push(step);
  expect(rest).toEqual(expected.slice(2));
  expect((await weightsOf(resumed)).equals(await weightsOf(whole))).toBe(true);
});
