import { beforeAll, describe, expect, it } from "vitest";
import { fixture } from "../../test/qwen-fixture.js";
import { loadConfig, type QwenConfig } from "./config.js";
import { initialWeights } from "./initial-weights.js";
import { EMBEDDING, HEAD, parameterShapes } from "./parameters.js";
import { checkWeights } from "./weights.js";

let config: QwenConfig;
beforeAll(async () => {
  config = await loadConfig(fixture("model"));
});

/** Mean and standard deviation. */
function moments(values: Float32Array): { mean: number; std: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, std: Math.sqrt(variance) };
}

describe("initialWeights", () => {
  it("are a whole model's, and the same for the same seed alone", () => {
    const weights = initialWeights(config, { seed: 1 });
    expect(() => checkWeights(weights, config)).not.toThrow();
    expect(initialWeights(config, { seed: 1 })).toEqual(weights);
    const other = initialWeights(config, { seed: 2 });
    expect(other.get(EMBEDDING)).not.toEqual(weights.get(EMBEDDING));
  });

  it("of one layer do not depend on which other layers there are", () => {
    const deeper = { ...config, text: { ...config.text, layers: config.text.layers + 1 } };
    const name = "model.language_model.layers.0.mlp.up_proj.weight";
    expect(initialWeights(deeper, { seed: 1 }).get(name)).toEqual(
      initialWeights(config, { seed: 1 }).get(name),
    );
  });

  it("have norms of 1, biases of 0, and deviations of 1/sqrt(inputs), less on the way to the residual stream", () => {
    const weights = initialWeights(config, { seed: 3 });
    const off: string[] = [];
    for (const [name, shape] of parameterShapes(config)) {
      const values = weights.get(name)!;
      if (shape.length === 1) {
        const expected = name.endsWith("bias") ? 0 : 1;
        if (!values.every((value) => value === expected)) off.push(name);
        continue;
      }
      const residual = /(o_proj|down_proj|attn\.proj)\.weight$/.test(name);
      const depth = name.includes("visual") ? config.vision.depth : config.text.layers;
      const expected =
        name === EMBEDDING || name === HEAD ? 0.05 : 1 / Math.sqrt(shape[1]! * (residual ? 2 * depth : 1));
      const { mean, std } = moments(values);
      // Four standard errors of each.
      const error = expected / Math.sqrt(values.length);
      if (Math.abs(mean) > 4 * error || Math.abs(std - expected) > 4 * error) off.push(name);
    }
    expect(off).toEqual([]);
  });

  it("write numbers so that near ones are near, in half of the embedding, at the size of the rest", () => {
    const ids = Int32Array.from({ length: 1000 }, (_, value) => 20 + value);
    const weights = initialWeights(config, { seed: 4, numberTokens: ids });
    const plain = initialWeights(config, { seed: 4 }).get(EMBEDDING)!;
    const width = config.text.hiddenSize;
    const table = weights.get(EMBEDDING)!;
    const feature = (value: number) => table.subarray(ids[value]! * width, ids[value]! * width + width / 2);
    const distance = (a: number, b: number) => Math.hypot(...feature(a).map((x, i) => x - feature(b)[i]!));
    for (const value of [0, 137, 500, 990]) {
      expect(distance(value, value + 1)).toBeLessThan(distance(value, value + 3));
      expect(distance(value, value + 1)).toBeCloseTo(distance(0, 1), 5);
    }
    const nearest = [...ids.keys()]
      .filter((other) => other !== 500)
      .sort((a, b) => distance(500, a) - distance(500, b));
    expect(nearest.slice(0, 2).toSorted()).toEqual([499, 501]);
    expect(moments(feature(321)).std).toBeCloseTo(0.05, 2);
    // The other half, and every token that is no number, are as they were.
    expect(table.subarray(0, 20 * width)).toEqual(plain.subarray(0, 20 * width));
    const rest = (of: Float32Array) => of.subarray(ids[7]! * width + width / 2, (ids[7]! + 1) * width);
    expect(rest(table)).toEqual(rest(plain));
  });

  it("stay finite for the narrowest embedding that has room for a number", () => {
    const narrow = { ...config, text: { ...config.text, hiddenSize: 4 } };
    const weights = initialWeights(narrow, { seed: 0, numberTokens: [0, 1, 2] });
    expect(weights.get(EMBEDDING)!.every(Number.isFinite)).toBe(true);
  });
});
