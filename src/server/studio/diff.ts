/** @file Two configurations, leaf by leaf: what a difference between two runs may come from. */
import { canonicalJson } from "../../base/index.js";
import type { ConfigDiff } from "./api.js";
import { fingerprintsOf, type StudioRun } from "./studio-run.js";

type Json = Readonly<Record<string, unknown>>;

const isMap = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Leaves by dotted path; lists and empty maps are leaves. */
function leaves(value: unknown, path = "", into = new Map<string, unknown>()): Map<string, unknown> {
  if (!isMap(value) || Object.keys(value).length === 0) into.set(path, value);
  else
    for (const [key, inner] of Object.entries(value))
      leaves(inner, path === "" ? key : `${path}.${key}`, into);
  return into;
}

/** Compares two maps of leaves, in the order of the first and then of what only the second has. */
function differences<T>(a: ReadonlyMap<string, T>, b: ReadonlyMap<string, T>) {
  const paths = [...new Set([...a.keys(), ...b.keys()])];
  const changes = paths.flatMap((path) => {
    const same = a.has(path) && b.has(path) && canonicalJson(a.get(path)) === canonicalJson(b.get(path));
    if (same) return [];
    return [{ path, ...(a.has(path) && { a: a.get(path) }), ...(b.has(path) && { b: b.get(path) }) }];
  });
  return { changes, same: paths.length - changes.length };
}

/** What a side brings. */
export type DiffSide = Pick<StudioRun, "id" | "manifest" | "recipe">;

/** Compares two runs' recipes and what else their numbers come from. */
export function diffConfigs(a: DiffSide, b: DiffSide): ConfigDiff {
  const facts = ({ manifest }: DiffSide) =>
    new Map(
      Object.entries({
        ...fingerprintsOf(manifest),
        "dip-r1": manifest.code.version,
        ...manifest.versions,
        "recipe file": manifest.source.path,
      }),
    );
  return {
    a: a.id,
    b: b.id,
    ...differences(leaves(a.recipe), leaves(b.recipe)),
    facts: differences(facts(a), facts(b)).changes,
  };
}
