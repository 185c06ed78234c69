/** @file The models that ship: each opens, has a card, writes a box in few tokens, and all together are small. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { packageRoot } from "../base/index.js";
import { loadConfig } from "./config.js";
import { loadProcessor } from "./processor.js";
import { loadWeights } from "./weights.js";

const folder = join(packageRoot, "models");
const models = readdirSync(folder);

describe("models/", () => {
  it.each(models)("%s opens and has a card", async (name) => {
    const path = join(folder, name);
    const [config, { tokenizer, image }] = await Promise.all([loadConfig(path), loadProcessor(path)]);
    const weights = await loadWeights(path, config);
    const broken = [...weights].flatMap(([tensor, values]) =>
      values.every(Number.isFinite) ? [] : [tensor],
    );
    expect(broken).toEqual([]);
    expect(tokenizer.encode('{"bbox_2d":[12,7,999,100],"label":"person"}').length).toBeLessThanOrEqual(11);
    expect(image.maxPixels).toBe(36_864);
    expect(existsSync(join(path, "README.md")) && existsSync(join(path, "dip-r1.json"))).toBe(true);
  });

  it("are at most 16 MB together", () => {
    const files = models.flatMap((name) =>
      readdirSync(join(folder, name)).map((file) => join(folder, name, file)),
    );
    expect(files.reduce((bytes, file) => bytes + statSync(file).size, 0)).toBeLessThanOrEqual(16 * 2 ** 20);
  });
});
