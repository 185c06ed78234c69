/** @file Nested numbers and settings as the flat names that trackers keep: `reward/mean`, `grpo.kl.beta`. */

/** A setting as every tracker can hold it. */
export type Param = string | number | boolean;

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function* leaves(
  value: unknown,
  path: readonly string[],
): Generator<[path: readonly string[], leaf: unknown]> {
  if (!isObject(value)) yield [path, value];
  else for (const [key, inner] of Object.entries(value)) yield* leaves(inner, [...path, key]);
}

/**
 * Finite numbers of a line by their path, joined by slashes: `{reward: {mean: 1}}` gives `reward/mean`. What is no
 * number (null where nothing was measured, texts, lists) is left out.
 */
export function flattenNumbers(line: unknown, prefix = ""): Record<string, number> {
  const start = prefix === "" ? [] : [prefix];
  const numbers: Record<string, number> = {};
  for (const [path, leaf] of leaves(line, start))
    if (typeof leaf === "number" && Number.isFinite(leaf)) numbers[path.join("/")] = leaf;
  return numbers;
}

/** Settings by their path, joined by dots as in `--set grpo.kl.beta=0`; lists become JSON, what is absent is left out. */
export function flattenParams(recipe: unknown): Record<string, Param> {
  const params: Record<string, Param> = {};
  for (const [path, leaf] of leaves(recipe, [])) {
    if (leaf === undefined || leaf === null) continue;
    params[path.join(".")] =
      typeof leaf === "string" ||
      typeof leaf === "boolean" ||
      (typeof leaf === "number" && Number.isFinite(leaf))
        ? leaf
        : (JSON.stringify(leaf) ?? String(leaf));
  }
  return params;
}
