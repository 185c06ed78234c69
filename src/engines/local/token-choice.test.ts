import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { UnavailableError } from "../../base/errors.js";
import { createRng } from "../../base/rng.js";
import { chooseToken, type TokenChoiceOptions } from "./token-choice.js";

const NONE: ReadonlySet<number> = new Set();
const logitsOf = fc
  .array(fc.double({ min: -12, max: 12, noNaN: true }), { minLength: 2, maxLength: 12 })
  .map((values) => Float32Array.from(values));

/** Probabilities by the definition: temperature, bans, top-k, then top-p. */
function distribution(logits: Float32Array, options: TokenChoiceOptions): number[] {
  const { temperature, topK = 0, topP = 1, banned } = options;
  const weights = Array.from(logits, (logit, id) => (banned.has(id) ? 0 : Math.exp(logit / temperature)));
  const order = weights.map((_, id) => id).sort((a, b) => weights[b]! - weights[a]! || a - b);
  for (const id of order.slice(topK > 0 ? topK : order.length)) weights[id] = 0;
  const total = weights.reduce((a, b) => a + b, 0);
  let held = 0;
  for (const id of order) {
    // The token that crosses top-p is kept, what comes after is not.
    if (held >= topP * total * (1 - 1e-12) && held > 0) weights[id] = 0;
    else held += weights[id]!;
  }
  return weights.map((weight) => weight / held);
}

function frequencies(logits: Float32Array, options: TokenChoiceOptions, draws: number, seed: number) {
  const rng = createRng(seed);
  const counts = Array.from(logits, () => 0);
  for (let i = 0; i < draws; i++) counts[chooseToken(logits, 0, logits.length, options, rng).token]!++;
  return counts;
}

describe("chooseToken", () => {
  const logits = Float32Array.of(1.2, -0.5, 0.3, 2, -3, 0.9, 1.9, -1);
  it.each<[string, Omit<TokenChoiceOptions, "banned">, number[]]>([
    ["temperature 1", { temperature: 1 }, []],
    ["temperature 0.5", { temperature: 0.5 }, []],
    ["temperature 2", { temperature: 2 }, []],
    ["top-k", { temperature: 1, topK: 3 }, []],
    ["top-p", { temperature: 1, topP: 0.7 }, []],
    ["top-k, then top-p", { temperature: 1.5, topK: 5, topP: 0.8 }, []],
    ["bans", { temperature: 1 }, [3, 6]],
    ["bans, top-k and top-p", { temperature: 1, topK: 3, topP: 0.9 }, [3]],
  ])("draws by the exact probabilities: %s", (_, options, bans) => {
    const all = { ...options, banned: new Set(bans) };
    const expected = distribution(logits, all);
    const draws = 20_000;
    const counts = frequencies(logits, all, draws, 11);
    let chiSquare = 0;
    counts.forEach((count, id) => {
      const mean = draws * expected[id]!;
      // What cannot be drawn never is.
      chiSquare += mean === 0 ? (count === 0 ? 0 : Infinity) : (count - mean) ** 2 / mean;
    });
    // 99.9 percent point of chi-square with 7 degrees of freedom; the seed is fixed.
    expect(chiSquare).toBeLessThan(24.3);
  });

  it("gives the log-probability over the whole vocabulary at the temperature, whatever was cut", () => {
    fc.assert(
      fc.property(
        logitsOf,
        fc.double({ min: 0.3, max: 2, noNaN: true }),
        fc.integer({ min: 0, max: 4 }),
        fc.double({ min: 0.1, max: 1, noNaN: true }),
        fc.integer(),
        (values, temperature, topK, topP, seed) => {
          const options = { temperature, topK, topP, banned: new Set([0]) };
          const { token, logprob } = chooseToken(values, 0, values.length, options, createRng(seed));
          const scaled = Array.from(values, (value) => value / temperature);
          const peak = Math.max(...scaled);
          const norm = peak + Math.log(scaled.reduce((sum, value) => sum + Math.exp(value - peak), 0));
          expect(logprob).toBeCloseTo(scaled[token]! - norm, 9);
          expect(token).not.toBe(0);
          expect(distribution(values, options)[token]).toBeGreaterThan(0);
        },
      ),
    );
  });

  it("is greedy at temperature 0: the first of the likeliest that is allowed, its log-probability at 1", () => {
    fc.assert(
      fc.property(logitsOf, fc.integer(), (values, seed) => {
        const options = { temperature: 0, topK: 2, topP: 0.5, banned: new Set([1]) };
        const { token, logprob } = chooseToken(values, 0, values.length, options, createRng(seed));
        const allowed = Array.from(values, (value, id) => (id === 1 ? -Infinity : value));
        expect(token).toBe(allowed.indexOf(Math.max(...allowed)));
        const norm = Math.log(values.reduce((sum, value) => sum + Math.exp(value), 0));
        expect(logprob).toBeCloseTo(values[token]! - norm, 5);
      }),
    );
  });

  it("reads its own row of a larger array, and depends on the stream alone", () => {
    const padded = Float32Array.from([50, 50, ...logits, 50]);
    const options = { temperature: 1, banned: NONE };
    for (let seed = 0; seed < 20; seed++) {
      expect(chooseToken(padded, 2, logits.length, options, createRng(seed))).toEqual(
        chooseToken(logits, 0, logits.length, options, createRng(seed)),
      );
    }
  });

  it("draws fairly among the rest where a banned token has nearly all the mass, or all that a double can tell", () => {
    for (const gap of [40, 2000]) {
      const counts = frequencies(
        Float32Array.of(gap, 0, 0, Math.log(2)),
        { temperature: 1, banned: new Set([0]) },
        4000,
        3,
      );
      expect(counts[0]).toBe(0);
      expect(counts[1]! / 4000).toBeCloseTo(0.25, 1);
      expect(counts[3]! / 4000).toBeCloseTo(0.5, 1);
    }
  });

  it("refuses logits that are not finite, and bans on everything", () => {
    const options = { temperature: 1, banned: NONE };
    const rng = createRng(0);
    expect(() => chooseToken(Float32Array.of(1, Number.NaN), 0, 2, options, rng)).toThrow(UnavailableError);
    expect(() => chooseToken(Float32Array.of(1, Infinity), 0, 2, options, rng)).toThrow("not finite");
    expect(() =>
      chooseToken(Float32Array.of(1, 2), 0, 2, { temperature: 0, banned: new Set([0, 1]) }, rng),
    ).toThrow("banned");
  });
});
