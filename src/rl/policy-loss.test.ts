import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readGolden, rows } from "../../test/support/golden.js";
import { groupAdvantages } from "./advantage.js";
import { tokenWeights, type Aggregation } from "./aggregation.js";
import { policyLoss, type PolicyTokens } from "./policy-loss.js";
import { addPolicySums, noPolicySums, policyStats, policySums } from "./policy-stats.js";

const folder = new URL("../../test/fixtures/qwen2_5_vl/golden/", import.meta.url);
const golden = readGolden(new URL("grpo.safetensors", folder));
const scalars = (
  JSON.parse(readFileSync(new URL("manifest.json", folder), "utf8")) as { scalars: Record<string, number> }
).scalars;
const matrix = (name: string): Float32Array[] => rows(golden.get(name)!);

/** The golden's columns where the mask is 1: what our responses hold. */
const mask = matrix("mask");
const completion = (name: string): Float32Array[] =>
  matrix(name).map((row, i) => row.filter((_, t) => mask[i]![t] === 1));

const [logprobs, old, reference] = [completion("logprobs"), completion("old"), completion("ref")];
const rewards = Array.from(golden.get("rewards")!.data);
const advantages = groupAdvantages([rewards]).advantages[0]!;

describe("the loss of TRL's GRPO", () => {
  it("has its advantages", () => {
    golden.get("advantages")!.data.forEach((value, i) => expect(advantages[i]).toBeCloseTo(value, 6));
  });

  const aggregations: Record<string, Aggregation> = {
    grpo: { kind: "sequence" },
    bnpo: { kind: "token" },
    dr_grpo_max64: { kind: "constant", maxTokens: 64 },
  };
  const variants = Object.keys(aggregations).flatMap((name) => [
    { name, beta: 0, bias: false },
    { name, beta: 0.04, bias: false },
    { name, beta: 0.04, bias: true },
  ]);
  it.each(variants)("$name, beta $beta, KL bias correction $bias", ({ name, beta, bias }) => {
    const weights = tokenWeights(
      logprobs.map((row) => row.length),
      aggregations[name]!,
    );
    const responses = logprobs.map((row, i): PolicyTokens => ({
      logprobs: row,
      oldLogprobs: old[i]!,
      referenceLogprobs: reference[i]!,
      advantages: new Float32Array(row.length).fill(advantages[i]!),
      weights: weights[i]!,
    }));
    const { loss, gradient } = policyLoss(responses, {
      clipLow: 0.2,
      clipHigh: 0.2,
      klBeta: beta,
      klEstimator: "k3",
      klBiasCorrected: bias,
    });
    const tag = `${name}.beta${beta === 0 ? "0.0" : beta}${bias ? ".kl_bias_corrected" : ""}`;
    expect(loss).toBeCloseTo(scalars[`grpo.${tag}`]!, 6);
    const expected = completion(`${tag}.dlogprobs`);
    gradient.forEach((row, i) => row.forEach((value, t) => expect(value).toBeCloseTo(expected[i]![t]!, 7)));
  });
});

const token = fc.record({
  logprob: fc.double({ min: -8, max: 0, noNaN: true }),
  old: fc.double({ min: -8, max: 0, noNaN: true }),
  reference: fc.double({ min: -8, max: 0, noNaN: true }),
  advantage: fc.double({ min: -3, max: 3, noNaN: true }),
});

describe("policyLoss", () => {
  const options = { clipLow: 0.2, clipHigh: 0.28, klBeta: 0.1 } as const;

  it.each(["k1", "k2", "k3"] as const)(
    "has the gradient that finite differences give (%s)",
    (klEstimator) => {
      fc.assert(
        fc.property(token, fc.boolean(), (t, klBiasCorrected) => {
          const rho = Math.exp(t.logprob - t.old);
          // Not at the clip's corners, where there is no derivative.
          fc.pre(Math.abs(rho - 0.8) > 1e-3 && Math.abs(rho - 1.28) > 1e-3);
          const at = (logprob: number) =>
            policyLoss(
              [
                {
                  logprobs: [logprob],
                  oldLogprobs: [t.old],
                  referenceLogprobs: [t.reference],
                  advantages: [t.advantage],
                  weights: [0.5],
                },
              ],
              { ...options, klEstimator, klBiasCorrected },
            );
          const h = 1e-5;
          const slope = (at(t.logprob + h).loss - at(t.logprob - h).loss) / (2 * h);
          const scale = Math.max(1, Math.abs(slope));
          expect(Math.abs(at(t.logprob).gradient[0]![0]! - slope) / scale).toBeLessThan(1e-4);
        }),
      );
    },
  );

  it("gives a masked token no loss and no gradient, even where its ratio overflows", () => {
    const { loss, gradient } = policyLoss(
      [{ logprobs: [0, -1], oldLogprobs: [-1e4, -1], advantages: [-1, 1], weights: [0, 1] }],
      { ...options, klBeta: 0, klEstimator: "k3" },
    );
    expect(loss).toBeCloseTo(-1, 12);
    expect(Array.from(gradient[0]!)).toEqual([0, -1]);
  });

  it("refuses a KL term without a reference", () => {
    const response = { logprobs: [0], oldLogprobs: [0], advantages: [0], weights: [1] };
    expect(() => policyLoss([response], { ...options, klEstimator: "k3" })).toThrow(/reference/);
  });

  it("tells clipped tokens, and the statistics count them over batches", () => {
    const response: PolicyTokens = {
      logprobs: [Math.log(1.5), Math.log(1.5), Math.log(0.5), Math.log(0.5), 5],
      oldLogprobs: [0, 0, 0, 0, 0],
      referenceLogprobs: [0, 0, 0, 0, 0],
      advantages: [1, -1, 1, -1, 1],
      weights: [1, 1, 1, 1, 0],
    };
    const { clipped } = policyLoss([response], { ...options, klEstimator: "k1" });
    expect(Array.from(clipped[0]!)).toEqual([1, 0, 0, 1, 1]);
    const sums = policySums([response], { ...options, klEstimator: "k1" });
    const stats = policyStats(addPolicySums(addPolicySums(noPolicySums, sums), sums));
    expect(stats.clipShare).toBe(0.5);
    expect(stats.meanRatio).toBeCloseTo(1, 12);
    expect(stats.kl).toBeCloseTo((2 * Math.log(1.5) + 2 * Math.log(0.5)) / 4, 12);
    expect(policyStats(noPolicySums)).toEqual({ clipShare: 0, meanRatio: 1, kl: 0 });
  });
});
