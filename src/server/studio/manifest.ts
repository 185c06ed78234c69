/** @file manifest.json as the studio reads it: checked for what is shown, the rest kept as it is. */
import { z } from "zod";
import { InputError, toError } from "../../base/errors.js";
import { rewardsSchema } from "../../runs/index.js";
import { readInside } from "./safe-file.js";

const steps = z.looseObject({ steps: z.number(), minutes: z.number().optional() });

const manifestSchema = z.looseObject({
  format: z.literal(1),
  name: z.string(),
  recipe: z.looseObject({
    kind: z.enum(["grpo", "sft"]),
    preset: z.string().optional(),
    engine: z.looseObject({ kind: z.string().default("local"), model: z.string() }),
    data: z.looseObject({
      train: z.unknown(),
      eval: z.record(z.string(), z.unknown()).default({}),
      labels: z.array(z.string()).min(1).default(["person"]),
    }),
    prompt: z.string().default("dip-r1"),
    /** Recipes of before a choice was there lack it: the schema knows its default. */
    rewards: rewardsSchema.prefault({}),
    grpo: steps.optional(),
    sft: steps.optional(),
  }),
  source: z.looseObject({ path: z.string(), set: z.array(z.string()).default([]) }),
  seed: z.number(),
  data: z.record(z.string(), z.string()).default({}),
  model: z.string(),
  code: z.object({ version: z.string(), sha256: z.string() }),
  versions: z.record(z.string(), z.string()).default({}),
  state: z.enum(["running", "done", "stopped", "failed"]),
  error: z.string().optional(),
  created: z.string(),
  updated: z.string(),
  resumed: z.array(z.number()).default([]),
});

/** What the studio knows of a manifest. */
export type StudioManifest = z.output<typeof manifestSchema>;

/** A manifest, and the recipe exactly as it was written. */
export interface ReadManifest {
  readonly manifest: StudioManifest;
  readonly recipe: Readonly<Record<string, unknown>>;
}

/**
 * Reads a run's manifest.
 * @param root the run's real folder
 * @throws InputError where there is none, or it is not one
 */
export async function readStudioManifest(root: string): Promise<ReadManifest> {
  const content = await readInside(root, ["manifest.json"]);
  if (content === undefined) throw new InputError("manifest.json is gone");
  let value: unknown;
  try {
    value = JSON.parse(content.toString("utf8"));
  } catch (error) {
    throw new InputError(`manifest.json is not JSON: ${toError(error).message}`, { cause: error });
  }
  const parsed = manifestSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new InputError(
      `manifest.json is not a run's manifest: "${issue.path.map(String).join(".")}": ${issue.message}`,
    );
  }
  return { manifest: parsed.data, recipe: (value as { recipe: Record<string, unknown> }).recipe };
}
