/**
 * @file What a checkpoint says about its pictures, read from preprocessor_config.json (the hub) or
 * processor_config.json (transformers 5).
 */
import { join } from "node:path";
import { z } from "zod";
import { writeJsonAtomic } from "../base/atomic-file.js";
import { InputError } from "../base/errors.js";
import { readJsonIfAny } from "./files.js";
import { count, readWith } from "./schema.js";

/** How a picture becomes pixel values. */
export interface ImageProcessorConfig {
  /** Side of a patch in pixels. */
  readonly patchSize: number;
  /** Patches along the side of one merged token. */
  readonly mergeSize: number;
  /** How often a still picture is repeated to fill a temporal patch. */
  readonly temporalPatchSize: number;
  /** Pictures with fewer pixels are enlarged. */
  readonly minPixels: number;
  /** Pictures with more pixels are shrunk. */
  readonly maxPixels: number;
  /** Per channel, of values 0..1. */
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

/** Mean of red, green and blue (0..1) in OpenAI CLIP's training images: what Qwen2.5-VL subtracts. */
export const CLIP_MEAN = [0.48145466, 0.4578275, 0.40821073] as const;
/** Their standard deviations, by which Qwen2.5-VL then divides. */
export const CLIP_STD = [0.26862954, 0.26130258, 0.27577711] as const;

/** Where published folders have it, and where transformers 5 writes it (in its section `image_processor`). */
const PLAIN_FILE = "preprocessor_config.json";
const NESTED_FILE = "processor_config.json";

const BICUBIC = 3;
const triple = z.tuple([z.number(), z.number(), z.number()]);
const on = z.literal(true).default(true);
const schema = z.looseObject({
  image_processor_type: z
    .enum([
      "Qwen2VLImageProcessor",
      "Qwen2VLImageProcessorFast",
      "Qwen2_5_VLImageProcessor",
      "Qwen2_5_VLImageProcessorFast",
    ])
    .nullish(),
  patch_size: count.default(14),
  merge_size: count.default(2),
  temporal_patch_size: count.default(2),
  min_pixels: count.nullish(),
  max_pixels: count.nullish(),
  size: z
    .looseObject({
      shortest_edge: count.nullish(),
      longest_edge: count.nullish(),
      min_pixels: count.nullish(),
      max_pixels: count.nullish(),
    })
    .nullish(),
  image_mean: triple.default([...CLIP_MEAN]),
  image_std: triple.default([...CLIP_STD]),
  resample: z.literal(BICUBIC).default(BICUBIC),
  rescale_factor: z
    .number()
    .refine((factor) => Math.abs(factor * 255 - 1) < 1e-6, "only 1/255 is supported")
    .default(1 / 255),
  do_resize: on,
  do_rescale: on,
  do_normalize: on,
});

/**
 * The content of preprocessor_config.json, or of processor_config.json (its `image_processor` section).
 * Absent values are those of transformers' Qwen2VLImageProcessor.
 * @throws InputError naming the key.
 */
export function parseImageProcessorConfig(
  json: unknown,
  where = "preprocessor_config.json",
): ImageProcessorConfig {
  const nested = readWith(
    z.looseObject({ image_processor: z.unknown() }).partial(),
    json,
    where,
  ).image_processor;
  const at = nested === undefined ? where : `${where}: image_processor`;
  const read = readWith(schema, nested ?? json, at);
  const minPixels = read.min_pixels ?? read.size?.shortest_edge ?? read.size?.min_pixels ?? 56 * 56;
  const maxPixels = read.max_pixels ?? read.size?.longest_edge ?? read.size?.max_pixels ?? 28 * 28 * 1280;
  if (minPixels > maxPixels) {
    throw new InputError(`${at}: min_pixels ${minPixels} is more than max_pixels ${maxPixels}`);
  }
  return {
    patchSize: read.patch_size,
    mergeSize: read.merge_size,
    temporalPatchSize: read.temporal_patch_size,
    minPixels,
    maxPixels,
    mean: read.image_mean,
    std: read.image_std,
  };
}

/** The content of a preprocessor_config.json that every version of transformers with Qwen2.5-VL opens. */
export function formatImageProcessorConfig(config: ImageProcessorConfig): unknown {
  return {
    do_convert_rgb: true,
    do_normalize: true,
    do_rescale: true,
    do_resize: true,
    image_mean: config.mean,
    image_processor_type: "Qwen2VLImageProcessor",
    image_std: config.std,
    max_pixels: config.maxPixels,
    merge_size: config.mergeSize,
    min_pixels: config.minPixels,
    patch_size: config.patchSize,
    processor_class: "Qwen2_5_VLProcessor",
    resample: BICUBIC,
    rescale_factor: 1 / 255,
    size: { longest_edge: config.maxPixels, shortest_edge: config.minPixels },
    temporal_patch_size: config.temporalPatchSize,
  };
}

/**
 * The same processor with another budget of pixels.
 * @param maxPixels Pictures with more pixels are shrunk. @default as it is
 * @throws InputError when it is less than the processor's own minPixels.
 */
export function withMaxPixels(config: ImageProcessorConfig, maxPixels?: number): ImageProcessorConfig {
  if (maxPixels === undefined) return config;
  if (maxPixels < config.minPixels) {
    throw new InputError(
      `maxPixels ${maxPixels} is less than the ${config.minPixels} pixels that the model's pictures have at least (min_pixels)`,
    );
  }
  return { ...config, maxPixels };
}

/** The JSON of an image processor with another budget, under every name that a version of transformers reads it by. */
function budgeted(json: object, maxPixels: number): object {
  const size = "size" in json && typeof json.size === "object" ? json.size : null;
  return {
    ...json,
    max_pixels: maxPixels,
    ...(size !== null && {
      size: { ...size, ...("max_pixels" in size ? { max_pixels: maxPixels } : { longest_edge: maxPixels }) },
    }),
  };
}

/** Writes another budget of pixels into a model folder's processor files; what else they say stays. */
export async function saveMaxPixels(directory: string, maxPixels: number): Promise<void> {
  const read = async (name: string): Promise<object | undefined> => {
    const json = await readJsonIfAny(join(directory, name));
    return typeof json === "object" && json !== null ? json : undefined;
  };
  const [nested, plain] = await Promise.all([read(NESTED_FILE), read(PLAIN_FILE)]);
  if (plain) await writeJsonAtomic(join(directory, PLAIN_FILE), budgeted(plain, maxPixels));
  if (nested && "image_processor" in nested && typeof nested.image_processor === "object") {
    await writeJsonAtomic(join(directory, NESTED_FILE), {
      ...nested,
      image_processor: budgeted(nested.image_processor ?? {}, maxPixels),
    });
  }
}

/** The image configuration of a model folder. @throws InputError when it has none or it is wrong. */
export async function loadImageProcessorConfig(directory: string): Promise<ImageProcessorConfig> {
  // Transformers 5 writes processor_config.json only and reads it first; older ones use the name for other things.
  const processorPath = join(directory, NESTED_FILE);
  const processor = await readJsonIfAny(processorPath);
  if (typeof processor === "object" && processor !== null && "image_processor" in processor) {
    return parseImageProcessorConfig(processor, processorPath);
  }
  const path = join(directory, PLAIN_FILE);
  const json = await readJsonIfAny(path);
  if (json === undefined) {
    throw new InputError(
      `${directory}: has neither preprocessor_config.json nor an image_processor in processor_config.json`,
      {
        hint: "Copy preprocessor_config.json from the model the weights came from.",
      },
    );
  }
  return parseImageProcessorConfig(json, path);
}
