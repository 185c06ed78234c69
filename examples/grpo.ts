/**
 * @file GRPO with the rewards of DIP-R1, the whole algorithm in one file, to be read from top to bottom.
 *
 * It borrows the engine (which samples tokens and computes gradients), the parser and the rewards; everything between, from
 * rewards to the loss, is written out here in plain code. It is the design's section 4.5 with its defaults, without the
 * library's options. A test (test/examples-grpo.test.ts) holds its numbers equal to the library's, src/rl/grpo.ts.
 *
 * The loss that the engine is asked to minimise, over all tokens t of all responses i:
 *
 *     L = sum w_t * ( -min(rho_t * A_t, clip(rho_t, 1 - 0.2, 1 + 0.2) * A_t) + beta * (exp(-d_t) - 1 + d_t) )
 *     rho_t = exp(logp_t - logp_old_t)        how much likelier the token is now than when it was sampled
 *     d_t   = logp_t - logp_ref_t             how far the policy went from the reference
 *     w_t   = 1 / (response tokens in the batch)
 *
 * To run it on generated scenes:  node --import tsx examples/grpo.ts MODEL_FOLDER
 */
import { fileURLToPath } from "node:url";
import { deriveSeed, InputError } from "../src/base/index.js";
import { loadPixels } from "../src/datasets/image-file.js";
import { generateScene } from "../src/datasets/scenes/index.js";
import type { Datum, Engine, Prompt, Rollout } from "../src/engines/contract.js";
import { createLocalEngine } from "../src/engines/local/engine.js";
import { parseResponse, promptText, type ParsedResponse } from "../src/response/index.js";
import {
  boxCredit,
  defaultRewardConfig,
  scoreGroup,
  truthFromSample,
  type RewardTruth,
} from "../src/rewards/index.js";

/** The numbers of a run, as the design has them. */
export const defaults = {
  seed: 1,
  steps: 10,
  imagesPerStep: 8,
  groupSize: 8, // responses an image
  maxTokens: 256,
  temperature: 1,
  iterations: 1, // optimiser steps a batch; with more, the ratio leaves 1 and the clip holds it
  clip: 0.2,
  beta: 0.04, // weight of the KL to the reference
  boxMix: 0, // 0: every token of a response has its advantage; 0.7: tokens of a box lean on the box's own worth
  learningRate: 2e-5,
  maxGradNorm: 1,
  rewards: defaultRewardConfig,
};
export type Hyperparameters = typeof defaults;

/** An image as the model meets it: the prompt, and what there is to find, in the frame of the answers. */
export interface Task {
  readonly prompt: Prompt;
  readonly truth: RewardTruth;
}

/** Tokens to text. */
export interface Text {
  readonly endTokens: readonly number[];
  decode(tokens: Int32Array): string;
  /** Where each token stands in the text. */
  spans(tokens: Int32Array): readonly { readonly start: number; readonly end: number }[];
}

/** What a step tells. */
export interface Step {
  readonly step: number;
  readonly reward: number;
  readonly f1: number;
  readonly advantages: readonly (readonly number[])[];
  readonly loss: number;
  /** Nats a token. */
  readonly kl: number;
  readonly clipShare: number;
  readonly gradNorm: number;
}

/**
 * Trains the engine's weights.
 *
 * @param task The image at a position in an endless row of them.
 */
export async function* grpo(
  engine: Engine,
  task: (index: number) => Promise<Task> | Task,
  text: Text,
  hyper: Hyperparameters,
): AsyncGenerator<Step> {
  // The weights the run began with. The policy is kept near them.
  const reference = await engine.reference();

  for (let step = 0; step < hyper.steps; step++) {
    // ---- 1. Images, and a group of responses to each, from a snapshot of the policy.
    const tasks: Task[] = [];
    for (let i = 0; i < hyper.imagesPerStep; i++) tasks.push(await task(step * hyper.imagesPerStep + i));
    const sampler = await engine.sampler();
    const groups: Rollout[][] = await sampler.sampleBatch(
      tasks.map(({ prompt }) => prompt),
      tasks.map((_, i) => ({
        n: hyper.groupSize,
        maxTokens: hyper.maxTokens,
        temperature: hyper.temperature,
        seed: deriveSeed(hyper.seed, "rollout", step, i),
        stop: text.endTokens,
      })),
    );
    await sampler.close();

    // ---- 2. What the responses say, and what they earn: format, look and accuracy. The look reward needs the whole
    //         group: it pays for looking where the answers of the group disagree.
    const advantages: number[][] = [];
    const tokenAdvantages: Float32Array[][] = [];
    let rewardSum = 0;
    let [hits, said, there] = [0, 0, 0];
    for (const [i, { truth }] of tasks.entries()) {
      const bodies = groups[i]!.map(({ tokens }) => withoutEnd(tokens, text.endTokens));
      const responses = bodies.map((body) => parseResponse(text.decode(body), truth.size));
      const scores = scoreGroup(truth, responses, hyper.rewards).responses;
      const rewards = scores.map(({ total }) => total);
      for (const score of scores) {
        rewardSum += score.total;
        hits += score.truePositives;
        said += score.predictions;
        there += truth.objects.length;
      }

      // ---- 3. Advantages: how much better than its own group a response did. No critic is needed.
      const mean = rewards.reduce((a, b) => a + b, 0) / rewards.length;
      const std = Math.sqrt(rewards.reduce((sum, r) => sum + (r - mean) ** 2, 0) / (rewards.length - 1));
      // Equal rewards leave a spread of rounding errors, which must not become advantages.
      const group = rewards.map((r) => (std <= 1e-8 ? 0 : (r - mean) / (std + 1e-4)));
      advantages.push(group);

      // ---- 4. One advantage a token. With credit by box, a good box in a bad response is still praised.
      tokenAdvantages.push(creditTokens(groups[i]!, bodies, responses, group, truth, text, hyper));
    }

    // ---- 5. What the reference thinks of the same tokens.
    const flat = groups.flatMap((rollouts, i) =>
      rollouts.map((rollout, j) => ({
        ...rollout,
        prompt: tasks[i]!.prompt,
        advantages: tokenAdvantages[i]![j]!,
      })),
    );
    const referenceLogprobs = await reference.logprobsBatch(flat, hyper.temperature);

    // ---- 6. Gradient steps on the clipped loss. Every response token of the batch weighs the same.
    const tokenCount = flat.reduce((sum, { tokens }) => sum + tokens.length, 0);
    const batch = flat.map(({ prompt, tokens, logprobs, advantages }, k): Datum => ({
      prompt,
      tokens,
      weights: new Float32Array(tokens.length).fill(1 / tokenCount),
      advantages,
      oldLogprobs: logprobs,
      referenceLogprobs: referenceLogprobs[k]!,
    }));
    let [loss, gradNorm, kl, clipped] = [0, 0, 0, 0];
    for (let iteration = 0; iteration < hyper.iterations; iteration++) {
      const report = await engine.forwardBackward(batch, {
        kind: "policy",
        clipLow: hyper.clip,
        clipHigh: hyper.clip,
        klBeta: hyper.beta,
        klEstimator: "k3",
        temperature: hyper.temperature,
      });
      const stepped = await engine.optimStep({
        learningRate: hyper.learningRate,
        maxGradNorm: hyper.maxGradNorm,
      });
      loss += report.loss / hyper.iterations;
      gradNorm += stepped.gradNorm / hyper.iterations;

      // What happened at each token, for the eye.
      batch.forEach((datum, k) => {
        report.logprobs[k]!.forEach((logprob, t) => {
          const ratio = Math.exp(logprob - datum.oldLogprobs![t]!);
          const advantage = datum.advantages![t]!;
          const d = logprob - datum.referenceLogprobs![t]!;
          kl += (Math.exp(-d) - 1 + d) / (tokenCount * hyper.iterations);
          // The clip stops a token that already moved far the way its advantage pulls.
          if ((advantage > 0 && ratio > 1 + hyper.clip) || (advantage < 0 && ratio < 1 - hyper.clip))
            clipped++;
        });
      });
    }
    yield {
      step: step + 1,
      reward: rewardSum / flat.length,
      f1: (2 * hits) / (said + there),
      advantages,
      loss,
      kl,
      clipShare: clipped / (tokenCount * hyper.iterations),
      gradNorm,
    };
  }
  await reference.close();
}

/** The tokens of a response without its end token. */
function withoutEnd(tokens: Int32Array, endTokens: readonly number[]): Int32Array {
  return endTokens.includes(tokens.at(-1) ?? -1) ? tokens.subarray(0, -1) : tokens;
}

/**
 * A token's advantage is its response's. With `boxMix` c > 0, the tokens that spell an answer box have
 * (1 - c) * A + c * z instead: z is what that box added to its response's accuracy, standardised over all boxes of the group.
 */
function creditTokens(
  rollouts: readonly Rollout[],
  bodies: readonly Int32Array[],
  responses: readonly ParsedResponse[],
  advantages: readonly number[],
  truth: RewardTruth,
  text: Text,
  { boxMix, rewards }: Hyperparameters,
): Float32Array[] {
  const perToken = rollouts.map(({ tokens }, j) => new Float32Array(tokens.length).fill(advantages[j]!));
  if (boxMix === 0) return perToken;
  const credits = boxCredit(truth, responses, rewards.accuracy);
  responses.forEach((response, j) => {
    const spans = text.spans(bodies[j]!);
    response.answer?.boxes.forEach(({ start, end }, b) => {
      spans.forEach((span, t) => {
        if (span.end <= start || span.start >= end) return;
        perToken[j]![t] = (1 - boxMix) * advantages[j]! + boxMix * credits[j]![b]!.z;
      });
    });
  });
  return perToken;
}

/** Ten steps on generated scenes, from a Qwen2.5-VL checkpoint that can already write the format. */
async function main(modelDir: string | undefined): Promise<void> {
  if (modelDir === undefined) throw new InputError("usage: examples/grpo.ts MODEL_FOLDER");
  const engine = await createLocalEngine({ modelDir });
  const { encodePrompt, tokenizer } = engine.processor;
  const question = promptText("dip-r1-short", ["person"]);
  const task = async (index: number): Promise<Task> => {
    const sample = generateScene({ seed: 1, index, width: 112, height: 112 });
    const chunks = encodePrompt({ text: question, images: [await loadPixels(sample)] });
    // The model sees the picture resized, and answers in pixels of that.
    const { image } = chunks.find((chunk) => chunk.kind === "image")!;
    return { prompt: { chunks }, truth: truthFromSample(sample, { frame: "model", modelSize: image }) };
  };
  const text: Text = {
    endTokens: [tokenizer.requireId("<|im_end|>")],
    decode: (tokens) => tokenizer.decode(tokens),
    spans: (tokens) => tokenizer.tokenSpans(tokens),
  };
  for await (const { step, reward, f1, kl } of grpo(engine, task, text, defaults)) {
    console.log(`step ${step}  reward ${reward.toFixed(3)}  F1 ${f1.toFixed(3)}  KL ${kl.toFixed(4)}`);
  }
  await engine.close();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(process.argv[2]);
