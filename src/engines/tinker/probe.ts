/**
 * @file Finds out what a server does, on a model of its own that is thrown away: nothing of it is assumed from names or
 * versions. Takes some seconds; a server that compiles (JAX) needs longer the first time.
 */
import { DipError } from "../../base/errors.js";
import type { Logger } from "../../base/logger.js";
import type { Prompt } from "../contract.js";
import type { TinkerClient } from "./client.js";
import { promptLength } from "../prompt-length.js";
import { inputChunks, wireDatum } from "./datums.js";
import { isTinkerError } from "./errors.js";
import type { PolicyLossName } from "./loss-value.js";
import type { SamplingClient } from "./sampling-client.js";
import type { ServerTraits } from "./traits.js";
import type { TrainingModel, WireAdamParams } from "./training-model.js";

/** What to probe with. */
export interface ProbeOptions {
  readonly baseModel: string;
  readonly rank: number;
  /** A few ids of ordinary tokens, 6 or more. @default 10 to 17 */
  readonly tokens?: readonly number[];
  /** Text around a picture at the size the model sees, and the tokens it takes; absent where the model is for text. */
  readonly picture?: Prompt;
  /** What is already known is not asked. */
  readonly known?: Partial<ServerTraits>;
  readonly logger: Logger;
}

const STILL: WireAdamParams = {
  learningRate: 0,
  beta1: 0.9,
  beta2: 0.95,
  eps: 1e-12,
  weightDecay: 0,
  gradClipNorm: 0,
};

/** A server's metric by its name without prefix and suffix. */
export function metricOf(metrics: Readonly<Record<string, number>>, name: string): number | undefined {
  const key = Object.keys(metrics).find((one) => one.replace(/:\w+$/, "").split("/").at(-1) === name);
  return key === undefined ? undefined : metrics[key];
}

/** @throws DipError where a server's answers contradict each other; TinkerError. */
export async function probeServer(client: TinkerClient, options: ProbeOptions): Promise<ServerTraits> {
  const { known = {}, logger } = options;
  const ids = options.tokens ?? [10, 11, 12, 13, 14, 15, 16, 17];
  const prompt: Prompt = { chunks: [{ kind: "text", tokens: Int32Array.from(ids.slice(0, -4)) }] };
  const tokens = Int32Array.from(ids.slice(-4));
  const ones = new Float32Array(4).fill(1);
  const plain = await wireDatum({ prompt, tokens }, { weights: ones });
  const policy = await wireDatum(
    { prompt, tokens },
    { advantages: ones, logprobs: new Float32Array(4).fill(-5) },
  );
  const whole = await inputChunks(prompt, tokens);

  const training: readonly (keyof ServerTraits)[] = [
    "normalization",
    "policyLoss",
    "isolatedSamplers",
    "keptSamplers",
    "deduplicates",
    "gradNorm",
  ];
  if ([...training, "promptLogprobs", "images"].every((key) => key in known)) return known as ServerTraits;

  // Before anything is sampled: some servers (SkyRL's FSDP backend) have nothing to sample from without a model.
  const model = await client.createModel({ baseModel: options.baseModel, rank: options.rank, seed: 1 });
  try {
    const base = await client.sampler({ baseModel: options.baseModel });
    const promptLogprobs =
      known.promptLogprobs ??
      (await can(() => base.promptLogprobs(whole), logger, "prompt log-probabilities"));
    const images = known.images ?? (await seesPictures(base, options.picture, promptLogprobs, logger));
    if (training.every((key) => key in known)) return { ...known, promptLogprobs, images } as ServerTraits;
    // First of all training: an answer that is lost meanwhile must not be asked for again in vain.
    const deduplicates = known.deduplicates ?? (await model.repeatIsKnown(STILL));
    client.setDeduplicates(deduplicates);
    const normOf = async (copies: number): Promise<number | undefined> => {
      await model.forwardBackward(
        Array.from({ length: copies }, () => plain),
        { name: "cross_entropy" },
      );
      return metricOf(await model.optimStep(STILL), "grad_norm");
    };
    const one = await normOf(1);
    const gradNorm = one !== undefined;
    const normalization = known.normalization ?? normalizationOf(one, await normOf(2));
    const policyLoss =
      "policyLoss" in known
        ? known.policyLoss
        : await firstAsync(["ppo", "importance_sampling"] as const, (name: PolicyLossName) =>
            can(() => model.forwardBackward([policy], { name }), logger, `the loss ${name}`),
          );
    const life = promptLogprobs ? await lifeOfSamplers(model, plain, whole) : noLife;
    const { isolatedSamplers = life.isolatedSamplers, keptSamplers = life.keptSamplers } = known;
    return {
      normalization,
      policyLoss,
      promptLogprobs,
      images,
      isolatedSamplers,
      keptSamplers,
      deduplicates,
      gradNorm,
    };
  } finally {
    await model.unload();
  }
}

/** Whether a server does something; its refusal is an answer, any other trouble is not. */
async function can(work: () => Promise<unknown>, logger: Logger, what: string): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (!isTinkerError(error, "refused", "failed", "not-found")) throw error;
    logger.debug(`the server has not got ${what}: ${error.detail ?? error.message}`);
    return false;
  }
}

async function firstAsync<T>(
  items: readonly T[],
  holds: (item: T) => Promise<boolean>,
): Promise<T | undefined> {
  for (const item of items) if (await holds(item)) return item;
  return undefined;
}

/** From the gradient of a sequence, and of the sequence twice. */
function normalizationOf(one: number | undefined, two: number | undefined): "sum" | "mean" {
  const hint = 'Say it in the recipe: engine.traits.normalization "sum" or "mean".';
  if (one === undefined || two === undefined || !(one > 0)) {
    throw new DipError(
      "The server reports no gradient norm, so how it normalises losses cannot be found out.",
      {
        hint,
      },
    );
  }
  const ratio = two / one;
  if (Math.abs(ratio - 1) < 0.05) return "mean";
  if (Math.abs(ratio - 2) < 0.1) return "sum";
  throw new DipError(
    `The gradient of a sequence and of the same twice are ${one} and ${two}: the server normalises losses in a way that is not known here.`,
    { hint },
  );
}

/** Where it cannot be found out: the most careful use. */
const noLife = { isolatedSamplers: false, keptSamplers: false };

/** Whether a saved sampler stays what it was while its model moves on, and once a newer one is saved. */
async function lifeOfSamplers(
  model: TrainingModel,
  datum: Awaited<ReturnType<typeof wireDatum>>,
  whole: Awaited<ReturnType<typeof inputChunks>>,
): Promise<Pick<ServerTraits, "isolatedSamplers" | "keptSamplers">> {
  const sampler = await model.sampler();
  const before = await sampler.promptLogprobs(whole);
  await model.forwardBackward([datum], { name: "cross_entropy" });
  await model.optimStep({ ...STILL, learningRate: 0.01 });
  const after = await sampler.promptLogprobs(whole);
  const trained = (await model.forward([datum])).outputs[0]!["logprobs"]!.data;
  const gap = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
    Math.max(...Array.from({ length: 4 }, (_, i) => Math.abs(a[a.length - 4 + i]! - b[b.length - 4 + i]!)));
  const moved = gap(before, trained);
  // A sampler that follows its model is as near to it as one that stays is far.
  const stays = (seen: ArrayLike<number>): boolean => moved > 1e-4 && gap(seen, trained) > moved / 2;
  if (!stays(after)) return noLife;
  // Newer weights are in their place once they were sampled from.
  await (await model.sampler()).promptLogprobs(whole);
  const later = await sampler.promptLogprobs(whole);
  return { isolatedSamplers: true, keptSamplers: stays(later) };
}

/** Whether pictures take the tokens we count: the prompt's score has an entry for each. */
async function seesPictures(
  base: SamplingClient,
  picture: Prompt | undefined,
  promptLogprobs: boolean,
  logger: Logger,
): Promise<boolean> {
  if (picture === undefined) return false;
  const chunks = await inputChunks(picture);
  if (!promptLogprobs) return can(() => base.sample(chunks, { maxTokens: 1, seed: 0 }), logger, "pictures");
  let counted = 0;
  const taken = await can(
    async () => {
      counted = (await base.promptLogprobs(chunks)).length + 1;
    },
    logger,
    "pictures",
  );
  const expected = promptLength(picture);
  if (taken && counted !== expected)
    logger.warn(
      `a prompt with a picture takes ${counted} tokens on the server, ${expected} by our count; pictures are not used there`,
    );
  return taken && counted === expected;
}
