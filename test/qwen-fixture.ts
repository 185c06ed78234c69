/** @file Where tests find the Hugging Face goldens of the tiny Qwen2.5-VL (test/fixtures/qwen2_5_vl). */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import sharp from "sharp";
import type { RgbImage } from "../src/base/rgb-image.js";

/** Absolute path of a file or folder of the fixture. */
export function fixture(path = ""): string {
  return fileURLToPath(new URL(`fixtures/qwen2_5_vl/${path}`, import.meta.url));
}

/** A JSON file of the fixture. The caller knows its form. */
export function fixtureJson<T>(path: string): T {
  return JSON.parse(readFileSync(fixture(path), "utf8")) as T;
}

/** One of the fixture's pictures: a (140 x 84), b (190 x 100), c (170 x 300). */
export async function fixtureImage(name: "a" | "b" | "c"): Promise<RgbImage> {
  const { data, info } = await sharp(fixture(`images/${name}.png`))
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data: new Uint8Array(data) };
}
