/**
 * @file Counts every token that an engine is given and gives, so that a run can end at a budget. What a server bills is
 * counted as it bills: each response's prompt anew, and what is trained on or scored once a pass.
 */
import { promptLength } from "../engines/prompt-length.js";
import type { Engine, Prompt, Rollout, Sampler, SamplingParams } from "../engines/contract.js";

/** Tokens so far. */
export interface TokenCount {
  /** Prompts of responses that were drawn, once for each response. */
  readonly prompt: number;
  readonly response: number;
  /** Prompts and responses that were scored or trained on. */
  readonly trained: number;
}

/** A meter around an engine. */
export interface MeteredEngine {
  readonly engine: Engine;
  count(): TokenCount;
  /** All of them. */
  total(): number;
}

/** An engine that counts. @param before What was counted before, of a run that goes on */
export function meterEngine(
  engine: Engine,
  before: TokenCount = { prompt: 0, response: 0, trained: 0 },
): MeteredEngine {
  const count = { ...before };
  const drawn = (prompt: Prompt, rollouts: readonly Rollout[]): void => {
    count.prompt += rollouts.length * promptLength(prompt);
    for (const { tokens } of rollouts) count.response += tokens.length;
  };
  const scored = (prompt: Prompt, tokens: Int32Array): void => {
    count.trained += promptLength(prompt) + tokens.length;
  };
  const meter = (sampler: Sampler): Sampler => ({
    async sample(prompt: Prompt, params: SamplingParams) {
      const rollouts = await sampler.sample(prompt, params);
      drawn(prompt, rollouts);
      return rollouts;
    },
    async sampleBatch(prompts, params) {
      const all = await sampler.sampleBatch(prompts, params);
      for (const [i, rollouts] of all.entries()) drawn(prompts[i]!, rollouts);
      return all;
    },
    async logprobs(prompt, tokens, temperature) {
      scored(prompt, tokens);
      return sampler.logprobs(prompt, tokens, temperature);
    },
    async logprobsBatch(items, temperature) {
      for (const { prompt, tokens } of items) scored(prompt, tokens);
      return sampler.logprobsBatch(items, temperature);
    },
    close: () => sampler.close(),
  });
  return {
    engine: {
      capabilities: engine.capabilities,
      sampler: async () => meter(await engine.sampler()),
      reference: async () => meter(await engine.reference()),
      forwardBackward(batch, loss) {
        for (const { prompt, tokens } of batch) scored(prompt, tokens);
        return engine.forwardBackward(batch, loss);
      },
      optimStep: (params) => engine.optimStep(params),
      save: (path) => engine.save(path),
      load: (checkpoint) => engine.load(checkpoint),
      close: () => engine.close(),
    },
    count: () => ({ ...count }),
    total: () => count.prompt + count.response + count.trained,
  };
}
