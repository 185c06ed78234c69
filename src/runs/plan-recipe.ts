/** @file The plan of a recipe: its images, tokenizer and model's shapes, read without weights; no pixels of files are decoded. */
import { openDataset, teacherResponse, type Dataset, type Sample } from "../datasets/index.js";
import { adaptedModules } from "../engines/local/model-state.js";
import { loadRemoteProcessor } from "../engines/tinker/vision-profile.js";
import { coordinateProfiles, type CoordinateProfile } from "../geometry/profiles.js";
import {
  loadConfig,
  loadProcessor,
  parameterShapes,
  smartResize,
  type QwenProcessor,
} from "../qwen/index.js";
import { promptText } from "../response/prompt.js";
import { modelFolder } from "./parts.js";
import {
  lengthsOf,
  longestResponse,
  partTokens,
  planCost,
  planMemory,
  planParts,
  type Plan,
  type PlanMemory,
  type PlanPrices,
  type PlanSample,
} from "./plan.js";
import { readModelTask } from "./model-task.js";
import { loadServerShape, planServer } from "./plan-server.js";
import type { LoadedRecipe } from "./recipe.js";
import type { Recipe } from "./recipe-schema.js";

/** Options of {@link planRecipe}. */
export interface PlanOptions {
  /** Training images to look at, evenly spread. @default 64 */
  readonly images?: number;
  readonly prices?: PlanPrices;
  /** Of the server, for engine `tinker`. @default 1 */
  readonly gpus?: number;
}

/** What makes prompts, and which numbers the model speaks: of a server's model as its pictures are sent. */
interface PlanText {
  readonly processor: QwenProcessor;
  readonly profile: CoordinateProfile;
}

async function openText(directory: string, recipe: Recipe): Promise<PlanText> {
  const { kind, maxPixels } = recipe.engine;
  if (kind === "local") {
    const profile = recipe.profile ?? (await readModelTask(directory)).profile;
    return { processor: await loadProcessor(directory, { maxPixels }), profile };
  }
  const { processor, profile } = await loadRemoteProcessor(directory, {
    ...(maxPixels !== undefined && { maxPixels }),
  });
  return { processor, profile: recipe.profile ?? profile.coordinates };
}

/** Of the embedded engine. */
async function localMemory(
  directory: string,
  recipe: Recipe,
  lengths: { readonly prompt: number; readonly response: number },
): Promise<PlanMemory> {
  const config = await loadConfig(directory);
  const { trainable } = recipe;
  if (trainable.kind === "full") return planMemory(config, recipe, lengths);
  const { rank, alpha, targets, vision } = trainable;
  const { modules } = adaptedModules(config, {
    kind: "lora",
    rank,
    alpha,
    targets,
    freezeVision: vision === "frozen",
  });
  const shapes = parameterShapes(config);
  const adapters = modules.reduce((sum, module) => {
    const [out = 0, width = 0] = shapes.get(`${module}.weight`) ?? [];
    return sum + rank * (out + width);
  }, 0);
  return planMemory(config, recipe, lengths, adapters);
}

/** Tokens of pictures, prompts and complete answers of some images of a dataset. */
async function look(
  dataset: Dataset,
  count: number,
  recipe: Recipe,
  { processor, profile }: PlanText,
): Promise<PlanSample> {
  const { labels, inDomain: _ } = recipe.data;
  const text = promptText(recipe.prompt, labels, profile);
  // The words around a picture are the same for all: rendered once, with a picture of the smallest size.
  const side = processor.image.patchSize * processor.image.mergeSize;
  const blank = { width: side, height: side, data: new Uint8Array(3 * side * side) };
  const words = processor
    .encodePrompt({ text, images: [blank] })
    .reduce((sum, chunk) => sum + (chunk.kind === "text" ? chunk.tokens.length : 0), 0);
  const images = Math.min(count, dataset.length);
  const rows = await Promise.all(
    Array.from({ length: images }, async (_unused, i) => {
      const sample: Sample = await dataset.at(Math.floor((i * dataset.length) / images));
      const model = smartResize(sample, processor.image);
      const canvas = coordinateProfiles[profile] === "model" ? model : { width: 1000, height: 1000 };
      const said = teacherResponse(sample, { labels, modelSize: canvas });
      return {
        picture: (model.width * model.height) / side ** 2,
        answer: processor.tokenizer.encode(said.text).length + 1,
        objects: said.answer.length,
      };
    }),
  );
  const limit = longestResponse(recipe);
  const answers = rows.map(({ answer }) => answer);
  const objects = lengthsOf(rows.map((row) => row.objects));
  return {
    images,
    prompt: lengthsOf(rows.map(({ picture }) => picture + words)),
    picture: lengthsOf(rows.map(({ picture }) => picture)),
    answer: lengthsOf(answers),
    answerWithin: lengthsOf(answers.map((length) => Math.min(length, limit))).mean,
    truncatedShare: answers.filter((length) => length > limit).length / Math.max(1, images),
    objects: { mean: objects.mean, max: objects.max },
  };
}

/**
 * Plans a run. Reads configuration, tokenizer and annotations; no weights.
 * @throws InputError for data or models that are not there, or adapters that fit no layer.
 */
export async function planRecipe(loaded: LoadedRecipe, options: PlanOptions = {}): Promise<Plan> {
  const { recipe, folder } = loaded;
  const directory = modelFolder(loaded);
  const { processor, profile } = await openText(directory, recipe);
  const train = await openDataset(recipe.data.train, { baseDir: folder });
  const sets: Record<string, number> = {};
  for (const [name, spec] of Object.entries(recipe.data.eval))
    sets[name] = (await openDataset(spec, { baseDir: folder })).length;
  const sample = await look(train, options.images ?? 64, recipe, { processor, profile });
  const parts = planParts(recipe, sample, sets);
  const response = recipe.kind === "grpo" ? recipe.grpo.sampling.maxTokens : sample.answer.max;
  const lengths = { prompt: sample.prompt.max, response };
  const served = recipe.engine.kind === "tinker";
  const tokens = parts.map(partTokens);
  return {
    kind: recipe.kind,
    steps: recipe.kind === "grpo" ? recipe.grpo.steps : recipe.sft.steps,
    minutes: (recipe.kind === "grpo" ? recipe.grpo.minutes : recipe.sft.minutes) ?? null,
    sample,
    parts,
    tokens: {
      expected: tokens.reduce((sum, { expected }) => sum + expected, 0),
      most: tokens.reduce((sum, { most }) => sum + most, 0),
    },
    memory: served ? null : await localMemory(directory, recipe, lengths),
    server: served ? planServer(await loadServerShape(directory), recipe, lengths, options.gpus ?? 1) : null,
    cost: options.prices === undefined ? null : planCost(parts, options.prices),
  };
}
