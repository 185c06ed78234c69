/** @file Fingerprints (sha256) of values, files and this code, so that a result can be traced to what made it. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";

/**
 * JSON with sorted keys and no white space: equal values give equal text. Absent and `undefined` fields are the same.
 * @throws TypeError on numbers that JSON cannot hold (NaN, infinities).
 */
export function canonicalJson(value: unknown): string {
  if (typeof value === "number" && !Number.isFinite(value))
    throw new TypeError(`canonicalJson: ${value} has no JSON form`);
  if (value === undefined || typeof value === "function" || typeof value === "symbol") return "null";
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const entries = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return `{${entries.map(([key, field]) => `${JSON.stringify(key)}:${canonicalJson(field)}`).join(",")}}`;
}

/** sha256 (hex) of a value's {@link canonicalJson}. */
export function fingerprintValue(value: unknown): string {
  return createHash("sha256").update(canonicalJson(value)).digest("hex");
}

/** sha256 (hex) of a file's bytes. */
export async function fingerprintFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash);
  return hash.digest("hex");
}

async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true });
  const nested = await Promise.all(
    entries.map((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? filesUnder(path) : entry.isFile() ? [path] : [];
    }),
  );
  return nested.flat();
}

/**
 * sha256 (hex) over a file, or over a folder's files: their names (relative, "/" between parts) and contents, in the
 * order of their names. `include` chooses by relative name.
 */
export async function fingerprintPath(
  path: string,
  include: (name: string) => boolean = () => true,
): Promise<string> {
  if ((await stat(path)).isFile()) return fingerprintFile(path);
  const named = (await filesUnder(path))
    .map((file) => ({ file, name: relative(path, file).split(sep).join("/") }))
    .filter(({ name }) => include(name))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const hash = createHash("sha256");
  for (const { file, name } of named) hash.update(`${name}\0${await fingerprintFile(file)}\n`);
  return hash.digest("hex");
}

/** The folder of this package: where package.json, recipes/ and models/ are, in a clone and when installed. */
export const packageRoot: string = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** This package's version, from its package.json. */
export async function packageVersion(): Promise<string> {
  const text = await readFile(join(packageRoot, "package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}

/** Version and sha256 of the code that is running: compiled files, or the sources where those run directly. */
export async function codeFingerprint(): Promise<{ version: string; sha256: string }> {
  const here = fileURLToPath(import.meta.url);
  const ending = here.endsWith(".ts") ? ".ts" : ".js";
  const sha256 = await fingerprintPath(
    dirname(dirname(here)),
    (name) => name.endsWith(ending) && !name.endsWith(`.test${ending}`),
  );
  return { version: await packageVersion(), sha256 };
}
