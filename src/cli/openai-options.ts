/** @file Options of the commands that can ask a served model, on the command line or in a YAML file (`--config`). */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Command, Option } from "commander";
import { InputError, toError } from "../base/errors.js";
import { numberOption } from "./context.js";

/** Where answers are kept unless told otherwise. */
export const DEFAULT_CACHE = "runs/.cache/openai";

/** Options that {@link addOpenAiOptions} adds. */
export interface OpenAiOptions {
  readonly engine?: "local" | "openai";
  readonly baseUrl?: string;
  readonly server?: string;
  readonly dialect?: string;
  readonly apiKeyEnv?: string;
  readonly concurrency?: number;
  readonly timeout?: number;
  readonly maxPixels?: number;
  /** false = nothing is kept. */
  readonly cache?: string | false;
  readonly stream?: boolean;
  readonly config?: string;
}

type ConfigType = "text" | "number" | "switch" | "texts";

/** Keys of `--config`: those of the command line, in camel case. Kept without zod: this file is loaded by every command. */
const configKeys: Readonly<Record<string, readonly ConfigType[]>> = {
  engine: ["text"],
  baseUrl: ["text"],
  model: ["text"],
  server: ["text"],
  dialect: ["text"],
  apiKeyEnv: ["text"],
  concurrency: ["number"],
  timeout: ["number"],
  maxPixels: ["number"],
  cache: ["text", "switch"],
  stream: ["switch"],
  data: ["text"],
  labels: ["texts"],
  prompt: ["text"],
  samples: ["number"],
  limit: ["number"],
  maxTokens: ["number"],
  seed: ["number"],
  recipe: ["text"],
  out: ["text"],
};

const typeWords: Readonly<Record<ConfigType, string>> = {
  text: "text",
  number: "a number",
  switch: "true or false",
  texts: "a list of texts",
};

function typeOf(value: unknown): ConfigType | undefined {
  if (typeof value === "string") return "text";
  if (typeof value === "number") return "number";
  if (typeof value === "boolean") return "switch";
  const texts = Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === "string");
  return texts ? "texts" : undefined;
}

/** The file's values, by the names that commander gives its options. @throws InputError naming file and key */
function readConfig(path: string): Record<string, unknown> {
  // Only who gives a file pays for reading YAML; an event of the command line cannot wait for an import.
  const { parse } = createRequire(import.meta.url)("yaml") as typeof import("yaml");
  let value: unknown;
  try {
    value = parse(readFileSync(path, "utf8"));
  } catch (error) {
    throw new InputError(`--config ${path}: ${toError(error).message.split("\n")[0]}`, { cause: error });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new InputError(`--config ${path}: not a map of keys`);
  for (const [key, one] of Object.entries(value)) {
    const types = Object.hasOwn(configKeys, key) ? configKeys[key]! : undefined;
    if (types === undefined)
      throw new InputError(`--config ${path}: unknown key "${key}"`, {
        hint: `Keys: ${Object.keys(configKeys).join(", ")}. Secrets come from the environment only.`,
      });
    const type = typeOf(one);
    if (type === undefined || !types.includes(type))
      throw new InputError(
        `--config ${path}: "${key}" must be ${types.map((name) => typeWords[name]).join(" or ")}`,
      );
  }
  const { labels, ...rest } = value as Record<string, unknown>;
  return { ...rest, ...(labels !== undefined && { label: labels }) };
}

/** What a server and its model need to be told, beside `--model`. */
export function addServerOptions(command: Command): Command {
  return command
    .option(
      "--base-url <url>",
      "the server's address, such as http://127.0.0.1:8000/v1 (default: its usual one here)",
    )
    .option(
      "--server <profile>",
      "vllm, sglang, llama.cpp, ollama, transformers, hosted, or a file of `dip-r1 calibrate`",
    )
    .option(
      "--dialect <name>",
      "how the model writes boxes: qwen2.5-vl, qwen3-vl, deepseek-vl2, internvl, gemini, dip-r1, ...",
    )
    .option(
      "--api-key-env <name>",
      "environment variable that holds the key (default: DIP_R1_API_KEY, if set)",
    )
    .option(
      "--concurrency <n>",
      "requests at once",
      numberOption("--concurrency", { min: 1, max: 1024, integer: true }),
      4,
    )
    .option(
      "--timeout <s>",
      "seconds without a byte before asking again",
      numberOption("--timeout", { min: 1 }),
      300,
    )
    .option(
      "--max-pixels <n>",
      "pictures are sent with at most so many pixels; 0 = as they are (default: the dialect's)",
      numberOption("--max-pixels", { min: 0, integer: true }),
    )
    .option("--no-stream", "whole answers instead of streams");
}

/** `--engine` and all that the openai engine takes. */
export function addOpenAiOptions(command: Command): Command {
  addServerOptions(
    command.addOption(
      new Option(
        "--engine <engine>",
        "local, or openai: a model behind an OpenAI-compatible server (--model NAME)",
      )
        .choices(["local", "openai"])
        .default("local"),
    ),
  )
    .option(
      "--cache <folder>",
      "openai: where answers are kept, so that nothing is asked twice",
      DEFAULT_CACHE,
    )
    .option("--no-cache", "openai: keep no answers")
    .option(
      "--config <file>",
      "YAML with these options (engine, baseUrl, model, data, ...); the command line wins",
    );
  command.on("option:config", (path: string) => {
    for (const [key, value] of Object.entries(readConfig(path))) {
      const option = command.options.find((one) => one.attributeName() === key);
      if (option === undefined)
        throw new InputError(`--config ${path}: "${key}" means nothing to ${command.name()}`);
      // Bounds are those of the command line.
      if (typeof value === "number") option.parseArg?.(String(value), undefined);
      if (option.argChoices !== undefined && !option.argChoices.includes(String(value)))
        throw new InputError(`--config ${path}: "${key}" must be one of: ${option.argChoices.join(", ")}`);
      if (command.getOptionValueSource(key) !== "cli") command.setOptionValueWithSource(key, value, "config");
    }
  });
  return command;
}
