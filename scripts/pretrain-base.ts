/**
 * @file Pretrains a small base model of recipes/base*.yaml, or goes on where an earlier run was stopped:
 *
 *     npx tsx scripts/pretrain-base.ts FOLDER [--recipe FILE] [--minutes N]
 *
 * FOLDER gets metrics.jsonl, checkpoints and, at the end, `model/`, which is what ships under models/.
 */
import { appendFile, mkdir, readdir, readFile, rm } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { parse } from "yaml";
import { z } from "zod";
import { createRng, deriveSeed } from "../src/base/index.js";
import { generateScene } from "../src/datasets/scenes/index.js";
import { TEACHER_VOCABULARY } from "../src/datasets/teacher.js";
import type { Sample } from "../src/datasets/sample.js";
import { createLocalEngine, type LocalEngine } from "../src/engines/local/engine.js";
import { loadConfig } from "../src/qwen/config.js";
import { writeUntrainedModel } from "../src/qwen/model-folder.js";
import { promptText } from "../src/response/prompt.js";
import { defaultRewardConfig } from "../src/rewards/index.js";
import { generatedSource } from "../src/rl/batches.js";
import { evaluateImages } from "../src/rl/evaluate.js";
import { summarizeEvaluation } from "../src/rl/evaluation-summary.js";
import { withDenseLoss } from "../src/rl/pretraining.js";
import { qwenCodec, qwenEncoder, qwenTeacher } from "../src/rl/qwen-samples.js";
import { sft } from "../src/rl/sft.js";
import { writeModelTask } from "../src/runs/model-task.js";

const positive = z.int().positive();
const sizes = z.array(z.tuple([positive, positive])).nonempty();
const recipeSchema = z.strictObject({
  seed: z.int(),
  model: z.strictObject({
    vision: z.strictObject({
      depth: positive,
      hiddenSize: positive,
      heads: positive,
      intermediateSize: positive,
      patchSize: positive,
      mergeSize: positive,
      windowSize: positive,
      fullAttentionBlocks: z.array(z.int().nonnegative()),
    }),
    text: z.strictObject({
      hiddenSize: positive,
      layers: positive,
      heads: positive,
      kvHeads: positive,
      intermediateSize: positive,
      ropeTheta: z.number().positive(),
      mropeSection: z.tuple([positive, positive, positive]),
      maxPositions: positive,
    }),
    minPixels: positive,
    maxPixels: positive,
  }),
  /** Of the weights that are written at the end. @default "float32" */
  dtype: z.enum(["float32", "bfloat16", "float16"]).default("float32"),
  prompt: z.string(),
  labels: z.array(z.string()),
  steps: positive,
  batchSize: positive,
  /** Padded tokens of a text microbatch. */
  tokenBudget: positive,
  denseWeight: z.number().nonnegative(),
  optimizer: z.strictObject({
    learningRate: z.number().positive(),
    schedule: z.enum(["constant", "linear", "cosine", "wsd"]),
    warmupSteps: z.int(),
    decaySteps: z.int(),
    finalShare: z.number(),
    weightDecay: z.number(),
    maxGradNorm: z.number(),
  }),
  phases: z
    .array(
      z.strictObject({
        from: z.int().nonnegative(),
        sizes,
        people: z.strictObject({ min: z.int(), max: z.tuple([positive, positive]) }),
        /** Share of scenes from the dense slice. */
        dense: z.number().min(0).max(1).default(0),
        personHeight: z.tuple([z.number(), z.number()]).optional(),
      }),
    )
    .nonempty(),
});
type BaseRecipe = z.infer<typeof recipeSchema>;

/** Writes an untrained model folder; its weights last, for a resumed run looks for them. */
async function initialize(folder: string, { model, prompt, labels, seed }: BaseRecipe): Promise<void> {
  await writeModelTask(folder, { prompt, labels, profile: "absolute" });
  await writeUntrainedModel(folder, {
    ...model,
    text: { ...model.text, tieWordEmbeddings: true },
    tokenizer: { labels, words: [...TEACHER_VOCABULARY], phrases: [promptText(prompt, labels)] },
    seed,
  });
}

/** Scene number `index` of the curriculum. */
function sceneAt(recipe: BaseRecipe, index: number): Sample {
  const at = recipe.phases.findLastIndex(({ from }) => from <= index);
  const phase = recipe.phases[at]!;
  const end = recipe.phases[at + 1]?.from ?? recipe.steps * recipe.batchSize;
  const [first, last] = phase.people.max;
  const progress = (index - phase.from) / Math.max(1, end - phase.from);
  const max = Math.min(last, first + Math.floor(progress * (last - first + 1)));
  // One size a batch: images of a batch then need no padding.
  const batch = Math.floor(index / recipe.batchSize);
  const [width, height] = createRng(deriveSeed(recipe.seed, "size", batch)).pick(phase.sizes);
  const dense = createRng(deriveSeed(recipe.seed, "dense", index)).next() < phase.dense;
  return generateScene({
    look: "plaza",
    seed: recipe.seed,
    index,
    width,
    height,
    dense,
    ...(!dense && { people: { min: Math.min(phase.people.min, max), max } }),
    ...(phase.personHeight &&
      !dense && { personHeight: { min: phase.personHeight[0], max: phase.personHeight[1] } }),
  });
}

/** Greedy numbers on scenes that training never sees (another seed). */
async function judge(engine: LocalEngine, recipe: BaseRecipe, images: number) {
  const sampler = await engine.sampler();
  const codec = qwenCodec(engine.processor);
  const encode = qwenEncoder(engine.processor, recipe);
  const run = async (options: { dense?: boolean; temperature?: number }) => {
    const samples = Array.from({ length: images }, (_, index) =>
      generateScene({
        look: "plaza",
        seed: 777,
        index,
        width: 112,
        height: 112,
        dense: options.dense ?? false,
      }),
    );
    const records = [];
    const config = {
      maxTokens: 320,
      maxBoxRepeats: 4,
      batchSize: 32,
      rewards: defaultRewardConfig,
      temperature: options.temperature ?? 0,
    };
    for await (const record of evaluateImages({ sampler, samples, encode, codec, config }))
      records.push(record);
    const { precision, recall, f1, strictShare, counting } = summarizeEvaluation(records);
    return { precision, recall, f1, strict: strictShare, countMae: counting.mae };
  };
  const result = {
    greedy: await run({}),
    sampled: await run({ temperature: 1 }),
    dense: await run({ dense: true }),
  };
  await sampler.close();
  return result;
}

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      minutes: { type: "string", default: "100000" },
      recipe: { type: "string", default: "recipes/base.yaml" },
    },
  });
  const [folder] = positionals;
  if (folder === undefined)
    throw new Error("usage: npx tsx scripts/pretrain-base.ts FOLDER [--recipe FILE] [--minutes N]");
  const recipe = recipeSchema.parse(parse(await readFile(values.recipe, "utf8")));
  const initial = join(folder, "initial");
  if (!existsSync(join(initial, "model.safetensors"))) await initialize(initial, recipe);
  const engine = await createLocalEngine({
    modelDir: initial,
    denseHead: recipe.denseWeight > 0,
    tokenBudget: recipe.tokenBudget,
  });
  console.log(`${(await loadConfig(initial)).text.vocabSize} tokens in the vocabulary`);
  const checkpoints = join(folder, "checkpoints");
  await mkdir(checkpoints, { recursive: true });
  const saved = (await readdir(checkpoints)).filter((name) => /^\d+$/.test(name)).sort();
  let step = 0;
  const latest = saved.at(-1);
  if (latest !== undefined) {
    step = Number(latest);
    await engine.load({ path: join(checkpoints, latest), step });
    console.log(`going on from step ${step}`);
  }
  const save = async (at: number) => {
    await engine.save(join(checkpoints, String(at).padStart(8, "0")));
    const old = (await readdir(checkpoints))
      .filter((name) => /^\d+$/.test(name))
      .sort()
      .slice(0, -2);
    for (const name of old) await rm(join(checkpoints, name), { recursive: true });
  };
  const codec = qwenCodec(engine.processor);
  const { engine: wrapped, encode } = withDenseLoss(
    engine,
    qwenEncoder(engine.processor, recipe),
    recipe.denseWeight,
  );
  const started = performance.now();
  const minutes = () => (performance.now() - started) / 60_000;
  let since = { step, minutes: 0, loss: 0 };
  for await (const event of sft({
    engine: wrapped,
    source: generatedSource((index) => sceneAt(recipe, index)),
    encode,
    teach: qwenTeacher({ labels: recipe.labels }),
    codec,
    config: { steps: recipe.steps, batchSize: recipe.batchSize, optimizer: recipe.optimizer },
    state: { step, cursor: step * recipe.batchSize },
  })) {
    since.loss += event.metrics.loss;
    if (event.step % 100 === 0) {
      const count = event.step - since.step;
      const line = {
        step: event.step,
        samples: event.step * recipe.batchSize,
        minutes: +minutes().toFixed(2),
        loss: +(since.loss / count).toFixed(4),
        samplesPerSecond: +((count * recipe.batchSize) / (60 * (minutes() - since.minutes))).toFixed(1),
        gradNorm: +event.metrics.gradNorm.toFixed(3),
        graphs: engine.graphsBuilt,
        rss: Math.round(process.memoryUsage().rss / 2 ** 20),
        seconds: event.metrics.seconds,
        ...(event.step % 1000 === 0 && (await judge(engine, recipe, 64))),
      };
      since = { step: event.step, minutes: minutes(), loss: 0 };
      console.log(JSON.stringify(line));
      await appendFile(join(folder, "metrics.jsonl"), JSON.stringify(line) + "\n");
    }
    if (event.step % 500 === 0) await save(event.step);
    if (minutes() > Number(values.minutes)) {
      await save(event.step);
      break;
    }
  }
  const model = join(folder, "model");
  await engine.exportModel(model, { dtype: recipe.dtype });
  const { prompt, labels } = recipe;
  await writeModelTask(model, { prompt, labels, profile: "absolute" });
  await engine.close();
}

await main();
