import { describe, expect, it } from "vitest";
import { advantageSpan, availableColours, scaleEnds, tokenShade } from "./token-scale.js";

const track = {
  ends: [1, 2, 3],
  logprobs: [0, Math.log(0.5), Math.log(0.001)],
  referenceLogprobs: [0, Math.log(0.25), Math.log(0.004)],
  advantages: [0, 1.5, -3],
};

describe("tokenShade", () => {
  it("shades the unlikely, evenly in the logarithm, up to 2%", () => {
    const shares = [0, 1, 2].map((token) => tokenShade(track, token, "probability", 0)!.share);
    expect(shares[0]).toBe(0);
    expect(shares[1]).toBeCloseTo(Math.log(0.5) / Math.log(0.02), 12);
    expect(shares[2]).toBe(1);
  });

  it("tells likelier than the reference from less likely, the same factor the same shade", () => {
    expect(tokenShade(track, 0, "ratio", 0)).toMatchObject({ share: 0, side: "up" });
    const [twice, quarter] = [tokenShade(track, 1, "ratio", 0)!, tokenShade(track, 2, "ratio", 0)!];
    expect(twice).toMatchObject({ side: "up" });
    expect(twice.share).toBeCloseTo(Math.log(2) / Math.log(3), 12);
    expect(twice.words).toBe("ratio to the reference 2.00 (0.500 to 0.250)");
    expect(quarter).toMatchObject({ side: "down", share: 1 });
  });

  it("shades advantages by their share of the group's greatest", () => {
    const span = advantageSpan([track, null]);
    expect(span).toBe(3);
    expect(tokenShade(track, 1, "advantage", span)).toEqual({
      share: 0.5,
      side: "up",
      words: "advantage +1.50",
    });
    expect(tokenShade(track, 2, "advantage", span)).toEqual({
      share: 1,
      side: "down",
      words: "advantage −3.00",
    });
    expect(tokenShade(track, 1, "advantage", 0)!.share).toBe(0);
  });

  it("says nothing of what was not recorded", () => {
    const { ends, logprobs } = track;
    expect(tokenShade({ ends, logprobs }, 0, "ratio", 0)).toBeUndefined();
    expect(tokenShade({ ends, logprobs }, 0, "advantage", 1)).toBeUndefined();
    expect(tokenShade(track, 9, "probability", 0)).toBeUndefined();
    expect([...availableColours({ ends, logprobs })]).toEqual(["sections", "probability"]);
    expect([...availableColours(null)]).toEqual(["sections"]);
  });
});

describe("scaleEnds", () => {
  it("names the ends of each scale", () => {
    expect(scaleEnds("probability", 0)).toEqual({ low: "certain", high: "2% or less", sides: 1 });
    expect(scaleEnds("advantage", 2).low).toBe("−2.00");
  });
});
