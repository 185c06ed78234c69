/** @file What a run on a server of the Tinker API works with: text and pictures prepared here, weights there. */
import {
  codeFingerprint,
  deriveSeed,
  fingerprintPath,
  InputError,
  silentLogger,
  type Logger,
} from "../base/index.js";
import type { TinkerEngine } from "../engines/tinker/engine.js";
import type { CoordinateProfile } from "../geometry/profiles.js";
import { qwenCodec, qwenEncoder, qwenTeacher, type GrpoConfig } from "../rl/index.js";
import type { OpenedData, RunParts } from "./run-parts.js";
import { environmentVersions } from "./environment.js";
import type { LoadedRecipe } from "./recipe.js";

/** What does not go together with a server, before anything is asked of it. */
export function checkTinkerRecipe({ recipe, path }: LoadedRecipe): void {
  const fail = (key: string, why: string, hint: string): never => {
    throw new InputError(`${path}: "${key}": ${why}`, { hint });
  };
  if (recipe.kind === "grpo") {
    if (recipe.grpo.sampling.temperature !== 1)
      fail(
        "grpo.sampling.temperature",
        "servers of the Tinker API train at temperature 1 only",
        "Set it to 1.",
      );
    if (recipe.grpo.tokenBudget !== undefined)
      fail("grpo.tokenBudget", "the server splits batches itself", "Leave it out with engine.kind tinker.");
  } else if (recipe.sft.tokenBudget !== undefined)
    fail("sft.tokenBudget", "the server splits batches itself", "Leave it out with engine.kind tinker.");
}

/** A recipe's choices as the server can have them: it has no KL term in its losses. */
export function fitToServer<C extends Pick<GrpoConfig, "kl">>(config: C): C {
  return config.kl.placement === "loss" && config.kl.beta > 0
    ? { ...config, kl: { ...config.kl, placement: "reward" } }
    : config;
}

function notes(engine: TinkerEngine, { recipe }: LoadedRecipe): string[] {
  const folded =
    recipe.kind === "grpo" && fitToServer(recipe.grpo) !== recipe.grpo
      ? [
          'kl.placement "loss" cannot be had from this server: the penalty is folded into the token advantages ("reward").',
        ]
      : [];
  const trainable =
    recipe.trainable.kind === "lora"
      ? [
          "Of trainable only the rank reaches the server; alpha, targets and the vision tower are its own settings.",
        ]
      : [];
  return [...engine.notes, ...folded, ...trainable];
}

/**
 * Connects to the recipe's server and opens everything else here.
 *
 * @param data Opened already, so that a wrong path shows first.
 * @throws InputError, UnavailableError or TinkerError before training starts.
 */
export async function openTinkerParts(
  loaded: LoadedRecipe,
  modelDir: string,
  data: OpenedData,
  logger: Logger = silentLogger,
): Promise<RunParts> {
  checkTinkerRecipe(loaded);
  const { recipe } = loaded;
  const { server, maxPixels } = recipe.engine;
  const { createTinkerEngine } = await import("../engines/tinker/engine.js");
  const { loadRemoteProcessor, probePicture } = await import("../engines/tinker/vision-profile.js");
  const remote = await loadRemoteProcessor(modelDir, {
    ...(maxPixels !== undefined && { maxPixels }),
  });
  const { processor, endTokens } = remote;
  const decoder = new TextDecoder();
  const engine = await createTinkerEngine({
    ...(server?.url !== undefined && { baseUrl: server.url }),
    ...(server?.baseModel !== undefined && { baseModel: server.baseModel }),
    ...(server?.maxTokensBudget !== undefined && { maxTokensBudget: server.maxTokensBudget }),
    ...(server?.traits && { traits: server.traits }),
    limits: { ...(server?.concurrency !== undefined && { samplingInFlight: server.concurrency }) },
    contextLength: Math.min(remote.contextLength, server?.contextLength ?? Infinity),
    rank: recipe.trainable.kind === "lora" ? recipe.trainable.rank : 0,
    seed: recipe.seed,
    picture: probePicture(remote),
    pieceOf: (id) => decoder.decode(processor.tokenizer.bytesOf(id)),
    tags: ["dip-r1", recipe.name],
    logger,
  });
  const found = Object.entries(engine.traits).map(([name, value]) => `${name}: ${String(value)}`);
  logger.info(`engine.server.traits, as found out (or given): { ${found.join(", ")} }`);
  try {
    if (!engine.capabilities.images)
      throw new InputError(`The server does not take pictures for "${engine.capabilities.model}".`, {
        hint: "SkyRL's JAX backend is for text only: start it with --backend fsdp (docs/cluster.md).",
      });
    const { labels } = recipe.data;
    const profile: CoordinateProfile = recipe.profile ?? remote.profile.coordinates;
    return {
      engine,
      profile,
      codec: qwenCodec(processor, endTokens),
      encode: qwenEncoder(processor, { prompt: recipe.prompt, labels, profile }),
      teach: qwenTeacher({ labels }),
      source: data.source(deriveSeed(recipe.seed, "data")),
      sets: data.sets,
      provenance: {
        data: data.fingerprints,
        model: await fingerprintPath(modelDir),
        code: await codeFingerprint(),
        versions: await environmentVersions(),
      },
      warnings: [...data.warnings, ...notes(engine, loaded)],
      fitGrpo: fitToServer,
      summary() {
        const { prompt, sampled, trained } = engine.usage;
        return `tokens on the server: ${prompt} of prompts, ${sampled} sampled, ${trained} trained`;
      },
    };
  } catch (error) {
    await engine.close();
    throw error;
  }
}
