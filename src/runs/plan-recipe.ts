/** @file The plan of a recipe: its images, tokenizer and model's shapes, read without weights; no pixels of files are decoded. */
import { openDataset, teacherResponse, type Dataset, type Sample } from "../datasets/index.js";
import { adaptedModules } from "../engines/local/model-state.js";
import { coordinateProfiles } from "../geometry/profiles.js";
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
  type PlanPrices,
  type PlanSample,
} from "./plan.js";
import type { LoadedRecipe } from "./recipe.js";
import type { Recipe } from "./recipe-schema.js";

/** Options of {@link planRecipe}. */
export interface PlanOptions {
  /** Training images to look at, evenly spread. @default 64 */
  readonly images?: number;
  readonly prices?: PlanPrices;
}

/** Tokens of pictures, prompts and complete answers of some images of a dataset. */
async function look(
  dataset: Dataset,
  count: number,
  recipe: Recipe,
  processor: QwenProcessor,
): Promise<PlanSample> {
  const { labels, inDomain: _ } = recipe.data;
  const text = promptText(recipe.prompt, labels, recipe.profile);
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
      const canvas =
        coordinateProfiles[recipe.profile ?? "absolute"] === "model" ? model : { width: 1000, height: 1000 };
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
  const [config, processor] = await Promise.all([loadConfig(directory), loadProcessor(directory)]);
  const train = await openDataset(recipe.data.train, { baseDir: folder });
  const sets: Record<string, number> = {};
  for (const [name, spec] of Object.entries(recipe.data.eval))
    sets[name] = (await openDataset(spec, { baseDir: folder })).length;
  const sample = await look(train, options.images ?? 64, recipe, processor);
  const parts = planParts(recipe, sample, sets);
  const { trainable } = recipe;
  let adapters: number | undefined;
  if (trainable.kind === "lora") {
    const { rank, alpha, targets, vision } = trainable;
    const { modules } = adaptedModules(config, {
      kind: "lora",
      rank,
      alpha,
      targets,
      freezeVision: vision === "frozen",
    });
    const shapes = parameterShapes(config);
    adapters = modules.reduce((sum, module) => {
      const [out = 0, width = 0] = shapes.get(`${module}.weight`) ?? [];
      return sum + rank * (out + width);
    }, 0);
  }
  const response = recipe.kind === "grpo" ? recipe.grpo.sampling.maxTokens : sample.answer.max;
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
    memory: planMemory(config, recipe, { prompt: sample.prompt.max, response }, adapters),
    cost: options.prices === undefined ? null : planCost(parts, options.prices),
  };
}
