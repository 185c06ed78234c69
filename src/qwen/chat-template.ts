/** @file The chat template of a checkpoint: messages to the text the model was trained on. */
import { join } from "node:path";
import { Template } from "@huggingface/jinja";
import { z } from "zod";
import { InputError, toError } from "../base/errors.js";
import { readJsonIfAny, readTextIfAny } from "./files.js";
import { readWith } from "./schema.js";

/** A piece of a message. */
export type MessagePart = { readonly type: "text"; readonly text: string } | { readonly type: "image" };

/** One turn. */
export interface ChatMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string | readonly MessagePart[];
}

/** Options of {@link ChatTemplate}. */
export interface RenderOptions {
  /** Whether to open the assistant's turn. @default true */
  readonly addGenerationPrompt?: boolean;
  /** Whether to number pictures ("Picture 1: "). @default false */
  readonly addVisionId?: boolean;
}

/** Messages to text. @throws InputError when the template refuses them. */
export type ChatTemplate = (messages: readonly ChatMessage[], options?: RenderOptions) => string;

/** A template from its Jinja source. @throws InputError when it does not parse. */
export function createChatTemplate(source: string, where = "chat_template.jinja"): ChatTemplate {
  let template: Template;
  try {
    template = new Template(source);
  } catch (error) {
    throw new InputError(`${where}: ${toError(error).message}`, { cause: error });
  }
  return (messages, { addGenerationPrompt = true, addVisionId = false } = {}) => {
    try {
      return template.render({
        messages,
        add_generation_prompt: addGenerationPrompt,
        add_vision_id: addVisionId,
      });
    } catch (error) {
      throw new InputError(`${where}: ${toError(error).message}`, { cause: error });
    }
  };
}

const named = z.array(z.looseObject({ name: z.string(), template: z.string() }));
const schema = z.looseObject({ chat_template: z.union([z.string(), named]).nullish() });

/**
 * The template of a model folder: chat_template.jinja, else `chat_template` in chat_template.json or
 * tokenizer_config.json.
 * @throws InputError when there is none.
 */
export async function loadChatTemplate(directory: string): Promise<ChatTemplate> {
  const path = join(directory, "chat_template.jinja");
  const source = await readTextIfAny(path);
  if (source !== undefined) return createChatTemplate(source, path);
  for (const name of ["chat_template.json", "tokenizer_config.json"]) {
    const other = join(directory, name);
    const json = await readJsonIfAny(other);
    const value = json === undefined ? undefined : readWith(schema, json, other).chat_template;
    const text = Array.isArray(value)
      ? value.find(({ name: which }) => which === "default")?.template
      : value;
    if (text !== undefined && text !== null) return createChatTemplate(text, other);
  }
  throw new InputError(`${directory}: has no chat template`, {
    hint: "Copy chat_template.jinja (or tokenizer_config.json) from the instruct model the weights came from.",
  });
}
