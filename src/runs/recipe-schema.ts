/**
 * @file What a recipe may say: every choice of a run, its default and its bounds (design, sections 3 and 4).
 * The schema is strict: a key it does not know is an error, never ignored.
 */
import { z } from "zod";
import { datasetSpecSchema } from "../datasets/index.js";
import { promptNames } from "../response/index.js";

const positiveInt = z.number().int().positive();
const share = z.number().min(0).max(1);
const nonNegative = z.number().min(0);

/** A server of the Tinker API (docs/cluster.md). Its key comes from the environment only (TINKER_API_KEY). */
export const serverSchema = z.strictObject({
  /** As http://host:port. @default TINKER_BASE_URL */
  url: z.url({ protocol: /^https?$/ }).optional(),
  /** The model as the server names it. @default its only one */
  baseModel: z.string().min(1).optional(),
  /** Tokens of prompt and response at most, where it is less than the model has room for. */
  contextLength: positiveInt.optional(),
  /** Sampling requests under way together. @default 64 */
  concurrency: positiveInt.optional(),
  /** The run stops, to be resumed, before it spends more tokens than this. */
  maxTokensBudget: positiveInt.optional(),
  /** What is known of the server and need not be found out. */
  traits: z
    .strictObject({
      normalization: z.enum(["sum", "mean"]).optional(),
      policyLoss: z.enum(["ppo", "importance_sampling"]).optional(),
      promptLogprobs: z.boolean().optional(),
      images: z.boolean().optional(),
      isolatedSamplers: z.boolean().optional(),
      keptSamplers: z.boolean().optional(),
      gradNorm: z.boolean().optional(),
      deduplicates: z.boolean().optional(),
    })
    .optional(),
});

/** Where the policy is computed. */
export const engineSchema = z.strictObject({
  /** `local` is the embedded engine, `tinker` a server of the Tinker API. @default "local" */
  kind: z.enum(["local", "tinker"]).default("local"),
  /** Folder of a Hugging Face checkpoint (config.json, *.safetensors, tokenizer.json; no weights for `tinker`). */
  model: z.string().min(1),
  /** ONNX Runtime's provider: `webgpu` runs on any vendor's GPU. @default "cpu" */
  device: z.enum(["cpu", "webgpu"]).default("cpu"),
  /**
   * Pixels of a picture at most; larger ones are shrunk. What a run on `local` writes says so too.
   * @default what the model folder says; for `tinker` the model family's budget
   */
  maxPixels: positiveInt.optional(),
  /** For `tinker`. */
  server: serverSchema.optional(),
});

const vision = z.enum(["frozen", "trained"]).default("frozen");

/** Which weights learn. */
export const trainableSchema = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("full"),
    /** The vision tower learns too, or not. @default "frozen" */
    vision,
  }),
  z.strictObject({
    kind: z.literal("lora"),
    /** Rank of the update. @default 16 */
    rank: positiveInt.default(16),
    /** The update is scaled by alpha / rank. @default 32 */
    alpha: z.number().positive().default(32),
    /**
     * Linear layers that get an adapter, by PEFT's `target_modules` rules: names or their last parts, one regular
     * expression over whole names, or `all-linear`. Layers of a frozen vision tower never get one.
     */
    targets: z
      .union([z.string().min(1), z.array(z.string().min(1)).min(1)])
      .default(["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]),
    vision,
  }),
]);

/** The three rewards and their sum (design, 4.2 to 4.5). */
export const rewardsSchema = z.strictObject({
  weights: z
    .strictObject({
      format: nonNegative.default(0.5),
      look: nonNegative.default(0.5),
      accuracy: nonNegative.default(1),
    })
    .prefault({}),
  accuracy: z
    .strictObject({
      shape: z
        .discriminatedUnion("kind", [
          z.strictObject({
            kind: z.literal("linear"),
            precisionWeight: nonNegative.default(1),
            recallWeight: nonNegative.default(1),
          }),
          z.strictObject({ kind: z.literal("fbeta"), beta: z.number().positive().default(1) }),
        ])
        .prefault({ kind: "linear" }),
      /** A prediction hits from this IoU on. @default 0.5 */
      iouThreshold: z.number().gt(0).max(1).default(0.5),
      /** A hit counts its IoU instead of 1. @default false */
      soft: z.boolean().default(false),
    })
    .prefault({}),
  look: z
    .strictObject({
      kind: z
        .enum(["count-variance", "occupancy-variance", "instance-variance", "hit-variance"])
        .default("count-variance"),
      /** Cells along the longer side. @default 64 */
      cells: positiveInt.max(1024).default(64),
      /** Whose disagreement pays: the whole group's, or that of the others, which a response cannot make itself. @default "group" */
      over: z.enum(["group", "others"]).optional(),
    })
    .prefault({}),
});

/** AdamW and its schedule. */
export const optimizerSchema = z.strictObject({
  learningRate: z.number().positive().default(2e-5),
  /** Course of the learning rate over the run (its steps, or its minutes where those end it) after the warm-up. @default "constant" */
  schedule: z.enum(["constant", "linear", "cosine"]).default("constant"),
  /** Steps over which the rate rises from 0. @default 0 */
  warmupSteps: z.number().int().min(0).default(0),
  /** `linear` and `cosine` end at this share of the rate. @default 0 */
  finalShare: share.default(0),
  /** Decoupled weight decay. @default 0 */
  weightDecay: nonNegative.default(0),
  beta1: z.number().min(0).lt(1).default(0.9),
  beta2: z.number().min(0).lt(1).default(0.999),
  eps: z.number().positive().default(1e-8),
  /** The global gradient norm is scaled down to this; 0 = no clipping. @default 1 */
  maxGradNorm: nonNegative.default(1),
  /** The rate of vectors (gains of norms, biases) is this many times that of matrices. @default 1 */
  vectorRateFactor: z.number().positive().default(1),
});

/** How responses are drawn. */
export const samplingSchema = z.strictObject({
  /** @default 1 */
  temperature: z.number().positive().default(1),
  /** @default 1 */
  topP: z.number().gt(0).max(1).default(1),
  /** 0 = all tokens. @default 0 */
  topK: z.number().int().min(0).default(0),
  /** Longest response, in tokens. @default 256 */
  maxTokens: positiveInt.default(256),
  /** A response that writes one box this often within one section is ended; 0 = never. @default 4 */
  maxBoxRepeats: z.number().int().min(0).default(4),
});

/** GRPO (design, 4.5). */
export const grpoSchema = z.strictObject({
  /** Optimiser steps at most; what ends first, steps or minutes, ends the run. */
  steps: positiveInt.default(200),
  /** Minutes of training at most; absent = no limit. */
  minutes: z.number().positive().optional(),
  /** Images (groups) in a step. @default 8 */
  imagesPerStep: positiveInt.default(8),
  /** Responses to each image; the look reward needs two or more. @default 8 */
  groupSize: positiveInt.min(2).default(8),
  /** Optimiser passes over one batch of rollouts. @default 1 */
  iterations: positiveInt.default(1),
  /** Optimiser steps in a pass; groups stay whole. @default 1 */
  minibatches: positiveInt.default(1),
  /** Tokens of one forward and backward pass at most (memory); absent = all at once. */
  tokenBudget: positiveInt.optional(),
  /** Log-probabilities of the ratio's denominator: the sampler's own, or computed again. @default "sampled" */
  oldLogprobs: z.enum(["sampled", "recomputed"]).default("sampled"),
  /**
   * Batches that are sampled ahead while earlier ones train: that of a step comes from the weights of so many steps before
   * it, and the ratio is that to those weights. 0 = on policy. @default 0
   */
  maxStaleness: z.number().int().min(0).default(0),
  sampling: samplingSchema.prefault({}),
  clip: z.strictObject({ low: share.default(0.2), high: nonNegative.default(0.2) }).prefault({}),
  kl: z
    .strictObject({
      /** 0 = no reference model. @default 0.04 */
      beta: nonNegative.default(0.04),
      estimator: z.enum(["k1", "k2", "k3"]).default("k3"),
      /** A term of the loss, or folded into the token advantages. @default "loss" */
      placement: z.enum(["loss", "reward"]).default("loss"),
    })
    .prefault({}),
  /** `group` divides by the group's standard deviation, `center` does not, `batch` divides by the batch's. */
  advantage: z.enum(["group", "center", "batch"]).default("group"),
  /** What the loss is averaged over: `constant` is Dr. GRPO. @default "token" */
  aggregation: z.enum(["token", "sequence", "constant"]).default("token"),
  credit: z
    .discriminatedUnion("kind", [
      /** Every token of a response gets the response's advantage (the paper's GRPO). */
      z.strictObject({ kind: z.literal("response") }),
      /** The tokens of a box also get the box's own marginal worth. */
      z.strictObject({
        kind: z.literal("box"),
        mix: share.default(0.7),
        /** A box's worth is compared with that of all the group's boxes, or of those for the same object. */
        baseline: z.enum(["group", "object"]).default("group"),
        /** Share of the box's part that each of its numbers takes by its own worth instead. */
        coordinates: share.default(0),
      }),
    ])
    .prefault({ kind: "response" }),
  /** Leave responses that were cut off out of the loss. @default false */
  maskTruncated: z.boolean().default(false),
  optimizer: optimizerSchema.prefault({}),
});

/** Supervised fine-tuning on teacher text made from ground truth, with the same prompts. */
export const sftSchema = z.strictObject({
  steps: positiveInt.default(1000),
  minutes: z.number().positive().optional(),
  /** Images in a step. @default 16 */
  batchSize: positiveInt.default(16),
  /** Tokens of one forward and backward pass at most (memory); absent = all at once. */
  tokenBudget: positiveInt.optional(),
  optimizer: optimizerSchema.prefault({ learningRate: 2e-4 }),
});

/** When and how the policy is judged on the `data.eval` sets. */
export const evaluationSchema = z.strictObject({
  /** Steps between two evaluations during training; 0 = only before and after. @default 0 */
  every: z.number().int().min(0).default(0),
  /** Images of each set at most. @default 64 */
  images: positiveInt.default(64),
  /** Sampled responses an image (temperature 1) beside the greedy one; 0 = greedy only. @default 4 */
  samples: z.number().int().min(0).default(4),
  /** Other numbers for the sets that are not in-domain. */
  outOfDomain: z
    .strictObject({ images: positiveInt.optional(), samples: z.number().int().min(0).optional() })
    .prefault({}),
  /** Longest response, tokens. @default 256 */
  maxTokens: positiveInt.default(256),
  /** A response that writes one box this often within one section is ended; 0 = never. @default 4 */
  maxBoxRepeats: z.number().int().min(0).default(4),
  /** Images decoded together. @default 8 */
  batchSize: positiveInt.default(8),
  /** Minutes of one round over all sets at most; images it does not reach are left out of every round. */
  minutes: z.number().positive().optional(),
});

/** What is kept to go on from. */
export const checkpointsSchema = z.strictObject({
  /** Steps between two checkpoints; one is always made at the end. @default 20 */
  every: positiveInt.default(20),
  /** How many of the last are kept. @default 2 */
  keep: positiveInt.default(2),
});

/** What is written down beside the metrics and every response. */
export const recordsSchema = z.strictObject({
  /** Steps between two whose tokens are kept in tokens.jsonl, one by one; 0 = none. @default 10 */
  tokensEvery: z.number().int().min(0).default(10),
});

const common = {
  /** Named preset whose values stand where the recipe is silent. */
  preset: z.enum(["paper", "recommended"]).optional(),
  /** Name of the run, used for its folder. */
  name: z
    .string()
    .regex(/^[\w.-]+$/, "letters, digits, dots, dashes and underscores only")
    .default("run"),
  seed: z
    .number()
    .int()
    .min(-(2 ** 31))
    .max(2 ** 31 - 1)
    .default(0),
  engine: engineSchema,
  trainable: trainableSchema.prefault({ kind: "full" }),
  data: z.strictObject({
    train: datasetSpecSchema,
    /** Sets to judge on, by name. */
    eval: z.record(z.string().min(1), datasetSpecSchema).default({}),
    /** Which of them are of the domain trained on. @default the first */
    inDomain: z.array(z.string()).optional(),
    /** What to find; other objects are not counted. @default ["person"] */
    labels: z.array(z.string().min(1)).min(1).default(["person"]),
  }),
  /** Name of the prompt (src/response). */
  prompt: z.enum(promptNames).default("dip-r1"),
  /** Which numbers the model speaks: `absolute` (Qwen2.5-VL) or `norm1000` (Qwen2-VL, Qwen3-VL). @default the model's own, as its dip-r1.json says, else absolute */
  profile: z.enum(["absolute", "norm1000"]).optional(),
  evaluation: evaluationSchema.prefault({}),
  checkpoints: checkpointsSchema.prefault({}),
  records: recordsSchema.prefault({}),
  rewards: rewardsSchema.prefault({}),
};

/** A recipe: one run's whole configuration. */
export const recipeSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("grpo"), ...common, grpo: grpoSchema.prefault({}) }),
  z.strictObject({ kind: z.literal("sft"), ...common, sft: sftSchema.prefault({}) }),
]);

/** A checked recipe with every default filled in. */
export type Recipe = z.output<typeof recipeSchema>;
/** A recipe that trains by GRPO. */
export type GrpoRecipe = Extract<Recipe, { kind: "grpo" }>;
/** A recipe that trains by SFT. */
export type SftRecipe = Extract<Recipe, { kind: "sft" }>;
