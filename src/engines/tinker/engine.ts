/** @file The engine contract over a server of the Tinker API: the same loops, on a cluster. */
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { writeJsonAtomic } from "../../base/atomic-file.js";
import { DipError, InputError, UnavailableError } from "../../base/errors.js";
import { silentLogger, type Logger } from "../../base/logger.js";
import type {
  AdamParams,
  Capabilities,
  Checkpoint,
  Datum,
  Engine,
  Loss,
  LossReport,
  Prompt,
  Sampler,
  StepReport,
} from "../contract.js";
import { promptLength } from "../prompt-length.js";
import { TinkerClient, type TinkerClientOptions } from "./client.js";
import { isMeanOfSequences, policyFields, wireDatum } from "./datums.js";
import { protocolError, TinkerError } from "./errors.js";
import { lossValue } from "./loss-value.js";
import { metricOf, probeServer } from "./probe.js";
import { createTinkerSampler, requireImages } from "./sampler.js";
import type { SamplingClient } from "./sampling-client.js";
import { samplerLife, traitNotes, type ServerTraits } from "./traits.js";
import type { TrainingModel } from "./training-model.js";
import type { ForwardBackwardOutput, WireDatum } from "./wire/index.js";

/** Tokens spent on a server, by what is commonly billed apart. */
export interface TokenUsage {
  /** Read before sampling or scoring, a group's prompt once. */
  readonly prompt: number;
  readonly sampled: number;
  /** Of sequences in forward and backward passes. */
  readonly trained: number;
}

/** Which server and model, and what of it is trained. */
export interface TinkerEngineOptions extends TinkerClientOptions {
  /** Exactly as the server names it. @default the server's only one */
  readonly baseModel?: string;
  /** Of the LoRA adapter; 0 trains all weights, where the server can. @default 16 */
  readonly rank?: number;
  /** Of a new adapter's first weights. @default 0 */
  readonly seed?: number;
  /** Tokens of prompt and response at most. @default what the server says */
  readonly contextLength?: number;
  /** A prompt with one picture, at the size the model sees, to find out whether the server counts its tokens as we do. */
  readonly picture?: Prompt;
  /** What is known of the server, and need not be found out. */
  readonly traits?: Partial<ServerTraits>;
  /** Ids of ordinary tokens to find things out with. @default 10 to 17 */
  readonly probeTokens?: readonly number[];
  /** Text of a token, for the repeat guard. */
  readonly pieceOf?: (id: number) => string;
  /** The run stops, to be resumed, before it spends more tokens than this. @default no limit */
  readonly maxTokensBudget?: number;
}

/** The engine contract, and what only this engine has to say. */
export interface TinkerEngine extends Engine {
  readonly client: TinkerClient;
  readonly traits: ServerTraits;
  /** What the server cannot do, and what is done instead. */
  readonly notes: readonly string[];
  /** Since the run began, over all resumptions. */
  readonly usage: TokenUsage;
}

const FILE = "tinker-checkpoint.json";
const checkpointSchema = z.strictObject({
  format: z.literal(1),
  /** On the server. */
  path: z.string(),
  baseModel: z.string(),
  rank: z.number().int(),
  step: z.number().int(),
  usage: z.strictObject({ prompt: z.number(), sampled: z.number(), trained: z.number() }),
});

/** The completions' log-probabilities: pictures make the rendered text longer, its end is ours. */
function completionLogprobs(batch: readonly Datum[], { outputs }: ForwardBackwardOutput): Float32Array[] {
  return batch.map(({ tokens }, i) => {
    const scores = outputs[i]!["logprobs"]?.data;
    if (scores === undefined || scores.length < tokens.length)
      throw protocolError(
        `a sequence of ${tokens.length} tokens came back with ${scores?.length ?? 0} scores`,
      );
    return Float32Array.from(scores.subarray(scores.length - tokens.length));
  });
}

function chooseModel(client: TinkerClient, wanted: string | undefined): string {
  const names = client.models.map(({ name }) => name);
  if (wanted !== undefined && names.includes(wanted)) return wanted;
  if (wanted === undefined && names.length === 1) return names[0]!;
  throw new InputError(
    wanted === undefined
      ? `The server has ${names.length} models; which one is not said.`
      : `The server has no model "${wanted}".`,
    { hint: `It has ${names.map((name) => `"${name}"`).join(", ") || "none"}.` },
  );
}

/**
 * Connects to a server, finds out what it does and opens a model for training on it.
 *
 * @throws InputError for options that do not fit the server; TinkerError where it does not answer or refuses.
 */
export async function createTinkerEngine(options: TinkerEngineOptions): Promise<TinkerEngine> {
  const { rank = 16, seed = 0, logger = silentLogger, maxTokensBudget = Infinity, pieceOf } = options;
  const client = await TinkerClient.connect(options);
  try {
    const baseModel = chooseModel(client, options.baseModel);
    const serverLength = client.models.find(({ name }) => name === baseModel)?.maxContextLength;
    const maxTokens = Math.min(options.contextLength ?? Infinity, serverLength ?? Infinity);
    if (maxTokens === Infinity) {
      throw new InputError("The server does not say how many tokens its model has room for.", {
        hint: "Set contextLength to max_position_embeddings of the model's config.json, or less.",
      });
    }
    const traits = await probeServer(client, {
      baseModel,
      rank,
      logger,
      ...(options.probeTokens && { tokens: options.probeTokens }),
      ...(options.picture && { picture: options.picture }),
      ...(options.traits && { known: options.traits }),
    });
    client.setDeduplicates(traits.deduplicates);
    return engineOver({ client, traits, baseModel, rank, seed, maxTokens, maxTokensBudget, pieceOf, logger });
  } catch (error) {
    client.close();
    throw error;
  }
}

interface EngineParts {
  readonly client: TinkerClient;
  readonly traits: ServerTraits;
  readonly baseModel: string;
  readonly rank: number;
  readonly seed: number;
  readonly maxTokens: number;
  readonly maxTokensBudget: number;
  readonly pieceOf: ((id: number) => string) | undefined;
  readonly logger: Logger;
}

function engineOver(parts: EngineParts): TinkerEngine {
  const { client, traits, baseModel, rank, seed, maxTokens, logger } = parts;
  const policyLoss = traits.policyLoss;
  const life = samplerLife(traits);
  let usage: TokenUsage = { prompt: 0, sampled: 0, trained: 0 };
  let current: Promise<TrainingModel> | undefined;
  let step = 0;
  /** Counts optimiser steps and loads: a sampler belongs to one value. */
  let generation = 0;
  /** Sequences since the last step, and those of the first call among them. */
  let pending = 0;
  let scale = 0;
  let newest: { readonly generation: number; readonly session: Promise<SamplingClient> } | undefined;
  const sampling = new Set<Promise<unknown>>();

  const model = (): Promise<TrainingModel> =>
    (current ??= client.createModel({ baseModel, rank, seed: seed & 0x7fffffff }).catch((error: unknown) => {
      current = undefined;
      throw error;
    }));

  function spend(kind: keyof TokenUsage, tokens: number): void {
    usage = { ...usage, [kind]: usage[kind] + tokens };
  }

  function withinBudget(): void {
    const spent = usage.prompt + usage.sampled + usage.trained;
    if (spent < parts.maxTokensBudget) return;
    throw new DipError(`The run has spent ${spent} tokens; its budget is ${parts.maxTokensBudget}.`, {
      hint: "Go on with --resume and a larger engine.maxTokensBudget.",
    });
  }

  function wrap(session: SamplingClient, belongsTo: number | undefined): Sampler {
    return createTinkerSampler({
      session,
      maxTokens,
      images: traits.images,
      promptLogprobs: traits.promptLogprobs,
      ...(parts.pieceOf && { pieceOf: parts.pieceOf }),
      spend,
      guarded(work) {
        withinBudget();
        const current = life === "live" ? generation : newest?.generation;
        if (belongsTo !== undefined && life !== "kept" && belongsTo !== current) {
          throw new UnavailableError(
            life === "live"
              ? "This server cannot sample from weights of an earlier step while training goes on."
              : "This server holds one set of weights for sampling, and has newer ones by now.",
            { hint: "Ask the engine for a new sampler, and use up each before the next is made." },
          );
        }
        const running = work().finally(() => sampling.delete(running));
        sampling.add(running);
        return running;
      },
    });
  }

  async function policyPass(
    batch: readonly Datum[],
    loss: Extract<Loss, { kind: "policy" }>,
  ): Promise<ForwardBackwardOutput> {
    if (policyLoss === undefined) throw new UnavailableError("This server has no policy loss.");
    if (loss.klBeta !== 0)
      throw new UnavailableError("The losses of the Tinker API have no KL term.", {
        hint: 'Set kl.placement to "reward": the penalty is then folded into the advantages.',
      });
    if (loss.temperature !== 1)
      throw new UnavailableError(
        `Servers of the Tinker API train at temperature 1, the responses were sampled at ${loss.temperature}.`,
        { hint: "Set sampling.temperature to 1." },
      );
    const data = await Promise.all(
      batch.map((datum) => {
        if (datum.advantages === undefined || datum.oldLogprobs === undefined)
          throw new InputError("A policy loss needs advantages and old log-probabilities.");
        return wireDatum(datum, {
          ...policyFields(datum, traits.normalization, scale),
          logprobs: datum.oldLogprobs,
        });
      }),
    );
    return (await model()).forwardBackward(data, {
      name: policyLoss,
      ...(policyLoss === "ppo" && {
        config: { clip_low_threshold: 1 - loss.clipLow, clip_high_threshold: 1 + loss.clipHigh },
      }),
    });
  }

  async function crossEntropyPass(batch: readonly Datum[], first: boolean): Promise<ForwardBackwardOutput> {
    const trained = await model();
    const plain = () => Promise.all(batch.map((datum) => wireDatum(datum, { weights: datum.weights })));
    if (traits.normalization === "sum")
      return trained.forwardBackward(await plain(), { name: "cross_entropy" });
    if (first && isMeanOfSequences(batch))
      return trained.forwardBackward(await plain(), { name: "cross_entropy" });
    // Weights that the server would divide away are carried by advantages: at ratio 1 the gradient of
    // importance sampling is that of weighted cross entropy. The ratio is 1 against the weights of now.
    const ones = (length: number) => new Float32Array(length).fill(1);
    const masked = await Promise.all(
      batch.map((datum) => wireDatum(datum, { weights: ones(datum.tokens.length) })),
    );
    const now = await trained.forward(masked);
    const logprobs = completionLogprobs(batch, now);
    const data: WireDatum[] = await Promise.all(
      batch.map(({ advantages: _none, ...datum }, i) =>
        wireDatum(datum, {
          ...policyFields(datum, "mean", scale),
          logprobs: logprobs[i]!,
        }),
      ),
    );
    return trained.forwardBackward(data, { name: "importance_sampling" });
  }

  async function forwardBackward(batch: readonly Datum[], loss: Loss): Promise<LossReport> {
    if (batch.length === 0) return { loss: 0, logprobs: [] };
    withinBudget();
    for (const { prompt, tokens } of batch) {
      requireImages(prompt, traits.images);
      const length = promptLength(prompt) + tokens.length;
      if (length > maxTokens)
        throw new InputError(
          `a training sequence takes ${length} tokens, the model has room for ${maxTokens}`,
        );
    }
    const first = pending === 0;
    if (first) scale = batch.length;
    else if (traits.normalization === "mean")
      logger.warn(
        "several passes before one optimiser step: on this server the gradient's size then depends on their number; leave tokenBudget out, the server splits batches itself",
      );
    pending += batch.length;
    spend(
      "trained",
      batch.reduce((sum, { prompt, tokens }) => sum + promptLength(prompt) + tokens.length, 0),
    );
    const output =
      loss.kind === "policy" ? await policyPass(batch, loss) : await crossEntropyPass(batch, first);
    const logprobs = completionLogprobs(batch, output);
    return { loss: lossValue(batch, logprobs, loss, policyLoss ?? "importance_sampling"), logprobs };
  }

  async function optimStep(adam: AdamParams): Promise<StepReport> {
    // What is being sampled must still find the weights it was asked of.
    if (life === "live") await Promise.allSettled(sampling);
    // A mean server has divided by all sequences, we have multiplied by those of the first pass.
    const size = traits.normalization === "mean" && pending > 0 ? pending / scale : 1;
    const metrics = await (
      await model()
    ).optimStep({
      learningRate: adam.learningRate,
      beta1: adam.beta1 ?? 0.9,
      beta2: adam.beta2 ?? 0.999,
      eps: (adam.eps ?? 1e-8) / size,
      weightDecay: adam.weightDecay ?? 0,
      gradClipNorm: (adam.maxGradNorm ?? 0) / size,
    });
    pending = 0;
    generation++;
    step++;
    return { gradNorm: (metricOf(metrics, "grad_norm") ?? 0) * size, step };
  }

  async function load({ path }: Checkpoint): Promise<void> {
    const file = join(path, FILE);
    const text = await readFile(file, "utf8").catch(() => undefined);
    if (text === undefined) throw new InputError(`${path} holds no checkpoint of a tinker engine`);
    const saved = checkpointSchema.safeParse(JSON.parse(text));
    if (!saved.success) throw new InputError(`${file}: ${z.prettifyError(saved.error)}`);
    const { data } = saved;
    if (data.baseModel !== baseModel || data.rank !== rank)
      throw new InputError(
        `${file}: saved from ${data.baseModel} with rank ${data.rank}, this is ${baseModel} with rank ${rank}`,
      );
    // Some servers have room for one model only.
    await current?.then((old) => old.unload()).catch(() => undefined);
    const loading = client.loadModel(data.path, { baseModel, rank });
    current = loading;
    try {
      await loading;
    } catch (error) {
      current = undefined;
      if (!(error instanceof TinkerError) || error.code !== "not-found") throw error;
      throw new InputError(`The server no longer has the checkpoint ${data.path}.`, {
        hint: "It may have expired, or the server was set up anew. Resume from an older checkpoint, or begin again.",
        cause: error,
      });
    }
    step = data.step;
    usage = data.usage;
    pending = 0;
    generation++;
  }

  const capabilities: Capabilities = {
    engine: "tinker",
    model: baseModel,
    losses: policyLoss === undefined ? ["crossEntropy"] : ["crossEntropy", "policy"],
    klInLoss: false,
    images: traits.images,
    promptLogprobs: traits.promptLogprobs,
    maxTokens,
    concurrency: client.concurrency,
    samplers: life,
  };

  return {
    capabilities,
    client,
    traits,
    notes: traitNotes(traits),
    get usage() {
      return usage;
    },
    async sampler() {
      if (newest?.generation !== generation) {
        // New weights would take the place of those that are being sampled from.
        if (life !== "kept") await Promise.allSettled(sampling);
        const session = model().then((one) => one.sampler());
        newest = { generation, session };
        session.catch(() => (newest = undefined));
      }
      return wrap(await newest.session, generation);
    },
    async reference() {
      if (rank === 0)
        throw new UnavailableError(
          "Training all weights leaves no base model on the server for the KL term.",
          {
            hint: "Train a LoRA adapter, or set kl.beta to 0.",
          },
        );
      return wrap(await client.sampler({ baseModel }), undefined);
    },
    forwardBackward,
    optimStep,
    async save(path) {
      const saved = await (await model()).saveWeights(`step-${step}`);
      await mkdir(path, { recursive: true });
      const content: z.input<typeof checkpointSchema> = {
        format: 1,
        path: saved,
        baseModel,
        rank,
        step,
        usage,
      };
      await writeJsonAtomic(join(path, FILE), content);
      return { path, step };
    },
    load,
    async close() {
      await Promise.allSettled(sampling);
      await current
        ?.then((one) => one.unload())
        .catch((error: unknown) => {
          logger.debug(`the model was not unloaded: ${String(error)}`);
        });
      client.close();
    },
  };
}
