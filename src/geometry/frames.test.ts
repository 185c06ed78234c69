import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { box, type Frame } from "./box.js";
import {
  convertBox,
  frameSize,
  imageToModel,
  imageToNorm1000,
  modelToImage,
  modelToNorm1000,
  norm1000ToImage,
  norm1000ToModel,
  type FrameSizes,
} from "./frames.js";
import { roundBox } from "./overlap.js";

const sizes: FrameSizes = { image: { width: 1920, height: 1080 }, model: { width: 1316, height: 728 } };

describe("frames", () => {
  it("takes the whole canvas exactly to the whole canvas, from any frame to any", () => {
    const frames: Frame[] = ["image", "model", "norm1000"];
    const side = fc.integer({ min: 1, max: 8000 });
    fc.assert(
      fc.property(side, side, side, side, (iw, ih, mw, mh) => {
        const any = { image: { width: iw, height: ih }, model: { width: mw, height: mh } };
        for (const from of frames) {
          for (const to of frames) {
            const a = frameSize(from, any);
            const b = frameSize(to, any);
            expect(convertBox(box(0, 0, a.width, a.height), from, to, any)).toEqual(
              box(0, 0, b.width, b.height),
            );
          }
        }
      }),
    );
  });

  it("scales each axis by its own ratio", () => {
    expect(imageToModel(box(960, 540, 1920, 1080), sizes)).toEqual(box(658, 364, 1316, 728));
    expect(imageToNorm1000(box(192, 108, 960, 540), sizes)).toEqual(box(100, 100, 500, 500));
    expect(norm1000ToImage(box(100, 100, 500, 500), sizes)).toEqual(box(192, 108, 960, 540));
    expect(modelToNorm1000(box(329, 182, 658, 364), sizes)).toEqual(box(250, 250, 500, 500));
    expect(norm1000ToModel(box(250, 250, 500, 500), sizes)).toEqual(box(329, 182, 658, 364));
  });

  it("image to model, rounded, and back loses at most half a model pixel an edge", () => {
    const side = fc.integer({ min: 28, max: 6000 });
    const share = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(
        side,
        side,
        side,
        side,
        fc.tuple(share, share, share, share),
        (iw, ih, mw, mh, [a, b, c, d]) => {
          const any = { image: { width: iw, height: ih }, model: { width: mw, height: mh } };
          const raw = box<"image">(
            Math.min(a, b) * iw,
            Math.min(c, d) * ih,
            Math.max(a, b) * iw,
            Math.max(c, d) * ih,
          );
          const model = imageToModel(raw, any);
          fc.pre(model.x2 - model.x1 >= 1 && model.y2 - model.y1 >= 1);
          const back = modelToImage(roundBox(model), any);
          const [pixelX, pixelY] = [iw / mw, ih / mh];
          for (const corner of ["x1", "x2"] as const) {
            expect(Math.abs(back[corner] - raw[corner]) / pixelX).toBeLessThanOrEqual(0.5 + 1e-9);
          }
          for (const corner of ["y1", "y2"] as const) {
            expect(Math.abs(back[corner] - raw[corner]) / pixelY).toBeLessThanOrEqual(0.5 + 1e-9);
          }
        },
      ),
    );
  });
});
