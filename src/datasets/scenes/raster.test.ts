import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRng } from "../../base/rng.js";
import { mix, rgb, scaled } from "./colour.js";
import { addNoise, expose } from "./effects.js";
import { GROUND, Raster, sinCos, THING } from "./raster.js";

const centre = fc.double({ min: 20, max: 40, noNaN: true });
const size = fc.double({ min: 2, max: 14, noNaN: true });
const turn = fc.double({ min: -7, max: 7, noNaN: true });

/** A raster on which `draw` painted with id 1. */
function drawn(draw: (raster: Raster) => void): Raster {
  const raster = new Raster(60, 60);
  raster.id = 1;
  draw(raster);
  return raster;
}

describe("shapes", () => {
  it("cover their area, whatever their place and turn", () => {
    fc.assert(
      fc.property(centre, centre, size, size, turn, (x, y, a, b, angle) => {
        const [sin, cos] = sinCos(angle);
        const near = (raster: Raster, area: number, outline: number) => {
          // Smoothed edges: the light adds up to the area. Whole pixels: off by at most half a pixel along the outline.
          let light = 0;
          for (let i = 0; i < raster.data.length; i += 3) light += raster.data[i]! / 255;
          expect(Math.abs(light - area)).toBeLessThanOrEqual(1 + 0.05 * outline);
          expect(Math.abs(raster.painted(1).pixels - area)).toBeLessThanOrEqual(2 + 0.5 * outline);
        };
        const white = 0xffffff;
        const sides = 4 * (a + b);
        near(
          drawn((r) => r.ellipse(x, y, a, b, white, cos, sin)),
          Math.PI * a * b,
          sides,
        );
        near(
          drawn((r) => r.roundRect(x, y, a, b, 0, white, cos, sin)),
          4 * a * b,
          sides,
        );
        const [dx, dy] = [cos * 5, sin * 5];
        near(
          drawn((r) => r.capsule(x - dx, y - dy, x + dx, y + dy, a / 2, a / 2, white)),
          (Math.PI * a * a) / 4 + 10 * a,
          20 + Math.PI * a,
        );
        near(
          drawn((r) => r.convex([x - a, y - b, x + a, y - b, x + a, y + b, x - a, y + b], white)),
          4 * a * b,
          sides,
        );
      }),
      { numRuns: 60, seed: 7 },
    );
  });

  it("have bounds that are those of the pixels they own", () => {
    fc.assert(
      fc.property(centre, centre, size, size, turn, (x, y, a, b, angle) => {
        const [sin, cos] = sinCos(angle);
        const raster = drawn((r) => r.ellipse(x * 1.5 - 10, y, a, b, 0xffffff, cos, sin));
        // Alone on the picture: what was painted is what can be seen.
        expect(raster.painted(1)).toEqual(raster.visible()[1]);
      }),
    );
  });

  it("are smooth at the edge and solid within", () => {
    const raster = drawn((r) => r.roundRect(30, 30, 10.25, 10, 0, 0xffffff));
    const at = (px: number) => raster.data[(30 * 60 + px) * 3];
    expect([at(18), at(19), at(20), at(30), at(39), at(40)]).toEqual([0, 63, 255, 255, 255, 63]);
    expect(raster.painted(1)).toEqual({ x1: 20, y1: 20, x2: 40, y2: 40, pixels: 400 });
  });
});

describe("the id-buffer", () => {
  it("tells the whole of what stands behind and the rest that is seen", () => {
    const raster = new Raster(60, 60);
    raster.id = 1;
    raster.roundRect(20, 30, 10, 10, 0, 0xff0000);
    raster.id = THING;
    raster.roundRect(25, 30, 5, 20, 0, 0x00ff00);
    expect(raster.painted(1)).toEqual({ x1: 10, y1: 20, x2: 30, y2: 40, pixels: 400 });
    expect(raster.visible()[1]).toEqual({ x1: 10, y1: 20, x2: 20, y2: 40, pixels: 200 });
  });

  it("is not touched by shadows, and opacity does not count", () => {
    const raster = new Raster(60, 60);
    raster.id = 1;
    raster.alpha = 0.1;
    raster.ellipse(30, 30, 8, 8, 0xffffff);
    const before = raster.visible()[1];
    expect(before!.pixels).toBeGreaterThan(150);
    raster.id = GROUND;
    raster.alpha = 1;
    raster.ellipse(30, 30, 20, 20, 0x123456);
    expect(raster.visible()[1]).toEqual(before);
  });

  it("ends at the picture's edge", () => {
    const raster = drawn((r) => r.ellipse(0, 0, 10, 10, 0xffffff));
    expect(raster.painted(1)).toMatchObject({ x1: 0, y1: 0, x2: 10, y2: 10 });
    expect(drawn((r) => r.ellipse(-50, 30, 10, 10, 0xffffff)).painted(1).pixels).toBe(0);
  });
});

describe("helpers", () => {
  it("sinCos is sine and cosine", () => {
    for (let angle = -10; angle < 10; angle += 0.01) {
      const [sin, cos] = sinCos(angle);
      expect(Math.abs(sin - Math.sin(angle)) + Math.abs(cos - Math.cos(angle))).toBeLessThan(1e-6);
    }
  });

  it("colours stay in range", () => {
    expect(rgb(-5, 300, 128.9)).toBe(0x00ff80);
    expect(mix(0x000000, 0xff8040, 0.5)).toBe(0x7f4020);
    expect(scaled(0x808080, 3)).toBe(0xffffff);
  });

  it("noise has the spread asked for and no drift; exposure scales", () => {
    const raster = new Raster(100, 100);
    raster.data.fill(100);
    expose(raster, [1.2, 1, 0.5], 10);
    expect([...raster.data.subarray(0, 3)]).toEqual([130, 110, 60]);
    raster.data.fill(128);
    addNoise(raster, 8, createRng(1));
    const mean = raster.data.reduce((a, b) => a + b, 0) / raster.data.length;
    const spread = Math.sqrt(raster.data.reduce((a, b) => a + (b - mean) ** 2, 0) / raster.data.length);
    expect(Math.abs(mean - 128)).toBeLessThan(0.8);
    expect(Math.abs(spread - 8)).toBeLessThan(0.3);
  });
});
