/** @file A served model, opened for `eval` and `detect`: the same records as of a model opened here, by the same parser and metrics. */
import { InputError } from "../base/errors.js";
import type { Sample } from "../datasets/sample.js";
import type { OpenAiModel, OpenAiProfile } from "../engines/openai/index.js";
import type { EvaluatedImage, EvaluationConfig, EvaluationSample } from "../rl/index.js";
import type { CliContext } from "./context.js";
import type { OpenAiOptions } from "./openai-options.js";

/** What `judgeImages` takes instead of a model opened here. */
export interface ServedModel {
  readonly sampler: OpenAiModel["sampler"];
  readonly codec: OpenAiModel["codec"];
  readonly encode: (sample: Sample) => Promise<EvaluationSample>;
  /** Frame and dialect, and how many images are asked about together. */
  readonly config: Pick<EvaluationConfig, "profile" | "reader" | "batchSize">;
  close(): Promise<void>;
}

/** A served model and what results say of it. */
export interface OpenedServer {
  readonly model: ServedModel;
  readonly task: {
    readonly prompt: string;
    readonly labels: readonly string[];
    readonly profile: "absolute" | "norm1000";
  };
  /** The user's text, whole. */
  readonly promptText: string;
  /** Where it is and what it is, without a key. */
  readonly identity: { readonly path: string; readonly sha256: string };
  /** For the settings of a result. */
  readonly settings: Readonly<Record<string, unknown>>;
  /** Answers that were not in the declared dialect, in words. */
  mismatches(images: readonly EvaluatedImage[]): string[];
  /** What was asked and what the cache knew, in words. */
  usage(): string;
}

/** Options of {@link openServed}. */
export interface ServedOptions extends OpenAiOptions {
  readonly model: string;
  readonly prompt?: string;
  readonly label?: readonly string[];
  /** Of models opened here. */
  readonly profile?: string;
  readonly samples?: number;
}

/** Pictures to prompts and ground truth in the frame that the dialect's numbers are read in. */
async function encoder(model: OpenAiModel, profile: OpenAiProfile, text: string, labels: readonly string[]) {
  const { loadPixels } = await import("../datasets/index.js");
  const { truthFromSample } = await import("../rewards/index.js");
  const { coordinateProfiles } = await import("../geometry/index.js");
  const { profileOf } = await import("../response/index.js");
  const { fitPicture } = await import("../engines/openai/picture.js");
  const frame = coordinateProfiles[profileOf(profile.reading)];
  return async (sample: Sample): Promise<EvaluationSample> => {
    const sent = fitPicture(await loadPixels(sample), profile.picture, sample.id);
    const modelSize = { width: sent.width, height: sent.height };
    return {
      prompt: { chunks: model.encodePrompt({ text, images: [sent] }) },
      truth: truthFromSample(sample, { frame, modelSize, labels }),
    };
  };
}

/** Counts answers by what is wrong with them. */
export function mismatchWords(images: readonly EvaluatedImage[]): string[] {
  const counts = new Map<string, number>();
  let total = 0;
  for (const { responses } of images)
    for (const { mismatch } of responses) {
      total++;
      if (mismatch !== undefined) counts.set(mismatch, (counts.get(mismatch) ?? 0) + 1);
    }
  return [...counts].map(
    ([words, number]) =>
      `${number} of ${total} answers: ${words}. Declare the dialect that the model speaks (--dialect).`,
  );
}

/**
 * Connects to the server and says what it lacks, before anything is asked.
 * @throws InputError where the server or the dialect is not declared, or an option of local models is given.
 */
export async function openServed(options: ServedOptions, { logger }: CliContext): Promise<OpenedServer> {
  const { fingerprintValue } = await import("../base/index.js");
  const { loadProfile, openOpenAiModel } = await import("../engines/openai/index.js");
  const { dialectPrompt, profileOf, readDialect } = await import("../response/index.js");
  if (options.server === undefined)
    throw new InputError(
      "--engine openai needs --server: vllm, sglang, llama.cpp, ollama, transformers, hosted or a file",
    );
  if (options.profile !== undefined)
    throw new InputError(
      `--profile ${options.profile} is of models opened here; what a served one speaks is its --dialect`,
    );
  const profile = await loadProfile({
    profile: options.server,
    dialect: options.dialect,
    maxPixels: options.maxPixels,
  });
  const { server, dialect, reading } = profile;
  const labels = options.label ?? ["person"];
  const text = dialectPrompt(dialect, labels, options.prompt);
  const baseUrl = options.baseUrl ?? server.baseUrl;
  if (baseUrl === undefined) throw new InputError(`--base-url is missing: where is ${server.title}?`);
  const { concurrency = 4 } = options;
  const model = await openOpenAiModel({
    baseUrl,
    model: options.model,
    profile,
    apiKeyEnv: options.apiKeyEnv,
    concurrency,
    ...(typeof options.cache === "string" && { cache: options.cache }),
    ...(options.stream !== undefined && { stream: options.stream }),
    ...(options.timeout !== undefined && { idleTimeout: 1000 * options.timeout }),
    logger,
  });
  for (const words of model.lacks({ sampling: (options.samples ?? 0) > 0 })) logger.info(words);
  const reader = { ...dialect, reading };
  return {
    model: {
      sampler: model.sampler,
      codec: model.codec,
      encode: await encoder(model, profile, text, labels),
      config: {
        profile: profileOf(reading),
        batchSize: Math.max(8, 2 * concurrency),
        reader: {
          // Pixels are read where the frame is the picture sent; elsewhere its size says nothing.
          read: (said, { width, height }) => readDialect(said, reader, { width, height }),
          reading: { ...reading, scale: reading.scale === "norm999" ? "norm1000" : reading.scale },
        },
      },
      close: () => model.close(),
    },
    task: {
      prompt: dialect.form === "think-look-answer" ? (options.prompt ?? "dip-r1") : dialect.name,
      labels,
      profile: profileOf(reading),
    },
    promptText: text,
    identity: {
      path: `${model.baseUrl} ${options.model}`,
      sha256: fingerprintValue({ server: server.name, model: options.model }),
    },
    settings: {
      engine: "openai",
      server: server.name,
      baseUrl: model.baseUrl,
      dialect: dialect.name,
      reading,
      picture: profile.picture ?? null,
    },
    mismatches: mismatchWords,
    usage() {
      const { requests, cached, retries, promptTokens, completionTokens } = model.usage();
      return (
        `${requests} requests answered by the server, ${cached} by the cache, ${retries} retries; ` +
        `${promptTokens} prompt and ${completionTokens} response tokens as the server counts them`
      );
    },
  };
}
