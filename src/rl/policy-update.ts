/** @file Second half of a GRPO step: the optimiser steps on a batch of rollouts. */
import { DipError } from "../base/errors.js";
import { createRng, deriveSeed, shuffled } from "../base/rng.js";
import type { AdamParams, Datum, Engine, Prompt } from "../engines/contract.js";
import { tokenWeights } from "./aggregation.js";
import { addAgreement, agreement, noAgreementSums, type Agreement } from "./agreement.js";
import { policyLossOf, type GrpoConfig } from "./grpo-config.js";
import { chunked, microbatches } from "./microbatches.js";
import { addPolicySums, noPolicySums, policyStats, policySums, type PolicyStats } from "./policy-stats.js";
import type { Stopwatch } from "./stopwatch.js";

/** One response as the trainer sees it. All arrays have its length. */
export interface Trajectory {
  readonly prompt: Prompt;
  readonly tokens: Int32Array;
  readonly advantages: Float32Array;
  /** As the sampler gave them. */
  readonly sampledLogprobs: Float32Array;
  /** logp_old of the ratio. */
  readonly oldLogprobs: Float32Array;
  readonly referenceLogprobs?: Float32Array;
  /** Not to be learned from. */
  readonly masked: boolean;
}

/** What the optimiser steps of one batch tell. */
export interface UpdateReport extends PolicyStats {
  /** Mean over the optimiser steps. */
  readonly loss: number;
  /** Mean global gradient norm before clipping. */
  readonly gradNorm: number;
  readonly learningRate: number;
  readonly optimizerSteps: number;
  /** Between sampler and trainer, before the first of these steps moved the weights. */
  readonly agreement: Agreement;
}

/**
 * `iterations` passes over the groups, `minibatches` optimiser steps a pass. Responses that cannot move the policy (no
 * advantage and no KL, or masked) are not computed; where none is left there is no optimiser step.
 *
 * @throws DipError where a loss is not finite (before its gradient reaches the weights) or a gradient norm is not.
 */
export async function updatePolicy(
  engine: Engine,
  groups: readonly (readonly Trajectory[])[],
  config: GrpoConfig,
  { step, adam }: { readonly step: number; readonly adam: AdamParams },
  watch: Stopwatch<"train" | "optim">,
): Promise<UpdateReport> {
  const loss = policyLossOf(config);
  let sums = noPolicySums;
  let agreed = noAgreementSums;
  let [totalLoss, totalNorm, optimizerSteps, batches] = [0, 0, 0, 0];
  for (let iteration = 0; iteration < config.iterations; iteration++) {
    const minibatches = config.minibatches ?? 1;
    const order =
      minibatches === 1
        ? groups
        : shuffled(groups, createRng(deriveSeed(config.seed, "order", step, iteration)));
    for (const minibatch of chunked(order, minibatches)) {
      const batch = minibatch.flat();
      const weights = tokenWeights(
        batch.map(({ tokens }) => tokens.length),
        { kind: config.aggregation, maxTokens: config.sampling.maxTokens },
        batch.map(({ masked }) => masked),
      );
      const learning = batch
        .map((trajectory, i) => ({ ...trajectory, weights: weights[i]! }))
        .filter(
          ({ masked, advantages }) => !masked && (loss.klBeta !== 0 || advantages.some((a) => a !== 0)),
        );
      batches++;
      for (const piece of microbatches(learning, config.tokenBudget)) {
        const report = await watch.time("train", () => engine.forwardBackward(piece.map(toDatum), loss));
        finite(report.loss, "loss", step);
        totalLoss += report.loss;
        const seen = piece.map((trajectory, i) => ({ ...trajectory, logprobs: report.logprobs[i]! }));
        sums = addPolicySums(sums, policySums(seen, loss));
        if (optimizerSteps === 0) {
          for (const { sampledLogprobs, logprobs } of seen)
            agreed = addAgreement(agreed, sampledLogprobs, logprobs);
        }
      }
      if (learning.length === 0) continue;
      const report = await watch.time("optim", () => engine.optimStep(adam));
      totalNorm += finite(report.gradNorm, "gradient norm", step);
      optimizerSteps++;
    }
  }
  return {
    ...policyStats(sums),
    loss: totalLoss / batches,
    gradNorm: totalNorm / Math.max(1, optimizerSteps),
    learningRate: adam.learningRate,
    optimizerSteps,
    agreement: agreement(agreed),
  };
}

function toDatum(trajectory: Trajectory & { readonly weights: Float32Array }): Datum {
  const { prompt, tokens, weights, advantages, oldLogprobs, referenceLogprobs } = trajectory;
  return { prompt, tokens, weights, advantages, oldLogprobs, referenceLogprobs };
}

/** @throws DipError where the number is not finite. */
export function finite(value: number, what: string, step: number): number {
  if (Number.isFinite(value)) return value;
  throw new DipError(`The ${what} of step ${step + 1} is ${value}.`, {
    hint: "Go on from the last checkpoint with a lower learning rate, or with optimizer.maxGradNorm set.",
  });
}
