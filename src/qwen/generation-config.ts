/** @file generation_config.json: the end tokens and the sampling habits a checkpoint was published with. */
import { join } from "node:path";
import { z } from "zod";
import { readJsonIfAny } from "./files.js";
import { readWith, tokenId } from "./schema.js";

/** What generation_config.json says; everything is optional there. */
export interface GenerationConfig {
  /** Ids that end a response. */
  readonly eos?: readonly number[];
  readonly pad?: number;
  readonly bos?: number;
  readonly doSample?: boolean;
  readonly temperature?: number;
  readonly topP?: number;
  /** 0 keeps all. */
  readonly topK?: number;
  readonly repetitionPenalty?: number;
}

const schema = z.looseObject({
  eos_token_id: z.union([tokenId, z.array(tokenId).nonempty()]).nullish(),
  pad_token_id: tokenId.nullish(),
  bos_token_id: tokenId.nullish(),
  do_sample: z.boolean().nullish(),
  temperature: z.number().nonnegative().nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  top_k: z.int().nonnegative().nullish(),
  repetition_penalty: z.number().positive().nullish(),
});

/** A generation_config.json's content. @throws InputError naming the key. */
export function parseGenerationConfig(json: unknown, where = "generation_config.json"): GenerationConfig {
  const read = readWith(schema, json, where);
  const eos = read.eos_token_id;
  const known = {
    eos: typeof eos === "number" ? [eos] : (eos ?? undefined),
    pad: read.pad_token_id ?? undefined,
    bos: read.bos_token_id ?? undefined,
    doSample: read.do_sample ?? undefined,
    temperature: read.temperature ?? undefined,
    topP: read.top_p ?? undefined,
    topK: read.top_k ?? undefined,
    repetitionPenalty: read.repetition_penalty ?? undefined,
  };
  return Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined));
}

/** The content to write; {@link parseGenerationConfig} reads it back. */
export function formatGenerationConfig(config: GenerationConfig): unknown {
  // JSON.stringify leaves out what is undefined.
  return {
    bos_token_id: config.bos,
    do_sample: config.doSample,
    eos_token_id: config.eos?.length === 1 ? config.eos[0] : config.eos,
    pad_token_id: config.pad,
    repetition_penalty: config.repetitionPenalty,
    temperature: config.temperature,
    top_k: config.topK,
    top_p: config.topP,
  };
}

/** generation_config.json of a model folder, undefined where there is none. @throws InputError naming the key. */
export async function loadGenerationConfig(directory: string): Promise<GenerationConfig | undefined> {
  const path = join(directory, "generation_config.json");
  const json = await readJsonIfAny(path);
  return json === undefined ? undefined : parseGenerationConfig(json, path);
}
