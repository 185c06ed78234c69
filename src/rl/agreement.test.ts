import { describe, expect, it } from "vitest";
import { addAgreement, agreement, noAgreementSums } from "./agreement.js";

describe("agreement", () => {
  it("is perfect where both say the same", () => {
    const sums = addAgreement(noAgreementSums, [-1, -2], [-1, -2]);
    expect(agreement(sums)).toEqual({ meanGap: 0, maxGap: 0, effectiveSampleShare: 1 });
    expect(agreement(noAgreementSums)).toEqual({ meanGap: 0, maxGap: 0, effectiveSampleShare: 1 });
  });

  it("counts gaps both ways and the effective sample size of the weights", () => {
    let sums = addAgreement(noAgreementSums, [0], [Math.log(3)]);
    sums = addAgreement(sums, [Math.log(2)], [Math.log(2)]);
    const { meanGap, maxGap, effectiveSampleShare } = agreement(sums);
    expect(meanGap).toBeCloseTo(Math.log(3) / 2, 12);
    expect(maxGap).toBeCloseTo(Math.log(3), 12);
    // weights 3 and 1: (3 + 1)^2 / (2 * (9 + 1))
    expect(effectiveSampleShare).toBeCloseTo(16 / 20, 12);
  });
});
