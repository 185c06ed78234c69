/**
 * @file GRPO on text, through the public API: the reward of a response is the share of even token ids. Run as a program it
 * trains with a checkpoint after each step, until it is killed: `text-task.ts URL FOLDER`.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createRng, deriveSeed } from "../../src/base/index.js";
import { createTinkerEngine, type TinkerEngine } from "../../src/engines/tinker/index.js";
import { groupAdvantages, grpoDefaults, type GrpoConfig } from "../../src/rl/index.js";
import { updatePolicy } from "../../src/rl/policy-update.js";
import { stopwatch } from "../../src/rl/stopwatch.js";
import { defaultRewardConfig } from "../../src/rewards/index.js";

const GROUP = 16;
/** An engine for the task. */
export async function connectText(url: string): Promise<TinkerEngine> {
  return createTinkerEngine({ baseUrl: url, rank: 8, seed: 7, contextLength: 64, heartbeatMs: 2000 });
}

const config: GrpoConfig = {
  ...grpoDefaults,
  seed: 11,
  steps: 12,
  groupSize: GROUP,
  imagesPerStep: 1,
  sampling: { temperature: 1, maxTokens: 16 },
  rewards: defaultRewardConfig,
  kl: { beta: 0, estimator: "k3", placement: "reward" },
  optimizer: { learningRate: 0.02 },
};

/** What a step came to. */
export interface TextStep {
  readonly step: number;
  readonly reward: number;
  readonly loss: number;
  /** Between sampler and trainer, the largest, nats. */
  readonly maxGap: number;
}

/** Steps `from` (counted from 0) to `to`; the engine holds the weights of `from`. */
export async function* textSteps(engine: TinkerEngine, from: number, to: number): AsyncGenerator<TextStep> {
  for (let step = from; step < to; step++) {
    const rng = createRng(deriveSeed(config.seed, "prompt", step));
    const prompt = {
      chunks: [{ kind: "text" as const, tokens: Int32Array.from({ length: 8 }, () => rng.int(10, 400)) }],
    };
    const sampler = await engine.sampler();
    const rollouts = await sampler.sample(prompt, {
      ...config.sampling,
      n: GROUP,
      seed: deriveSeed(config.seed, "rollout", step),
      stop: [2],
    });
    const rewards = rollouts.map(({ tokens }) => tokens.filter((id) => id % 2 === 0).length / tokens.length);
    const { advantages } = groupAdvantages([rewards], { kind: "group" });
    const report = await updatePolicy(
      engine,
      [
        rollouts.map(({ tokens, logprobs }, i) => ({
          prompt,
          tokens,
          advantages: new Float32Array(tokens.length).fill(advantages[0]![i]!),
          sampledLogprobs: logprobs,
          oldLogprobs: logprobs,
          masked: false,
        })),
      ],
      config,
      { step, adam: config.optimizer },
      stopwatch(["train", "optim"], () => performance.now()),
    );
    yield {
      step: step + 1,
      reward: rewards.reduce((a, b) => a + b, 0) / rewards.length,
      loss: report.loss,
      maxGap: report.agreement.maxGap,
    };
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , url, folder] = process.argv;
  const engine = await connectText(url!);
  for await (const one of textSteps(engine, 0, config.steps)) {
    const path = join(folder!, `step-${one.step}`);
    mkdirSync(path, { recursive: true });
    await engine.save(path);
    writeFileSync(join(folder!, `done-${one.step}.json`), JSON.stringify(one));
  }
}
