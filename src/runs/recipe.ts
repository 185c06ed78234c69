/**
 * @file Reads recipes: YAML, under it the preset, over it `--set key=value`, checked by the schema. Errors name the
 * key, the file and line it stands on, and what may stand there.
 */
import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { isMap, isScalar, LineCounter, parse, parseDocument, type Document } from "yaml";
import type { z } from "zod";
import { InputError, toError } from "../base/index.js";
import { mergeDeep, presets, type PresetName } from "./presets.js";
import { recipeSchema, type Recipe } from "./recipe-schema.js";
import { choicesAt, keysAt } from "./schema-keys.js";
import { suggest } from "./suggest.js";

/** `grpo.kl.beta=0` as typed: a path of keys and a YAML value. */
export interface Setting {
  readonly path: readonly string[];
  readonly value: unknown;
  /** As typed, for messages. */
  readonly text: string;
}

/** Options of {@link parseRecipe}. */
export interface RecipeOptions {
  /** What `--set` said, each `key.path=value`; the value is read as YAML. */
  readonly set?: readonly string[];
}

/** A checked recipe and what it was made from. */
export interface LoadedRecipe {
  readonly recipe: Recipe;
  /** Folder that relative paths in the recipe are looked up in first. */
  readonly folder: string;
  /** Path of the file, for messages. */
  readonly path: string;
}

/**
 * Reads one `--set`.
 * @throws InputError where there is no "=" or the value is not YAML.
 */
export function parseSetting(text: string): Setting {
  const split = text.indexOf("=");
  const path = text
    .slice(0, Math.max(0, split))
    .split(".")
    .map((part) => part.trim());
  if (split < 1 || path.some((part) => part === ""))
    throw new InputError(`--set ${text}: not of the form key=value`, {
      hint: "For instance --set grpo.optimizer.learningRate=1e-5.",
    });
  try {
    const value: unknown = parse(text.slice(split + 1));
    return { path, value, text };
  } catch (error) {
    throw new InputError(`--set ${text}: the value is not YAML: ${toError(error).message}`, { cause: error });
  }
}

function withSetting(target: unknown, { path, value }: Setting): unknown {
  const [head, ...rest] = path;
  if (head === undefined) return value;
  if (Array.isArray(target) && /^\d+$/.test(head)) {
    const copy = target.slice() as unknown[];
    copy[Number(head)] = withSetting(copy[Number(head)], { path: rest, value, text: "" });
    return copy;
  }
  const object = typeof target === "object" && target !== null ? (target as Record<string, unknown>) : {};
  return { ...object, [head]: withSetting(object[head], { path: rest, value, text: "" }) };
}

const dotted = (path: readonly PropertyKey[]) => path.map(String).join(".");

/** Where in the text a key stands: the deepest part of its path that is written there. */
function offsetOf(document: Document.Parsed, path: readonly PropertyKey[]): number | undefined {
  let node: unknown = document.contents;
  let offset: number | undefined;
  for (const key of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(key));
      if (!pair) break;
      offset = (pair.key as { range?: [number, number, number] | null }).range?.[0] ?? offset;
      node = pair.value;
    } else break;
  }
  return offset;
}

/** Everything an issue's message is made from. */
interface Context {
  readonly schema: z.core.$ZodType;
  readonly value: unknown;
  /** "file:line" or "--set ..." for a path. */
  readonly where: (path: readonly PropertyKey[]) => string;
}

const listed = (items: readonly string[]) => items.join(", ");

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === "object" && inner !== null ? (inner as Record<PropertyKey, unknown>)[key] : undefined,
    value,
  );
}

function describeIssue(issue: z.core.$ZodIssue, context: Context): string[] {
  const { schema, value, where } = context;
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => {
      const path = [...issue.path, key];
      const known = keysAt(schema, issue.path, value);
      const near = suggest(key, known);
      const place = issue.path.length === 0 ? "a recipe" : `"${dotted(issue.path)}"`;
      const advice = near === undefined ? "" : ` Did you mean "${near}"?`;
      return `${where(path)}: unknown key "${dotted(path)}".${advice} Keys of ${place}: ${listed(known)}.`;
    });
  if (issue.code === "invalid_union" && issue.errors.length > 0) {
    // The variant that got furthest says best what is wrong.
    const depth = (issues: readonly z.core.$ZodIssue[]) =>
      Math.max(0, ...issues.map((one) => one.path.length));
    const best = issue.errors.toSorted((a, b) => depth(b) - depth(a) || a.length - b.length)[0]!;
    return best.flatMap((inner) =>
      describeIssue({ ...inner, path: [...issue.path, ...inner.path] }, context),
    );
  }
  const tag = (issue as { discriminator?: string }).discriminator;
  const path =
    issue.code === "invalid_union" && tag !== undefined && issue.path.at(-1) !== tag
      ? [...issue.path, tag]
      : issue.path;
  const written = valueAt(value, path);
  const choices = choicesAt(schema, path, value);
  const oneOf = choices.length > 0 ? ` One of: ${listed(choices)}.` : "";
  if (written === undefined) return [`${where(path)}: "${dotted(path)}" is missing.${oneOf}`];
  if (choices.length > 0) {
    const near = suggest(String(written), choices);
    const advice = near === undefined ? "" : ` Did you mean "${near}"?`;
    return [`${where(path)}: "${dotted(path)}" cannot be ${JSON.stringify(written)}.${advice}${oneOf}`];
  }
  const message = issue.message.replace(/^Invalid input: /, "").replace(/^(Too small|Too big): /, "");
  return [`${where(path)}: "${dotted(path)}" cannot be ${JSON.stringify(written)}: ${message}.`];
}

/**
 * A recipe from its text.
 * @param text YAML.
 * @param path Its file, for messages and relative paths.
 * @throws InputError listing everything that is wrong, each with file and line.
 * @example parseRecipe("kind: grpo\n...", "my.yaml", { set: ["seed=3"] })
 */
export function parseRecipe(text: string, path: string, options: RecipeOptions = {}): LoadedRecipe {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const broken = document.errors[0];
  if (broken) {
    const { line, col } = lines.linePos(broken.pos[0]);
    throw new InputError(`${path}:${line}:${col}: not YAML: ${broken.message.split("\n")[0]}`, {
      hint: "Indent with spaces, one space after each colon.",
    });
  }
  const settings = (options.set ?? []).map(parseSetting);
  const written = settings.reduce<unknown>(withSetting, document.toJS() ?? {});
  if (typeof written !== "object" || written === null || Array.isArray(written))
    throw new InputError(`${path}:1: a recipe is a map of keys, this is not`, {
      hint: "Begin with `kind: grpo` or `kind: sft`; recipes/ has examples.",
    });

  const { preset, kind } = written as { preset?: unknown; kind?: unknown };
  const values = typeof preset === "string" ? presets[preset as PresetName] : undefined;
  // A preset's GRPO choices mean nothing to SFT; its rewards still say how rollouts are judged.
  const { grpo, ...rest } = values ?? {};
  const merged = mergeDeep(kind === "grpo" ? { ...rest, grpo } : rest, written);

  const parsed = recipeSchema.safeParse(merged);
  if (!parsed.success) {
    const where = (issuePath: readonly PropertyKey[]) => {
      const setting = settings.find(({ path: keys }) =>
        keys.every((key, i) => i >= issuePath.length || key === String(issuePath[i])),
      );
      if (setting && setting.path.length <= issuePath.length) return `--set ${setting.text}`;
      const offset = offsetOf(document, issuePath);
      return `${path}:${offset === undefined ? 1 : lines.linePos(offset).line}`;
    };
    const messages = parsed.error.issues.flatMap((issue) =>
      describeIssue(issue, { schema: recipeSchema, value: merged, where }),
    );
    throw new InputError([...new Set(messages)].join("\n"), {
      hint: "recipes/ has commented examples of every key.",
    });
  }
  const absolute = resolve(path);
  return { recipe: parsed.data, folder: dirname(absolute), path };
}

/** {@link parseRecipe} of a file. */
export async function loadRecipe(path: string, options: RecipeOptions = {}): Promise<LoadedRecipe> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw new InputError(`Cannot read the recipe ${path}: ${toError(error).message}`, {
      hint: "Give the path of a YAML file, such as recipes/start.yaml.",
      cause: error,
    });
  }
  return parseRecipe(text, path, options);
}
