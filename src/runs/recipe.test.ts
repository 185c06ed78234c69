import { describe, expect, it } from "vitest";
import { InputError } from "../base/index.js";
import { parseRecipe } from "./recipe.js";
import { editDistance, suggest } from "./suggest.js";

const GOOD = `kind: grpo
preset: recommended
engine:
  model: models/base
data:
  train: scenes:plaza
grpo:
  kl:
    beta: 0
`;

const read = (text: string, set: string[] = []) => parseRecipe(text, "r.yaml", { set }).recipe;
function failure(text: string, set: string[] = []): string {
  try {
    read(text, set);
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  throw new Error("the recipe was accepted");
}

describe("parseRecipe", () => {
  it("lays the preset under the recipe and defaults under both", () => {
    const recipe = read(GOOD);
    expect(recipe).toMatchObject({
      kind: "grpo",
      rewards: {
        weights: { format: 0.5, look: 0.25, accuracy: 1 },
        accuracy: { shape: { kind: "fbeta", beta: 1 } },
      },
      grpo: {
        credit: { kind: "box", mix: 0.8, coordinates: 0.8 },
        kl: { beta: 0, estimator: "k3" },
        clip: { low: 0.2, high: 0.2 },
      },
    });
    expect(read(GOOD.replace("recommended", "paper"))).toMatchObject({
      rewards: { weights: { format: 0.5, look: 0.5, accuracy: 1 }, accuracy: { shape: { kind: "linear" } } },
      grpo: { credit: { kind: "response" } },
    });
  });

  it("replaces a preset's variant by another as a whole", () => {
    const recipe = read(GOOD, ["rewards.accuracy.shape.kind=linear", "grpo.credit.kind=response"]);
    expect(recipe.rewards.accuracy.shape).toEqual({ kind: "linear", precisionWeight: 1, recallWeight: 1 });
    expect(recipe.kind === "grpo" && recipe.grpo.credit).toEqual({ kind: "response" });
  });

  it("reads --set values as YAML", () => {
    const recipe = read(GOOD, [
      "seed=7",
      "grpo.optimizer.learningRate=1e-5",
      "trainable={kind: lora, targets: [q_proj]}",
    ]);
    expect(recipe).toMatchObject({
      seed: 7,
      grpo: { optimizer: { learningRate: 1e-5 } },
      trainable: { kind: "lora", rank: 16, targets: ["q_proj"], vision: "frozen" },
    });
  });

  it.each([
    [
      "a mistyped key",
      GOOD.replace("beta: 0", "placment: loss"),
      [],
      /^r\.yaml:9: unknown key "grpo\.kl\.placment"\. Did you mean "placement"\?/,
    ],
    [
      "a wrong choice",
      GOOD.replace("beta: 0", "placement: reword"),
      [],
      /^r\.yaml:9: "grpo\.kl\.placement" cannot be "reword"\. Did you mean "reward"\? One of: loss, reward\./,
    ],
    [
      "a wrong kind",
      GOOD.replace("kind: grpo", "kind: gpro"),
      [],
      /^r\.yaml:1: "kind" cannot be "gpro"\. Did you mean "grpo"\? One of: grpo, sft\./,
    ],
    [
      "a missing key",
      GOOD.replace("model: models/base", "device: cpu"),
      [],
      /^r\.yaml:3: "engine\.model" is missing/,
    ],
    [
      "a wrong type",
      GOOD + "  steps: many\n",
      [],
      /^r\.yaml:10: "grpo\.steps" cannot be "many": expected number/,
    ],
    [
      "a value out of bounds set",
      GOOD,
      ["grpo.groupSize=1"],
      /^--set grpo\.groupSize=1: "grpo\.groupSize" cannot be 1/,
    ],
    [
      "a mistyped key set",
      GOOD,
      ["grpo.grupSize=4"],
      /^--set grpo\.grupSize=4: unknown key .* Did you mean "groupSize"/,
    ],
    ["a wrong variant set", GOOD, ["grpo.credit.kind=boxes"], /One of: response, box\./],
    [
      "a mistyped key of a dataset",
      GOOD.replace("scenes:plaza", "{format: scenes, loke: plaza}"),
      [],
      /^r\.yaml:6: unknown key "data\.train\.loke"\. Did you mean "look"\?/,
    ],
    [
      "a wrong format of a dataset",
      GOOD.replace("scenes:plaza", "{format: scene}"),
      [],
      /"data\.train\.format" cannot be "scene"\. Did you mean "scenes"\? One of: scenes, coco, crowdhuman, /,
    ],
    [
      "a dataset as text",
      GOOD.replace("scenes:plaza", "scene:plaza"),
      [],
      /^r\.yaml:6: "data\.train" cannot be "scene:plaza"/,
    ],
    ["a setting without a value", GOOD, ["seed"], /--set seed: not of the form/],
    [
      "GRPO keys in an SFT recipe",
      GOOD.replace("kind: grpo", "kind: sft"),
      [],
      /^r\.yaml:7: unknown key "grpo"/,
    ],
    ["broken YAML", "kind: [\n", [], /^r\.yaml:\d+:\d+: not YAML/],
    ["a list", "- a\n", [], /^r\.yaml:1: a recipe is a map/],
    ["nothing", "", [], /"kind" is missing\. One of: grpo, sft\./],
  ])("names the place and the choices of %s", (_, text, set, expected) => {
    expect(failure(text, set)).toMatch(expected);
  });

  it("tells everything that is wrong at once", () => {
    expect(failure(GOOD + "  steps: 0\n  iterations: -1\nsed: 1\n").split("\n")).toHaveLength(3);
  });
});

describe("suggest", () => {
  it("finds slips, not guesses", () => {
    expect(editDistance("kitten", "sitting")).toBe(3);
    expect(editDistance("gpro", "grpo")).toBe(1);
    expect(suggest("learning_rate", ["learningRate", "steps"])).toBe("learningRate");
    expect(suggest("k4", ["k1", "k2", "k3"])).toBeUndefined();
    expect(suggest("zebra", ["learningRate", "steps"])).toBeUndefined();
  });
});
