/**
 * @file The contract's sequences as the API's, so that the gradient on the server is that of the contract's loss
 * (sum of weight * term), whichever way the server normalises.
 *
 * A `sum` server adds up the terms of all tokens: the weight goes into the advantage, since both losses are
 * linear in the size of the advantage. A `mean` server (SkyRL's JAX backend) divides each sequence by the sum of its
 * weights and the batch by its number of sequences, so both are multiplied back in.
 */
import { InputError } from "../../base/errors.js";
import type { Datum, Prompt } from "../contract.js";
import { promptLength } from "../prompt-length.js";
import { pngOf } from "./images.js";
import type { ModelInputChunk, WireDatum, WireTensor } from "./wire/index.js";

/** How a server makes one number of the terms of many tokens. */
export type Normalization = "sum" | "mean";

/** A prompt, and tokens after it, as chunks for the wire; text that meets is joined. */
export async function inputChunks(
  prompt: Prompt,
  after: Int32Array = new Int32Array(),
): Promise<ModelInputChunk[]> {
  const chunks: ModelInputChunk[] = [];
  const text = (tokens: Int32Array): void => {
    if (tokens.length === 0) return;
    const last = chunks.at(-1);
    if (last?.type !== "encoded_text") chunks.push({ type: "encoded_text", tokens });
    else {
      const joined = new Int32Array(last.tokens.length + tokens.length);
      joined.set(last.tokens);
      joined.set(tokens, last.tokens.length);
      chunks[chunks.length - 1] = { type: "encoded_text", tokens: joined };
    }
  };
  for (const chunk of prompt.chunks) {
    if (chunk.kind === "text") text(chunk.tokens);
    else
      chunks.push({
        type: "image",
        data: await pngOf(chunk.image),
        format: "png",
        expectedTokens: chunk.tokens,
      });
  }
  text(after);
  return chunks;
}

/** What each completion token carries; one entry a token. */
export type CompletionField = "weights" | "logprobs" | "advantages";

/**
 * A sequence whose last targets are the completion. Everything before it counts nothing.
 *
 * @param fields Values of the completion's tokens.
 * @throws InputError for an empty prompt or completion, or fields of another length.
 */
export async function wireDatum(
  { prompt, tokens }: Pick<Datum, "prompt" | "tokens">,
  fields: Partial<Readonly<Record<CompletionField, ArrayLike<number>>>>,
): Promise<WireDatum> {
  const before = promptLength(prompt);
  if (before === 0 || tokens.length === 0)
    throw new InputError("A training sequence needs a prompt and a completion.");
  const length = before + tokens.length - 1;
  const targets = new Int32Array(length);
  let at = 0;
  for (const chunk of prompt.chunks) {
    // What stands for a picture's tokens is the server's business; no loss is taken on them.
    if (chunk.kind === "text") {
      for (const token of chunk.tokens) {
        if (at > 0) targets[at - 1] = token;
        at++;
      }
    } else at += chunk.tokens;
  }
  targets.set(tokens, before - 1);
  const tensor = (values: ArrayLike<number>): WireTensor => {
    if (values.length !== tokens.length)
      throw new InputError(`A completion of ${tokens.length} tokens has ${values.length} values.`);
    const data = new Float32Array(length);
    data.set(Float32Array.from(values), before - 1);
    return { dtype: "float32", data, shape: [length] };
  };
  return {
    modelInput: await inputChunks(prompt, tokens.subarray(0, -1)),
    lossFnInputs: {
      target_tokens: { dtype: "int64", data: targets, shape: [length] },
      ...Object.fromEntries(Object.entries(fields).map(([name, values]) => [name, tensor(values)])),
    },
  };
}

/** Advantages, and the mask that a `mean` server needs, so that the gradient is that of sum of weight * term. */
export function policyFields(
  { tokens, weights, advantages }: Pick<Datum, "tokens" | "weights" | "advantages">,
  normalization: Normalization,
  datums: number,
): { readonly advantages: Float32Array; readonly weights?: Float32Array } {
  const scale = normalization === "mean" ? tokens.length * datums : 1;
  return {
    advantages: weights.map((weight, t) => weight * scale * (advantages?.[t] ?? 1)),
    ...(normalization === "mean" && { weights: new Float32Array(tokens.length).fill(1) }),
  };
}

/** Whether plain cross entropy on a `mean` server is already the sum that was asked for: every sequence weighs 1/N. */
export function isMeanOfSequences(batch: readonly Pick<Datum, "weights">[]): boolean {
  return batch.every(({ weights }) => {
    const sum = weights.reduce((a, b) => a + b, 0);
    return Math.abs(sum * batch.length - 1) < 1e-5;
  });
}
