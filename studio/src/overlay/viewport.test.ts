import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  clampViewport,
  fitViewport,
  panViewport,
  revealBox,
  toScene,
  toStage,
  zoomViewport,
} from "./viewport.js";

const side = fc.integer({ min: 8, max: 4000 });
const size = fc.record({ width: side, height: side });

describe("fitViewport", () => {
  it("shows the whole scene in the middle, touching the stage on one axis", () => {
    expect(fitViewport({ width: 112, height: 56 }, { width: 560, height: 560 })).toEqual({
      scale: 5,
      x: 0,
      y: 140,
    });
  });

  it("keeps every corner on the stage", () => {
    fc.assert(
      fc.property(size, size, (scene, stage) => {
        const rect = toStage(fitViewport(scene, stage), {
          x1: 0,
          y1: 0,
          x2: scene.width,
          y2: scene.height,
        });
        expect(rect.x).toBeGreaterThanOrEqual(-1e-6);
        expect(rect.y).toBeGreaterThanOrEqual(-1e-6);
        expect(rect.x + rect.width).toBeLessThanOrEqual(stage.width + 1e-6);
        expect(rect.y + rect.height).toBeLessThanOrEqual(stage.height + 1e-6);
      }),
    );
  });
});

describe("zoomViewport", () => {
  it("keeps what lies under the pointer where nothing has to be clamped", () => {
    const [scene, stage] = [
      { width: 100, height: 100 },
      { width: 500, height: 500 },
    ];
    const view = fitViewport(scene, stage);
    const about = { x: 200, y: 300 };
    const zoomed = zoomViewport(view, 2, about, scene, stage);
    expect(zoomed.scale).toBe(10);
    expect(toScene(zoomed, about)).toEqual(toScene(view, about));
  });

  it("stays between half and 24 times the fitted scale, and leaves no gap beside a picture larger than the stage", () => {
    fc.assert(
      fc.property(
        size,
        size,
        fc.array(
          fc.record({
            factor: fc.double({ min: 0.1, max: 10, noNaN: true }),
            x: fc.double({ min: 0, max: 1, noNaN: true }),
            y: fc.double({ min: 0, max: 1, noNaN: true }),
          }),
          { maxLength: 6 },
        ),
        (scene, stage, moves) => {
          const fitted = fitViewport(scene, stage);
          let view = fitted;
          for (const { factor, x, y } of moves)
            view = zoomViewport(view, factor, { x: x * stage.width, y: y * stage.height }, scene, stage);
          expect(view.scale / fitted.scale).toBeLessThanOrEqual(24 + 1e-9);
          expect(view.scale / fitted.scale).toBeGreaterThanOrEqual(0.5 - 1e-9);
          const rect = toStage(view, { x1: 0, y1: 0, x2: scene.width, y2: scene.height });
          const covers = rect.width >= stage.width;
          const [low, high] = covers ? [stage.width - rect.width, 0] : [0, stage.width - rect.width];
          expect(rect.x).toBeGreaterThanOrEqual(low - 1e-6);
          expect(rect.x).toBeLessThanOrEqual(high + 1e-6);
        },
      ),
    );
  });
});

describe("panViewport", () => {
  it("stops at the picture's edges", () => {
    const [scene, stage] = [
      { width: 100, height: 100 },
      { width: 200, height: 200 },
    ];
    const view = clampViewport({ scale: 4, x: -100, y: -100 }, scene, stage);
    expect(panViewport(view, { x: 1000, y: -1000 }, scene, stage)).toEqual({ scale: 4, x: 0, y: -200 });
  });
});

describe("toScene", () => {
  it("undoes toStage", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 50, noNaN: true }),
        fc.integer({ min: -500, max: 500 }),
        fc.integer({ min: -500, max: 500 }),
        (scale, x, y) => {
          const rect = toStage({ scale, x, y }, { x1: 3, y1: 4, x2: 7, y2: 9 });
          const corner = toScene({ scale, x, y }, rect);
          expect(corner.x).toBeCloseTo(3, 6);
          expect(corner.y).toBeCloseTo(4, 6);
        },
      ),
    );
  });
});

describe("revealBox", () => {
  const [scene, stage] = [
    { width: 100, height: 100 },
    { width: 200, height: 200 },
  ];
  const near = clampViewport({ scale: 8, x: 0, y: 0 }, scene, stage);

  it("moves nothing where the box is in sight", () => {
    expect(revealBox(near, { x1: 2, y1: 2, x2: 10, y2: 10 }, scene, stage)).toBe(near);
  });

  it("moves a box that is out of sight to the middle", () => {
    const rect = toStage(
      revealBox(near, { x1: 60, y1: 60, x2: 70, y2: 70 }, scene, stage),
      { x1: 60, y1: 60, x2: 70, y2: 70 }, // prettier-ignore
    );
    expect(rect).toEqual({ x: 60, y: 60, width: 80, height: 80 });
  });

  it("zooms out for a box larger than the stage", () => {
    expect(revealBox(near, { x1: 0, y1: 0, x2: 100, y2: 50 }, scene, stage).scale).toBe(2);
  });
});
