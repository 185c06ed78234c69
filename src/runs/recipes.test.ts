/** @file Every shipped recipe is one, and the presets in it are what they are called. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { packageRoot } from "../base/index.js";
import { parse } from "yaml";
import { loadRecipe } from "./recipe.js";
import { checkTinkerRecipe, fitToServer } from "./tinker-parts.js";

const folder = join(packageRoot, "recipes");
const shipped = [
  "start",
  "long",
  "paper",
  "recommended",
  "sft",
  "pets-sft",
  "pets-dip-r1",
  "crowdhuman-qwen2.5-vl-3b",
  "crowdhuman-qwen3-vl-8b",
];

describe("recipes/", () => {
  it.each(shipped)("%s.yaml fits the schema and says what it is for", async (name) => {
    const path = join(folder, `${name}.yaml`);
    const { recipe } = await loadRecipe(path);
    expect(recipe.name).toBe(name);
    expect(readFileSync(path, "utf8").startsWith("# ")).toBe(true);
    expect(Object.keys(recipe.data.eval).length).toBeGreaterThan(0);
  });

  it.each(["crowdhuman-qwen2.5-vl-3b", "crowdhuman-qwen3-vl-8b"])(
    "%s.yaml is what a server can do",
    async (name) => {
      const loaded = await loadRecipe(join(folder, `${name}.yaml`));
      expect(() => checkTinkerRecipe(loaded)).not.toThrow();
      const { recipe } = loaded;
      if (recipe.kind !== "grpo") throw new Error("must be GRPO");
      expect(recipe.grpo.kl.placement).toBe("reward");
      expect(fitToServer(recipe.grpo)).toBe(recipe.grpo);
      // The budget is a whole number of tokens of the model's own size.
      const side = name.includes("qwen3") ? 32 : 28;
      expect(recipe.engine.maxPixels! % side ** 2).toBe(0);
    },
  );

  it("has no recipe that is not tested", () => {
    const training = readdirSync(folder).filter((name) => {
      const { kind } = parse(readFileSync(join(folder, name), "utf8")) as { kind?: string };
      return kind === "grpo" || kind === "sft";
    });
    expect(training.map((name) => name.replace(".yaml", "")).sort()).toEqual(shipped.toSorted());
  });

  it("start and paper differ in the preset's choices only", async () => {
    const [start, paper] = await Promise.all(
      ["start", "paper"].map(async (name) => (await loadRecipe(join(folder, `${name}.yaml`))).recipe),
    );
    if (start!.kind !== "grpo" || paper!.kind !== "grpo") throw new Error("both must be GRPO");
    expect({ ...paper, preset: 0, name: 0, rewards: 0, grpo: { ...paper.grpo, credit: 0 } }).toEqual({
      ...start,
      preset: 0,
      name: 0,
      rewards: 0,
      grpo: { ...start.grpo, credit: 0 },
    });
    expect(paper.grpo.credit).toEqual({ kind: "response" });
    expect(start.grpo.credit).toEqual({ kind: "box", mix: 0.8, coordinates: 0.8, baseline: "group" });
  });

  it("recommended.yaml spells the preset out without changing it", async () => {
    const path = join(folder, "recommended.yaml");
    const written = parse(readFileSync(path, "utf8")) as { grpo: Record<string, unknown> };
    const { recipe } = await loadRecipe(path);
    const bare = await loadRecipe(path, { set: ["rewards={}", "grpo={steps: 160}"] });
    expect(recipe.rewards).toEqual(bare.recipe.rewards);
    if (recipe.kind !== "grpo" || bare.recipe.kind !== "grpo") throw new Error("must be GRPO");
    const { sampling, ...choices } = recipe.grpo;
    const { sampling: _sampling, ...expected } = bare.recipe.grpo;
    expect(choices).toEqual(expected);
    expect(sampling.maxTokens).toBe(192);
    expect(Object.keys(written.grpo)).toEqual(expect.arrayContaining(Object.keys(choices)));
  });
});
