import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { box } from "./box.js";
import type { FrameSizes } from "./frames.js";
import { answerSize, boxFromAnswer, boxToAnswer, type CoordinateProfile } from "./profiles.js";

const sizes: FrameSizes = { image: { width: 1920, height: 1080 }, model: { width: 1316, height: 728 } };

describe("coordinate profiles", () => {
  it("write the same box in pixels of the resized picture or in thousandths", () => {
    const half = box<"image">(960, 540, 1920, 1080);
    expect(boxToAnswer(half, "absolute", sizes)).toEqual(box(658, 364, 1316, 728));
    expect(boxToAnswer(half, "norm1000", sizes)).toEqual(box(500, 500, 1000, 1000));
    expect(boxFromAnswer(box(500, 500, 1000, 1000), "norm1000", sizes)).toEqual(half);
    expect(boxFromAnswer(box(658, 364, 1316, 728), "absolute", sizes)).toEqual(half);
  });

  it("clip to the picture, and have no answer for what is outside", () => {
    expect(boxToAnswer(box(-50, 0, 96, 2000), "norm1000", sizes)).toEqual(box(0, 0, 50, 1000));
    expect(boxToAnswer(box(-50, 0, -1, 20), "absolute", sizes)).toBeUndefined();
  });

  it.each<CoordinateProfile>(["absolute", "norm1000"])(
    "%s: image to model to image loses at most half a unit of the model",
    (profile) => {
      const side = fc.integer({ min: 28, max: 6000 });
      const share = fc.double({ min: 0, max: 1, noNaN: true });
      fc.assert(
        fc.property(
          fc.tuple(side, side, side, side),
          fc.tuple(share, share, share, share),
          ([iw, ih, mw, mh], [a, b, c, d]) => {
            const any = { image: { width: iw, height: ih }, model: { width: mw, height: mh } };
            const raw = box<"image">(
              Math.min(a, b) * iw,
              Math.min(c, d) * ih,
              Math.max(a, b) * iw,
              Math.max(c, d) * ih,
            );
            const canvas = answerSize(profile, any);
            const unit = { x: iw / canvas.width, y: ih / canvas.height };
            fc.pre(raw.x2 - raw.x1 >= unit.x && raw.y2 - raw.y1 >= unit.y);
            const back = boxFromAnswer(boxToAnswer(raw, profile, any)!, profile, any);
            expect(Math.abs(back.x1 - raw.x1) / unit.x).toBeLessThanOrEqual(0.5 + 1e-9);
            expect(Math.abs(back.x2 - raw.x2) / unit.x).toBeLessThanOrEqual(0.5 + 1e-9);
            expect(Math.abs(back.y1 - raw.y1) / unit.y).toBeLessThanOrEqual(0.5 + 1e-9);
            expect(Math.abs(back.y2 - raw.y2) / unit.y).toBeLessThanOrEqual(0.5 + 1e-9);
          },
        ),
      );
    },
  );
});
