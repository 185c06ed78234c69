import { describe, expect, it } from "vitest";
import { createRng } from "../../../base/rng.js";
import { boxLayouts, fromCorners } from "../../../response/dialects/index.js";
import type { WrittenBox } from "../../../geometry/frame-check.js";
import { measureFrame, type CalibrationAnswer } from "./measure.js";
import { calibrationLabels, calibrationScenes, MOST_SCENES } from "./scene.js";

const scenes = calibrationScenes(MOST_SCENES);

/** Answers in this canvas and layout, edges off by up to `noise` of a side. */
function answers(
  canvasOf: (sent: { readonly width: number; readonly height: number }) => {
    readonly width: number;
    readonly height: number;
  },
  layout: (typeof boxLayouts)[number],
  noise = 0,
): CalibrationAnswer[] {
  const rng = createRng(3);
  return scenes.map(({ image: { width, height }, objects }) => {
    const canvas = canvasOf({ width, height });
    const off = () => noise * (2 * rng.next() - 1);
    const written = objects.map(({ box: { x1, y1, x2, y2 } }): WrittenBox => {
      const corners = [x1 / width + off(), y1 / height + off(), x2 / width + off(), y2 / height + off()];
      return fromCorners(
        corners.map((value, i) => value * (i % 2 === 0 ? canvas.width : canvas.height)),
        layout,
      );
    });
    return {
      written,
      truth: objects.map(({ box: { x1, y1, x2, y2 } }) => ({ x1, y1, x2, y2 })),
      sent: { width, height },
    };
  });
}

const canvases = {
  model: (sent: { readonly width: number; readonly height: number }) => sent,
  norm1000: () => ({ width: 1000, height: 1000 }),
  norm1: () => ({ width: 1, height: 1 }),
} as const;

describe("measureFrame", () => {
  it.each(
    (["model", "norm1000", "norm1"] as const).flatMap((scale) =>
      boxLayouts.map((layout) => ({ scale, layout })),
    ),
  )("tells $scale, $layout, also of a model that is a little off", ({ scale, layout }) => {
    for (const noise of [0, 0.02]) {
      const { best, second, clear } = measureFrame(answers(canvases[scale], layout, noise));
      expect(best).toMatchObject({ scale, layout });
      expect(clear).toBe(true);
      expect(best.fit).toBeGreaterThan(noise === 0 ? 0.999 : 0.7);
      expect(second!.fit).toBeLessThan(best.fit - 0.1);
      expect(best.x.slope).toBeCloseTo(1, 1);
      expect(Math.abs(best.y.offset)).toBeLessThan(0.02);
    }
  });

  it("measures a canvas of the server's own", () => {
    const shrink = ({ width, height }: { readonly width: number; readonly height: number }) => {
      const factor = Math.min(1, Math.sqrt(200_000 / (width * height)));
      return { width: width * factor, height: height * factor };
    };
    const { best, clear } = measureFrame(answers(shrink, "xyxy", 0.005));
    expect(best).toMatchObject({ scale: "own", layout: "xyxy" });
    expect(clear).toBe(true);
    const canvas = best.canvases![5]!;
    expect(Math.abs(canvas.width * canvas.height - 200_000)).toBeLessThan(10_000);
    // A square that pictures are squeezed into.
    const square = measureFrame(answers(() => ({ width: 448, height: 448 }), "xyxy"));
    expect(square.best.canvases![2]).toEqual({ width: 448, height: 448 });
  });

  it("does not believe chance, nor nothing", () => {
    const rng = createRng(1);
    const wild = answers(canvases.model, "xyxy").map((answer) => ({
      ...answer,
      written: answer.written.map((): WrittenBox => [
        rng.int(0, 900),
        rng.int(0, 900),
        rng.int(0, 900),
        rng.int(0, 900),
      ]),
    }));
    expect(measureFrame(wild)).toMatchObject({ clear: false, reason: "no reading fits the answers" });
    const silent = answers(canvases.model, "xyxy").map((answer) => ({ ...answer, written: [] }));
    expect(measureFrame(silent)).toMatchObject({ clear: false, reason: "no answer holds a box", boxes: 0 });
    expect(measureFrame([]).clear).toBe(false);
  });

  it("cannot tell thousandths from pixels of a picture of a thousand pixels, and says so", () => {
    const sent = { width: 1000, height: 1000 };
    const one = answers(canvases.norm1000, "xyxy")[3]!;
    const truth = one.truth.map(({ x1, y1, x2, y2 }) => ({
      x1: x1 / 0.9,
      y1: y1 / 0.9,
      x2: x2 / 0.9,
      y2: y2 / 0.9,
    }));
    expect(measureFrame([{ written: one.written, truth, sent }])).toMatchObject({
      clear: false,
      reason: "two readings fit nearly alike",
    });
  });
});

describe("calibrationScenes", () => {
  it("are rectangles that lie apart, the same for the same seed", () => {
    const [once, again] = [calibrationScenes(2, 5), calibrationScenes(2, 5)];
    expect(once.map(({ objects }) => objects)).toEqual(again.map(({ objects }) => objects));
    // Pixels as bytes: comparing arrays item by item takes minutes.
    expect(Buffer.compare(once[1]!.image.data, again[1]!.image.data)).toBe(0);
    expect(calibrationScenes(2, 5)[0]!.objects).not.toEqual(calibrationScenes(2, 6)[0]!.objects);
    for (const { image, objects } of scenes) {
      expect(objects.map(({ label }) => label)).toEqual([...calibrationLabels]);
      for (const { box } of objects) {
        expect(box.x1).toBeGreaterThanOrEqual(0);
        expect(box.x2).toBeLessThanOrEqual(image.width);
        expect(box.y2).toBeLessThanOrEqual(image.height);
        const apart = objects.filter(
          ({ box: other }) =>
            other !== box &&
            !(other.x2 <= box.x1 || box.x2 <= other.x1 || other.y2 <= box.y1 || box.y2 <= other.y1),
        );
        expect(apart).toEqual([]);
      }
    }
  });
});
