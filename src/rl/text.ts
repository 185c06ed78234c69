/** @file What the loops need of text and of samples: the bridge between tokens, prompts and ground truth, given by the caller. */
import type { Prompt, Rollout } from "../engines/contract.js";
import type { AnswerFrame } from "../geometry/profiles.js";
import type { RewardTruth } from "../rewards/types.js";
import type { TokenSpan } from "./credit.js";

/** Text to tokens and back. */
export interface TextCodec {
  encode(text: string): Int32Array;
  /** Text of the tokens, special tokens as they are written. */
  decode(tokens: Int32Array): string;
  /** Where each token stands in `decode(tokens)`; needed for credit by box. */
  spans(tokens: Int32Array): readonly TokenSpan[];
  /** Tokens that end a response; the first is the one that is appended to teacher text. */
  readonly endTokens: readonly number[];
}

/** A sample as the model meets it: the prompt, and the ground truth in the frame of the answers (of the model's profile). */
export interface EncodedSample {
  readonly prompt: Prompt;
  readonly truth: RewardTruth<AnswerFrame>;
}

/** Prepares a sample: decodes its picture, resizes it, renders the prompt, converts the boxes. */
export type SampleEncoder<S> = (sample: S) => EncodedSample | Promise<EncodedSample>;

/** The tokens of a response without its end token. */
export function bodyTokens(tokens: Int32Array, endTokens: readonly number[]): Int32Array {
  const last = tokens.at(-1);
  return last !== undefined && endTokens.includes(last) ? tokens.subarray(0, -1) : tokens;
}

/** What a response says, without its end token. */
export function responseText(rollout: Rollout, codec: TextCodec): string {
  return codec.decode(bodyTokens(rollout.tokens, codec.endTokens));
}

/** Where each token of a response stands in {@link responseText}; the end token stands at its end. */
export function responseSpans(rollout: Rollout, codec: TextCodec): TokenSpan[] {
  const body = bodyTokens(rollout.tokens, codec.endTokens);
  const spans = [...codec.spans(body)];
  const end = spans.at(-1)?.end ?? 0;
  while (spans.length < rollout.tokens.length) spans.push({ start: end, end });
  return spans;
}
