/** @file Everything between people's pictures and words and the model's tokens, loaded from one model folder. */
import { copyFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../base/errors.js";
import type { RgbImage } from "../base/rgb-image.js";
import {
  loadChatTemplate,
  type ChatMessage,
  type ChatTemplate,
  type RenderOptions,
} from "./chat-template.js";
import { loadConfig, type QwenTokenIds } from "./config.js";
import {
  loadImageProcessorConfig,
  saveMaxPixels,
  withMaxPixels,
  type ImageProcessorConfig,
} from "./image-processor-config.js";
import { imageGrid, imageTokens, resizeToModel } from "./image-processor.js";
import { loadTokenizer, type QwenTokenizer } from "./tokenizer.js";

/** A stretch of a prompt, in the form the engines take (engines/contract.ts). */
export type EncodedChunk =
  | { readonly kind: "text"; readonly tokens: Int32Array }
  | { readonly kind: "image"; readonly image: RgbImage; readonly tokens: number };

/** A user's turn. */
export interface PromptRequest {
  readonly text: string;
  /** Shown before the text, in this order; of any size. @default none */
  readonly images?: readonly RgbImage[];
  /** A system message instead of the template's own. */
  readonly system?: string;
}

/** What a checkpoint's processor files say, ready to use. */
export interface QwenProcessor {
  readonly image: ImageProcessorConfig;
  readonly tokenizer: QwenTokenizer;
  readonly template: ChatTemplate;
  readonly tokens: QwenTokenIds;
  /**
   * A user's turn as chunks, the assistant's turn opened. Each picture is resized to what the model sees, and the chunk
   * says how many tokens it takes there.
   * @throws InputError when the text spells out a placeholder for pictures or videos, or a picture cannot be resized.
   */
  encodePrompt(request: PromptRequest): EncodedChunk[];
  /** Whole conversations: `images` fill the messages' image parts in order. @throws InputError when their numbers differ. */
  encodeMessages(
    messages: readonly ChatMessage[],
    images: readonly RgbImage[],
    options?: RenderOptions,
  ): EncodedChunk[];
}

/** The parts of a {@link QwenProcessor}. */
export type ProcessorParts = Pick<QwenProcessor, "image" | "tokenizer" | "template" | "tokens">;

/** A processor from its parts. */
export function createProcessor(parts: ProcessorParts): QwenProcessor {
  const { image: imageConfig, tokenizer, template, tokens } = parts;
  const encodeMessages: QwenProcessor["encodeMessages"] = (messages, images, options) => {
    const ids = tokenizer.encode(template(messages, options));
    const places = ids.reduce((count, id) => count + Number(id === tokens.image), 0);
    if (places !== images.length || ids.includes(tokens.video)) {
      throw new InputError(
        `the messages have places for ${places} pictures${ids.includes(tokens.video) ? " and a video" : ""}, given were ${images.length} pictures`,
        { hint: "Text must not contain <|image_pad|> or <|video_pad|>." },
      );
    }
    const chunks: EncodedChunk[] = [];
    let from = 0;
    let next = 0;
    ids.forEach((id, at) => {
      if (id !== tokens.image) return;
      if (at > from) chunks.push({ kind: "text", tokens: ids.slice(from, at) });
      const image = resizeToModel(images[next++]!, imageConfig);
      chunks.push({
        kind: "image",
        image,
        tokens: imageTokens(imageGrid(image, imageConfig), imageConfig.mergeSize),
      });
      from = at + 1;
    });
    if (from < ids.length) chunks.push({ kind: "text", tokens: ids.slice(from) });
    return chunks;
  };
  return {
    ...parts,
    encodeMessages,
    encodePrompt: ({ text, images = [], system }) => {
      const user: ChatMessage = {
        role: "user",
        content: [...images.map(() => ({ type: "image" as const })), { type: "text", text }],
      };
      return encodeMessages(
        system === undefined ? [user] : [{ role: "system", content: system }, user],
        images,
      );
    },
  };
}

/** What of a model folder's processor may be chosen anew. */
export interface ProcessorOptions {
  /** Pictures with more pixels are shrunk. @default what the folder says */
  readonly maxPixels?: number | undefined;
}

/**
 * The processor of a model folder.
 * @throws InputError when a file is missing or wrong, or the files or the options contradict each other.
 */
export async function loadProcessor(
  directory: string,
  { maxPixels }: ProcessorOptions = {},
): Promise<QwenProcessor> {
  const [stored, tokenizer, template, config] = await Promise.all([
    loadImageProcessorConfig(directory),
    loadTokenizer(directory),
    loadChatTemplate(directory),
    loadConfig(directory),
  ]);
  const image = withMaxPixels(stored, maxPixels);
  const { vision, text, tokens } = config;
  for (const key of ["patchSize", "mergeSize", "temporalPatchSize"] as const) {
    if (image[key] !== vision[key]) {
      throw new InputError(
        `${directory}: the image processor's ${key} is ${image[key]}, config.json's is ${vision[key]}`,
      );
    }
  }
  if (tokenizer.vocabSize > text.vocabSize) {
    throw new InputError(
      `${directory}: tokenizer.json has ${tokenizer.vocabSize} tokens, config.json's vocab_size is ${text.vocabSize}`,
    );
  }
  for (const [name, id] of [
    ["<|image_pad|>", tokens.image],
    ["<|video_pad|>", tokens.video],
  ] as const) {
    if (tokenizer.idOf(name) !== id) {
      throw new InputError(
        `${directory}: ${name} is ${tokenizer.idOf(name) ?? "absent"} in tokenizer.json, ${id} in config.json`,
      );
    }
  }
  return createProcessor({ image, tokenizer, template, tokens });
}

/** The files of a model folder that a fine-tuned copy needs beside its weights and config.json. */
const PROCESSOR_FILES: ReadonlySet<string> = new Set([
  "added_tokens.json",
  "chat_template.jinja",
  "chat_template.json",
  "generation_config.json",
  "merges.txt",
  "preprocessor_config.json",
  "processor_config.json",
  "special_tokens_map.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "video_preprocessor_config.json",
  "vocab.json",
]);

/**
 * Copies tokenizer, template and image processor files, so that the other folder opens on its own.
 * @param options What was chosen anew, and is to hold in the copy.
 */
export async function copyProcessorFiles(
  from: string,
  to: string,
  { maxPixels }: ProcessorOptions = {},
): Promise<void> {
  for (const name of await readdir(from)) {
    if (PROCESSOR_FILES.has(name)) await copyFile(join(from, name), join(to, name));
  }
  if (maxPixels !== undefined) await saveMaxPixels(to, maxPixels);
}
