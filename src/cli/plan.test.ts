import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fixture } from "../../test/qwen-fixture.js";
import { planRecipe } from "../runs/plan-recipe.js";
import { parseRecipe } from "../runs/recipe.js";
import { planLines } from "./plan.js";

const text = `kind: grpo
engine: {model: "${fixture("model")}"}
trainable: {kind: lora, rank: 2}
data: {train: "scenes:plaza?count=4"}
prompt: dip-r1-short
grpo: {steps: 3, imagesPerStep: 2, groupSize: 4, sampling: {maxTokens: 40}}
`;
const lines = async (...set: string[]): Promise<string> => {
  const { recipe, ...rest } = parseRecipe(text, join(tmpdir(), "plan.yaml"), { set });
  const prices = { prompt: 1e6, response: 0, train: 0 };
  const plan = await planRecipe({ recipe, ...rest }, { images: 2, gpus: 4, prices });
  return planLines(plan, recipe.data.labels).join("\n");
};

describe("planLines", () => {
  it("tells the work, the cost, and the memory of the engine in this process", async () => {
    const said = await lines();
    expect(said).toMatch(/^GRPO, 3 steps\n/);
    expect(said).toMatch(/sampling rollouts +6 +24 /);
    expect(said).toContain("memory of the local engine");
    expect(said).not.toContain("GPUs");
    expect(said).toMatch(/cost at the prices given: \d+\.00 /);
  });

  it("tells the memory of a server's GPUs, and none of this process", async () => {
    const said = await lines("engine.kind=tinker");
    expect(said).toContain("memory of each of 4 GPUs");
    expect(said).toMatch(/trainer .* logits .*\n +sampler /);
    expect(said).not.toContain("local engine");
  });
});
