/** @file What a run's numbers may depend on beside our own code. */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { cpus } from "node:os";

/** Versions of what numbers may depend on beside our own code. */
export async function environmentVersions(): Promise<Record<string, string>> {
  const require = createRequire(import.meta.url);
  const runtime = JSON.parse(await readFile(require.resolve("onnxruntime-node/package.json"), "utf8")) as {
    version: string;
  };
  return {
    node: process.version,
    "onnxruntime-node": runtime.version,
    platform: `${process.platform}-${process.arch}`,
    processor: `${cpus().length} x ${cpus()[0]?.model.trim() ?? "unknown"}`,
  };
}
