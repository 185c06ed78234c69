import { describe, expect, it } from "vitest";
import { smartResize } from "../../qwen/smart-resize.js";
import { dialectOf } from "../../response/dialects/index.js";
import { fitPicture, sentSize } from "./picture.js";

const budgets = ["qwen2.5-vl", "qwen3-vl"].map((name) => dialectOf(name).picture!);

describe("the size that a picture is sent at", () => {
  it("is one that the model's own processor leaves as it is", () => {
    for (const budget of budgets) {
      const own = { ...budget, patchSize: budget.factor, mergeSize: 1 };
      for (const [width, height] of [
        [1, 1],
        [16, 256],
        [4096, 256],
        [257, 4100],
        [640, 480],
        [8000, 6000],
      ] as const) {
        const size = sentSize({ width, height }, budget);
        expect(size.width % budget.factor).toBe(0);
        expect(smartResize(size, own)).toEqual(size);
      }
    }
  });

  it.each([
    [17, 1],
    [100, 1601],
    [3300, 200],
  ])("does not exist for %s x %s, and the error says what to do", (width, height) => {
    for (const budget of [...budgets, undefined])
      expect(() => sentSize({ width, height }, budget, "street-7")).toThrow(
        expect.objectContaining({
          name: "InputError",
          message: expect.stringMatching(
            `street-7 of ${width} x ${height} pixels is more than 16 times longer`,
          ) as string,
          hint: expect.stringContaining("pieces") as string,
        }) as Error,
      );
  });

  it("is the picture's own where no budget is set", () => {
    const image = { width: 32, height: 2, data: new Uint8Array(192) };
    expect(fitPicture(image, undefined)).toBe(image);
  });
});
