/**
 * @file Results of evaluations that can be compared later: the file that `dip-r1 eval --out` writes, and the evaluations
 * that a run keeps, both read into one form. A result names what it was made from (data, code, prompt, lengths), because
 * two results of other data or another prompt are no comparison of models.
 *
 * A result file is JSON Lines: a header, then one record an image and decoding.
 */
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { InputError, readJsonl, readJsonlTolerant, writeFileAtomic } from "../base/index.js";
import type { EvaluatedImage } from "../rl/index.js";
import { readEvaluation, type Decoding, type EvaluationLine } from "./evaluations.js";
import { isRunFolder, readManifest } from "./run-folder.js";

const decoding = z.enum(["greedy", "sampled"]);
const headerSchema = z.object({
  kind: z.literal("dip-r1 evaluation"),
  format: z.literal(1),
  /** ISO 8601. */
  created: z.string(),
  model: z.object({ path: z.string(), sha256: z.string() }),
  data: z.object({
    name: z.string(),
    fingerprint: z.string(),
    /** The annotation files, each with its own sha256; none for generated scenes. */
    files: z.array(z.object({ path: z.string(), sha256: z.string() })).default([]),
    /** What of them was left out or noted; absent in files of before it was kept. */
    problems: z
      .looseObject({
        onError: z.enum(["error", "skip"]),
        leftOut: z.int().min(0),
        kinds: z.record(z.string(), z.int()),
        noted: z.record(z.string(), z.int()),
        examples: z.array(z.string()),
      })
      .optional(),
    /** Records of each decoding. */
    images: z.int().min(0),
  }),
  decodings: z.array(decoding).min(1),
  /** How the model was asked and how long it could answer: results that differ here are compared with a word on it. */
  settings: z.record(z.string(), z.unknown()),
  code: z.object({ version: z.string(), sha256: z.string() }),
  /** Node, ONNX Runtime, platform, processor. */
  versions: z.record(z.string(), z.string()).default({}),
});

/** First line of a result file. */
export type ResultHeader = z.output<typeof headerSchema>;
/** What {@link writeResultFile} is given of it. */
export type ResultHeaderInput = Omit<z.input<typeof headerSchema>, "kind" | "format">;

const tally = z.object({ truePositives: z.int(), predictions: z.int(), truths: z.int() });
const corners = z.object({ x1: z.number(), y1: z.number(), x2: z.number(), y2: z.number() });
/** What a comparison reads of a record; the rest of it is kept as it is. */
const recordSchema = z.looseObject({
  decoding,
  id: z.string(),
  width: z.number(),
  height: z.number(),
  truth: z.looseObject({
    objects: z.array(z.looseObject({ box: corners, label: z.string() })),
    ignore: z.array(corners),
  }),
  responses: z
    .array(
      z.looseObject({
        grade: z.string(),
        tokens: z.number(),
        answer: z.array(z.looseObject({ box: corners, label: z.string().optional() })),
        matches: z.array(z.int()),
        at50: tally,
        at75: tally,
        format: z.number(),
        accuracy: z.number(),
      }),
    )
    .min(1),
});

/** One set under one decoding. */
export interface ResultSet {
  readonly set: string;
  readonly decoding: Decoding;
  /** sha256 of the dataset. */
  readonly fingerprint: string;
  readonly images: readonly EvaluatedImage[];
}

/** Everything one side of a comparison holds. */
export interface EvaluationResult {
  /** As it was asked for: a file, or a run and its step. */
  readonly source: string;
  readonly sets: readonly ResultSet[];
  readonly settings: Readonly<Record<string, unknown>>;
  readonly code: { readonly version: string; readonly sha256: string };
}

/** Writes a result file, whole or not at all. */
export async function writeResultFile(
  path: string,
  header: ResultHeaderInput,
  records: Readonly<Partial<Record<Decoding, readonly EvaluatedImage[]>>>,
): Promise<void> {
  const first: z.input<typeof headerSchema> = { kind: "dip-r1 evaluation", format: 1, ...header };
  const lines = [JSON.stringify(first)];
  for (const [name, images] of Object.entries(records))
    for (const image of images) lines.push(JSON.stringify({ decoding: name, ...image }));
  await writeFileAtomic(path, lines.join("\n") + "\n");
}

function describe(error: z.ZodError): string {
  const [issue] = error.issues;
  const key = issue!.path.map(String).join(".");
  return key === "" ? issue!.message : `"${key}": ${issue!.message}`;
}

/**
 * Reads a result file.
 * @throws InputError naming file and line where it is not one, is cut short or holds an image twice.
 */
export async function readResultFile(path: string): Promise<EvaluationResult & { header: ResultHeader }> {
  const [first, ...rest] = await readJsonl(path);
  const header = headerSchema.safeParse(first?.value);
  if (!header.success)
    throw new InputError(`${path}:1: not the header of a result file: ${describe(header.error)}`, {
      hint: "Give a file that `dip-r1 eval --out FILE` wrote, or a run's evaluation as RUN@STEP.",
    });
  const { data, decodings, settings, code } = header.data;
  const seen = new Set<string>();
  const images: Record<Decoding, EvaluatedImage[]> = { greedy: [], sampled: [] };
  for (const { line, value } of rest) {
    const record = recordSchema.safeParse(value);
    if (!record.success)
      throw new InputError(`${path}:${line}: not a record of an image: ${describe(record.error)}`, {
        hint: "The file was changed or comes from another version; make it again with `dip-r1 eval --out`.",
      });
    const { decoding: name, ...image } = record.data;
    if (seen.has(`${name} ${image.id}`))
      throw new InputError(`${path}:${line}: image ${image.id} stands here twice (${name})`);
    seen.add(`${name} ${image.id}`);
    images[name].push(image as unknown as EvaluatedImage);
  }
  for (const name of decodings)
    if (images[name].length !== data.images)
      throw new InputError(
        `${path}: is cut short: ${images[name].length} of ${data.images} images (${name})`,
        { hint: "Make it again with `dip-r1 eval --out`." },
      );
  return {
    header: header.data,
    source: path,
    sets: decodings.map((name) => ({
      set: data.name,
      decoding: name,
      fingerprint: data.fingerprint,
      images: images[name],
    })),
    settings,
    code,
  };
}

/** Reads every evaluation that a run kept of one step. */
async function readRunResult(run: string, at: string | undefined, source: string): Promise<EvaluationResult> {
  const manifest = await readManifest(run);
  const lines = (await readJsonlTolerant(join(run, "evaluations.jsonl"))) as EvaluationLine[];
  const steps = [...new Set(lines.map(({ step }) => step))].sort((a, b) => a - b);
  if (steps.length === 0)
    throw new InputError(`${run}: has no evaluation yet`, {
      hint: "A run judges its sets before the first step, every evaluation.every steps and at its end.",
    });
  const named = { first: steps[0]!, last: steps.at(-1)! } as Record<string, number>;
  const step = at === undefined ? steps.at(-1)! : (named[at] ?? Number(at));
  if (!steps.includes(step))
    throw new InputError(`${source}: step ${at} was not evaluated`, {
      hint: `Evaluated were: ${steps.join(", ")}. RUN alone, or RUN@last, is the last of them.`,
    });
  const sets: ResultSet[] = [];
  for (const { set, decoding: name } of lines.filter((line) => line.step === step)) {
    const images = await readEvaluation(run, step, set, name);
    const known = sets.some((one) => one.set === set && one.decoding === name);
    if (images === undefined || known) continue;
    sets.push({ set, decoding: name, fingerprint: manifest.data[`eval.${set}`] ?? "", images });
  }
  const { recipe, code } = manifest;
  return {
    source: `${run}@${step}`,
    sets,
    settings: {
      prompt: recipe.prompt,
      labels: recipe.data.labels,
      ...(recipe.profile && { profile: recipe.profile }),
      maxTokens: recipe.evaluation.maxTokens,
      maxBoxRepeats: recipe.evaluation.maxBoxRepeats,
      seed: recipe.seed,
    },
    code,
  };
}

/**
 * Opens one side of a comparison: a result file, a run's folder (its last evaluation), or `RUN@STEP` (also `@first` and
 * `@last`).
 * @throws InputError where there is no such thing.
 */
export async function openResult(source: string): Promise<EvaluationResult> {
  if (isRunFolder(source)) return readRunResult(source, undefined, source);
  const [, run, at] = /^(.*)@(\w+)$/.exec(source) ?? [];
  if (run !== undefined && isRunFolder(run)) return readRunResult(run, at, source);
  if (existsSync(source) && statSync(source).isFile()) return readResultFile(source);
  throw new InputError(`${source}: neither a result file nor a run`, {
    hint: "Give a file that `dip-r1 eval --out FILE` wrote, a run's folder, or RUN@STEP.",
  });
}
