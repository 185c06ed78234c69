/** @file dip-r1.json beside a model's weights: what it was trained to be asked, so that nobody has to remember it. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { InputError, toError, writeJsonAtomic } from "../base/index.js";

/** The name of the file. */
export const MODEL_TASK_FILE = "dip-r1.json";

const schema = z.object({
  /** Name of the prompt (src/response/prompt.ts). */
  prompt: z.string().default("dip-r1"),
  /** What it finds. */
  labels: z.array(z.string().min(1)).min(1).default(["person"]),
  /** Which numbers it speaks: pixels of the resized picture, or thousandths (src/geometry/profiles.ts). */
  profile: z.enum(["absolute", "norm1000"]).default("absolute"),
});

/** What a model was trained to be asked. */
export type ModelTask = z.output<typeof schema>;

/**
 * The task of a model folder; that of the published models where the folder does not tell.
 * @throws InputError where the file is broken.
 */
export async function readModelTask(directory: string): Promise<ModelTask> {
  const path = join(directory, MODEL_TASK_FILE);
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch {
    return schema.parse({});
  }
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw new InputError(`${path}: ${toError(error).message}`, {
      hint: 'It has the form {"prompt": "dip-r1", "labels": ["person"], "profile": "absolute"}.',
      cause: error,
    });
  }
}

/** Writes the file into a model folder. */
export async function writeModelTask(directory: string, task: ModelTask): Promise<void> {
  await writeJsonAtomic(join(directory, MODEL_TASK_FILE), task);
}
