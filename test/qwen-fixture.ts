/** @file Where tests find the Hugging Face goldens of the tiny Qwen2.5-VL (test/fixtures/qwen2_5_vl). */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Absolute path of a file or folder of the fixture. */
export function fixture(path = ""): string {
  return fileURLToPath(new URL(`fixtures/qwen2_5_vl/${path}`, import.meta.url));
}

/** A JSON file of the fixture. The caller knows its form. */
export function fixtureJson<T>(path: string): T {
  return JSON.parse(readFileSync(fixture(path), "utf8")) as T;
}
