import { describe, expect, it } from "vitest";
import { keepsTokens } from "./token-lines.js";

describe("keepsTokens", () => {
  it("keeps the first step and each so many, or none", () => {
    const kept = (every: number) =>
      Array.from({ length: 30 }, (_, i) => i + 1).filter((s) => keepsTokens(s, every));
    expect(kept(10)).toEqual([1, 10, 20, 30]);
    expect(kept(1)).toHaveLength(30);
    expect(kept(0)).toEqual([]);
  });
});
