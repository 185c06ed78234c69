/** @file Sampled batches as plain JSON, exact to the bit: what a checkpoint keeps of rollouts that are still to be trained on. */
import { InputError } from "../base/errors.js";
import type { Rollout, StopReason } from "../engines/contract.js";
import type { GrpoConfig } from "./grpo-config.js";

/** One response. Arrays are the base64 of their bytes, little-endian. */
export interface SavedRollout {
  /** Of int32. */
  readonly tokens: string;
  /** Of float32, as sampled. */
  readonly logprobs: string;
  readonly stopReason: StopReason;
  /** Of float32; absent where they are those as sampled. */
  readonly oldLogprobs?: string;
}

/** The batch of a step that is still to come. */
export interface SavedBatch {
  /** From 0. */
  readonly step: number;
  /** Steps done when the weights that sampled it were taken. */
  readonly sampledAt: number;
  /** One list an image. */
  readonly groups: readonly (readonly SavedRollout[])[];
}

/** Responses and the log-probabilities of the ratio's denominator, lists over images, then responses. */
export interface Sampled {
  readonly rollouts: readonly (readonly Rollout[])[];
  readonly oldLogprobs: readonly (readonly Float32Array[])[];
}

const pack = ({ buffer, byteOffset, byteLength }: Int32Array | Float32Array): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString("base64");

/** Copied: base64 may lie at any offset of Node's pool. */
const bytesOf = (text: string): ArrayBuffer => new Uint8Array(Buffer.from(text, "base64")).buffer;

/** A batch as JSON. */
export function packBatch(step: number, sampledAt: number, { rollouts, oldLogprobs }: Sampled): SavedBatch {
  return {
    step,
    sampledAt,
    groups: rollouts.map((group, i) =>
      group.map(({ tokens, logprobs, stopReason }, j) => {
        const old = oldLogprobs[i]![j]!;
        return {
          tokens: pack(tokens),
          logprobs: pack(logprobs),
          stopReason,
          ...(old !== logprobs && { oldLogprobs: pack(old) }),
        };
      }),
    ),
  };
}

/** The batch again. @throws InputError where it is of another number of images or responses. */
export function unpackBatch(
  { step, groups }: SavedBatch,
  { imagesPerStep, groupSize }: Pick<GrpoConfig, "imagesPerStep" | "groupSize">,
): Sampled {
  if (groups.length !== imagesPerStep || groups.some(({ length }) => length !== groupSize))
    throw new InputError(
      `The batch saved for step ${step + 1} is not of ${imagesPerStep} images with ${groupSize} responses each.`,
      { hint: "Resume with the configuration that the run was started with." },
    );
  const rollouts = groups.map((group) =>
    group.map(({ tokens, logprobs, stopReason }): Rollout => ({
      tokens: new Int32Array(bytesOf(tokens)),
      logprobs: new Float32Array(bytesOf(logprobs)),
      stopReason,
    })),
  );
  return {
    rollouts,
    oldLogprobs: groups.map((group, i) =>
      group.map(({ oldLogprobs }, j) =>
        oldLogprobs === undefined ? rollouts[i]![j]!.logprobs : new Float32Array(bytesOf(oldLogprobs)),
      ),
    ),
  };
}
