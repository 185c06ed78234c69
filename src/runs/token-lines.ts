/**
 * @file The lines of tokens.jsonl: every token of the responses of some steps, for who wants to see how sure the policy was of
 * each and what it was paid for it. Not of all steps: a token takes about twenty bytes.
 */
import type { GrpoStep, TokenRecord } from "../rl/index.js";
import type { StepLine } from "./run-folder.js";

/** A line of tokens.jsonl; log-probabilities and advantages to three decimals. */
export interface TokenLine extends StepLine, TokenRecord {
  readonly sample: string;
  /** Place in its group, from 0: the response of rollouts.jsonl with the same step, sample and index. */
  readonly index: number;
}

/** Whether the tokens of this step (counted from 1) are kept: the first step's, and each `every`-th's; 0 = none. */
export function keepsTokens(step: number, every: number): boolean {
  return every > 0 && (step === 1 || step % every === 0);
}

const inThousandths = (values: readonly number[]): number[] =>
  values.map((value) => Math.round(value * 1000) / 1000);

/** Every response of a step, group by group. */
export function* tokenLines({ step, groups }: Pick<GrpoStep, "step" | "groups">): Generator<TokenLine> {
  for (const { sampleId, responses } of groups)
    for (const [index, { perToken }] of responses.entries())
      yield {
        step,
        sample: sampleId,
        index,
        ends: perToken.ends,
        logprobs: inThousandths(perToken.logprobs),
        ...(perToken.referenceLogprobs && {
          referenceLogprobs: inThousandths(perToken.referenceLogprobs),
        }),
        advantages: inThousandths(perToken.advantages),
      };
}
