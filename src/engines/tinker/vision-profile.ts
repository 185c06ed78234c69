/**
 * @file The vision-language models that can be trained through a server, as their prompts are made here: pixel budget,
 * tokens of a picture, dialect of the answers. Pictures are sent at a size that the server's own resize leaves alone, so
 * that its count of image tokens is ours and boxes are in the frame we think.
 */
import { join } from "node:path";
import { InputError } from "../../base/errors.js";
import type { RgbImage } from "../../base/rgb-image.js";
import type { CoordinateProfile } from "../../geometry/profiles.js";
import { loadChatTemplate } from "../../qwen/chat-template.js";
import { readJsonIfAny } from "../../qwen/files.js";
import { loadGenerationConfig } from "../../qwen/generation-config.js";
import {
  CLIP_MEAN,
  CLIP_STD,
  loadImageProcessorConfig,
  type ImageProcessorConfig,
} from "../../qwen/image-processor-config.js";
import { createProcessor, type QwenProcessor } from "../../qwen/processor.js";
import { loadTokenizer } from "../../qwen/tokenizer.js";
import type { Prompt } from "../contract.js";

/** A family of models. */
export interface VisionProfile {
  readonly name: string;
  /** config.json's model_type. */
  readonly modelTypes: readonly string[];
  /** As the published preprocessor_config.json has them; what a server resizes with. */
  readonly image: ImageProcessorConfig;
  /** Pixels of a picture at most where a recipe does not say: the server's own limit costs far more tokens than it earns. */
  readonly pixelBudget: number;
  readonly coordinates: CoordinateProfile;
}

/** Profiles by name. Factor (one token's side in pixels) is patch size times merge size: 28 and 32. */
export const visionProfiles = {
  "qwen2.5-vl": {
    name: "qwen2.5-vl",
    modelTypes: ["qwen2_5_vl"],
    image: {
      patchSize: 14,
      mergeSize: 2,
      temporalPatchSize: 2,
      minPixels: 56 * 56,
      maxPixels: 12_845_056,
      mean: CLIP_MEAN,
      std: CLIP_STD,
    },
    pixelBudget: 1_003_520,
    coordinates: "absolute",
  },
  "qwen3-vl": {
    name: "qwen3-vl",
    modelTypes: ["qwen3_vl", "qwen3_vl_moe"],
    image: {
      patchSize: 16,
      mergeSize: 2,
      temporalPatchSize: 2,
      minPixels: 65_536,
      maxPixels: 16_777_216,
      mean: [0.5, 0.5, 0.5],
      std: [0.5, 0.5, 0.5],
    },
    pixelBudget: 1_310_720,
    coordinates: "norm1000",
  },
} as const satisfies Record<string, VisionProfile>;

/** What prompts to a server's model are made with. */
export interface RemoteProcessor {
  readonly profile: VisionProfile;
  readonly processor: QwenProcessor;
  readonly endTokens: readonly number[];
  /** max_position_embeddings. */
  readonly contextLength: number;
}

/** The family of a config.json. @throws InputError for one that is not known here. */
export function profileOf(config: unknown, where = "config.json"): VisionProfile {
  const type = (config as { readonly model_type?: unknown } | null)?.model_type;
  const found = Object.values<VisionProfile>(visionProfiles).find(({ modelTypes }) =>
    modelTypes.includes(String(type)),
  );
  if (found !== undefined) return found;
  throw new InputError(`${where}: model_type "${String(type)}" is not known to the tinker engine.`, {
    hint: `It knows ${Object.values<VisionProfile>(visionProfiles)
      .flatMap(({ modelTypes }) => modelTypes)
      .join(", ")}.`,
  });
}

/** The pixel limits to resize with here: inside the server's, and within the budget. @throws InputError where there is no room between them. */
export function clientLimits(server: ImageProcessorConfig, budget: number): ImageProcessorConfig {
  const maxPixels = Math.min(server.maxPixels, budget);
  if (maxPixels < server.minPixels)
    throw new InputError(`A budget of ${budget} pixels is below the model's least, ${server.minPixels}.`);
  return { ...server, maxPixels };
}

function contextLengthOf(config: unknown): number | undefined {
  const fields = config as {
    readonly max_position_embeddings?: unknown;
    readonly text_config?: { readonly max_position_embeddings?: unknown };
  };
  const length = fields.text_config?.max_position_embeddings ?? fields.max_position_embeddings;
  return typeof length === "number" ? length : undefined;
}

/**
 * Tokenizer, chat template and picture sizes of a model folder; its weights are not needed, they are on the server.
 *
 * @param maxPixels Pixels of a picture at most. @default the profile's budget
 * @throws InputError for a folder of another family, or where a file is missing.
 */
export async function loadRemoteProcessor(
  directory: string,
  { maxPixels }: { readonly maxPixels?: number } = {},
): Promise<RemoteProcessor> {
  const where = join(directory, "config.json");
  const config = await readJsonIfAny(where);
  if (config === undefined) throw new InputError(`${directory}: there is no config.json`);
  const profile = profileOf(config, where);
  const [image, tokenizer, template, generation] = await Promise.all([
    loadImageProcessorConfig(directory),
    loadTokenizer(directory),
    loadChatTemplate(directory),
    loadGenerationConfig(directory),
  ]);
  for (const key of ["patchSize", "mergeSize"] as const) {
    if (image[key] !== profile.image[key])
      throw new InputError(
        `${directory}: ${key} is ${image[key]}, that of ${profile.name} is ${profile.image[key]}`,
      );
  }
  const endTokens = generation?.eos ?? [tokenizer.requireId("<|im_end|>")];
  const pad = tokenizer.idOf("<|endoftext|>") ?? endTokens[0]!;
  const contextLength = contextLengthOf(config);
  if (contextLength === undefined) throw new InputError(`${where} has no max_position_embeddings`);
  return {
    profile,
    endTokens,
    contextLength,
    processor: createProcessor({
      image: clientLimits(image, maxPixels ?? profile.pixelBudget),
      tokenizer,
      template,
      tokens: {
        image: tokenizer.requireId("<|image_pad|>"),
        video: tokenizer.requireId("<|video_pad|>"),
        visionStart: tokenizer.requireId("<|vision_start|>"),
        visionEnd: tokenizer.requireId("<|vision_end|>"),
        eos: endTokens,
        pad,
        bos: generation?.bos ?? pad,
      },
    }),
  };
}

/** A prompt with a grey picture, to find out how a server counts its tokens. */
export function probePicture({ processor }: RemoteProcessor): Prompt {
  const [width, height] = [300, 200];
  const image: RgbImage = { width, height, data: new Uint8Array(width * height * 3).fill(128) };
  return { chunks: processor.encodePrompt({ text: "What is this?", images: [image] }) };
}
