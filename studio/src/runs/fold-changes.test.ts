import { describe, expect, it } from "vitest";
import { foldChanges } from "./fold-changes.js";

describe("foldChanges", () => {
  it("makes one row of a part that one side lacks", () => {
    const rows = foldChanges([
      { path: "seed", a: 1, b: 2 },
      { path: "data.eval.night.look", a: "night" },
      { path: "data.eval.night.seed", a: 9 },
      { path: "data.eval.night.count", a: 64 },
      { path: "grpo.minutes", a: 5 },
      { path: "grpo.steps", a: 1, b: 2 },
    ]);
    expect(rows).toEqual([
      { path: "seed", a: 1, b: 2 },
      { path: "data.eval.night.*", a: "look: night, seed: 9, count: 64", folded: 3 },
      { path: "grpo.minutes", a: 5 },
      { path: "grpo.steps", a: 1, b: 2 },
    ]);
  });
  it("keeps sides and parents apart", () => {
    const changes = [
      { path: "a.x", a: 1 },
      { path: "a.y", a: 1 },
      { path: "a.z", b: 1 },
      { path: "b.x", b: 1 },
      { path: "b.y", b: 1 },
    ];
    expect(foldChanges(changes)).toEqual(changes);
  });
});
