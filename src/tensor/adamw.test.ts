import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ShapeError, UnavailableError } from "../base/errors.js";
import { adamWStep, globalNorm, initialAdamW, type AdamWOptions } from "./adamw.js";

const one = (...values: number[]) => new Map([["w", Float32Array.from(values)]]);
const arbitraryGradient = fc.array(fc.double({ min: -10, max: 10, noNaN: true }), {
  minLength: 1,
  maxLength: 6,
});

function step(parameters: Map<string, Float32Array>, gradient: number[], options: AdamWOptions) {
  return adamWStep(parameters, one(...gradient), initialAdamW(parameters), options);
}

describe("adamWStep", () => {
  it("moves each weight by the learning rate, against the gradient's sign, in its first step", () => {
    fc.assert(
      fc.property(arbitraryGradient, (gradient) => {
        const parameters = one(...gradient.map(() => 1));
        step(parameters, gradient, { learningRate: 0.01, eps: 1e-8 });
        // m / (1 - beta1) = g and sqrt(v / (1 - beta2)) = |g|: the step is lr * g / (|g| + eps).
        parameters.get("w")!.forEach((value, i) => {
          const g = Math.fround(gradient[i]!);
          expect(value).toBeCloseTo(1 - (0.01 * g) / (Math.abs(g) + 1e-8), 5);
        });
      }),
    );
  });

  it("follows the textbook over several steps, kept in float64", () => {
    const options = { learningRate: 0.05, beta1: 0.8, beta2: 0.95, eps: 1e-6, weightDecay: 0.1 };
    const parameters = one(0.5);
    let state = initialAdamW(parameters);
    let [w, m, v] = [0.5, 0, 0];
    for (let t = 1; t <= 20; t++) {
      const g = Math.sin(t);
      state = adamWStep(parameters, one(g), state, options).state;
      m = options.beta1 * m + (1 - options.beta1) * g;
      v = options.beta2 * v + (1 - options.beta2) * g * g;
      w -= options.learningRate * options.weightDecay * w;
      w -=
        (options.learningRate * (m / (1 - options.beta1 ** t))) /
        (Math.sqrt(v / (1 - options.beta2 ** t)) + options.eps);
      expect(parameters.get("w")![0]).toBeCloseTo(w, 5);
    }
    expect(state.step).toBe(20);
  });

  it("decays weights apart from the gradient", () => {
    const parameters = one(2, -4);
    step(parameters, [0, 0], { learningRate: 0.1, weightDecay: 0.5 });
    expect([...parameters.get("w")!]).toEqual([2 * 0.95, -4 * 0.95].map(Math.fround));
  });

  it("clips by the norm over all tensors, and reports the norm before", () => {
    const gradients = new Map([
      ["a", Float32Array.of(3)],
      ["b", Float32Array.of(0, 4)],
    ]);
    const parameters = new Map([
      ["a", Float32Array.of(0)],
      ["b", Float32Array.of(0, 0)],
    ]);
    expect(globalNorm(gradients)).toBe(5);
    const { state, gradNorm } = adamWStep(parameters, gradients, initialAdamW(parameters), {
      learningRate: 1,
      maxGradNorm: 1,
    });
    expect(gradNorm).toBe(5);
    // The moments hold what was clipped: torch.nn.utils.clip_grad_norm_ scales by max / (norm + 1e-6).
    expect(state.moments.get("a")!.m[0]).toBeCloseTo((0.1 * 3) / (5 + 1e-6), 7);
    expect(state.moments.get("b")!.m[1]).toBeCloseTo((0.1 * 4) / (5 + 1e-6), 7);
    const gentle = adamWStep(parameters, gradients, initialAdamW(parameters), {
      learningRate: 1,
      maxGradNorm: 6,
    });
    expect(gentle.state.moments.get("a")!.m[0]).toBeCloseTo(0.3, 6);
  });

  it("moves and decays a tensor by its own rate", () => {
    const step = (options: { learningRate: number; rateFactor?: (name: string) => number }) => {
      const parameters = new Map([
        ["matrix", Float32Array.of(1, -2)],
        ["vector", Float32Array.of(1, -2)],
      ]);
      const gradients = new Map([...parameters.keys()].map((name) => [name, Float32Array.of(0.3, 0.1)]));
      adamWStep(parameters, gradients, initialAdamW(parameters), { weightDecay: 0.1, ...options });
      return parameters;
    };
    const apart = step({ learningRate: 0.01, rateFactor: (name) => (name === "vector" ? 20 : 1) });
    expect(apart.get("matrix")).toEqual(step({ learningRate: 0.01 }).get("matrix"));
    expect(apart.get("vector")).toEqual(step({ learningRate: 0.2 }).get("vector"));
  });

  it.each([Number.NaN, Infinity])("touches nothing where a gradient is %d", (bad) => {
    const parameters = one(1, 2);
    const state = initialAdamW(parameters);
    state.moments.get("w")!.m.fill(0.5);
    expect(() => adamWStep(parameters, one(1, bad), state, { learningRate: 1, weightDecay: 1 })).toThrow(
      UnavailableError,
    );
    expect([...parameters.get("w")!]).toEqual([1, 2]);
    expect([...state.moments.get("w")!.m]).toEqual([0.5, 0.5]);
    expect(state.step).toBe(0);
  });

  it("touches nothing where a gradient is missing or of another size", () => {
    const parameters = new Map([...one(1), ["late", Float32Array.of(1)]]);
    const state = initialAdamW(parameters);
    expect(() => adamWStep(parameters, one(1), state, { learningRate: 1 })).toThrow(ShapeError);
    const wrong = new Map([...one(1), ["late", Float32Array.of(1, 2)]]);
    expect(() => adamWStep(parameters, wrong, state, { learningRate: 1 })).toThrow('"late"');
    expect([...parameters.get("w")!]).toEqual([1]);
  });
});
