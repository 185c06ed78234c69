import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RgbImage } from "../../base/rgb-image.js";
import type { Box } from "../../geometry/box.js";
import type { Sample } from "../sample.js";
import { generateScene, LOOKS, renderScene } from "./index.js";
import type { SceneOptions } from "./options.js";

const base: SceneOptions = { seed: 11, index: 0, width: 112, height: 112 };

function pixels(sample: Sample): RgbImage {
  if (sample.image.kind !== "pixels") throw new Error("generated scenes are in memory");
  return sample.image.image;
}

function digest(sample: Sample): string {
  const { image: _image, ...truth } = sample;
  return createHash("sha256")
    .update(pixels(sample).data)
    .update(JSON.stringify(truth))
    .digest("hex")
    .slice(0, 16);
}

function iou(a: Box, b: Box): number {
  const w = Math.min(a.x2, b.x2) - Math.max(a.x1, b.x1);
  const h = Math.min(a.y2, b.y2) - Math.max(a.y1, b.y1);
  if (w <= 0 || h <= 0) return 0;
  return (w * h) / ((a.x2 - a.x1) * (a.y2 - a.y1) + (b.x2 - b.x1) * (b.y2 - b.y1) - w * h);
}

function isSame(a: Box, b: Box): boolean {
  return a.x1 === b.x1 && a.y1 === b.y1 && a.x2 === b.x2 && a.y2 === b.y2;
}

/** Share of people whose full box overlaps another's by more than 0.15. */
function overlapping(scenes: readonly Sample[]): number {
  let people = 0;
  let touched = 0;
  for (const { objects } of scenes) {
    people += objects.length;
    for (const a of objects) if (objects.some((b) => b !== a && iou(a.box, b.box) > 0.15)) touched++;
  }
  return touched / people;
}

function scenes(count: number, options: Partial<SceneOptions>): Sample[] {
  return Array.from({ length: count }, (_, index) => generateScene({ ...base, ...options, index }));
}

describe("generateScene", () => {
  it("draws the same bytes for the same options, on every machine", () => {
    // Goldens: a change here is a new SCENES_VERSION.
    const digests = Object.fromEntries(LOOKS.map((look) => [look, digest(generateScene({ ...base, look }))]));
    expect(digests).toMatchInlineSnapshot(`
      {
        "aerial": "0b0feb608473ffbc",
        "fog": "a33938ab7e30d3c0",
        "night": "aa7e66c23548b089",
        "objects": "70a1cb1c73dc9677",
        "plaza": "31f063d5819df4a1",
      }
    `);
    expect(digest(generateScene({ ...base, dense: true, width: 200, height: 144 }))).toMatchInlineSnapshot(
      `"e36df6d602ca1452"`,
    );
  });

  it("makes each scene independently of the others", () => {
    const alone = digest(generateScene({ ...base, index: 7 }));
    const inOrder = scenes(9, {}).map(digest);
    expect(inOrder[7]).toBe(alone);
    expect(new Set(inOrder).size).toBe(9);
    expect(digest(generateScene({ ...base, seed: 12 }))).not.toBe(digest(generateScene(base)));
  });

  it("gives boxes inside the picture, whole pixels, with the visible box inside the full one", () => {
    fc.assert(
      fc.property(
        fc.record({
          look: fc.constantFrom(...LOOKS),
          seed: fc.integer(),
          index: fc.nat(1e6),
          width: fc.integer({ min: 64, max: 240 }),
          height: fc.integer({ min: 64, max: 240 }),
          dense: fc.boolean(),
        }),
        (options) => {
          const sample = generateScene(options);
          expect(pixels(sample).data.length).toBe(options.width * options.height * 3);
          for (const { box, visible, visibility, label } of sample.objects) {
            expect(label).toBe("person");
            expect([box.x1, box.y1, box.x2, box.y2].every(Number.isInteger)).toBe(true);
            expect(box.x1 >= 0 && box.y1 >= 0 && box.x2 <= options.width && box.y2 <= options.height).toBe(
              true,
            );
            expect(box.x2 > box.x1 && box.y2 > box.y1).toBe(true);
            expect(visible!.x1 >= box.x1 && visible!.y1 >= box.y1).toBe(true);
            expect(visible!.x2 <= box.x2 && visible!.y2 <= box.y2).toBe(true);
            expect(visibility).toBeGreaterThanOrEqual(0.15);
            expect(visibility).toBeLessThanOrEqual(1);
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it("measures boxes and visibility on the drawn pixels", () => {
    for (let index = 0; index < 40; index++) {
      const { sample, ids } = renderScene({ ...base, index, dense: index % 2 === 1 });
      sample.objects.forEach((object, i) => {
        let [x1, y1, x2, y2, seen] = [sample.width, sample.height, 0, 0, 0];
        for (let p = 0; p < ids.length; p++) {
          if (ids[p] !== i + 1) continue;
          const x = p % sample.width;
          const y = Math.floor(p / sample.width);
          [x1, y1, x2, y2] = [Math.min(x1, x), Math.min(y1, y), Math.max(x2, x + 1), Math.max(y2, y + 1)];
          seen++;
        }
        expect(object.visible).toEqual({ x1, y1, x2, y2 });
        // The full box holds what is seen and, where nothing is hidden, nothing more.
        const area = (object.box.x2 - object.box.x1) * (object.box.y2 - object.box.y1);
        expect(seen / object.visibility!).toBeLessThanOrEqual(area + 1e-9);
        expect(object.visibility! < 1 || isSame(object.box, object.visible!)).toBe(true);
      });
    }
  });

  it("gives the hidden part too: the full box is the box of the person painted without the others", () => {
    // A scene of one person and the same scene seen with things in front differ in visibility alone.
    let hidden = 0;
    let alone = 0;
    for (let index = 0; index < 60; index++) {
      const options = { ...base, index, people: { min: 1, max: 1 }, groups: 0 };
      const crossed = generateScene({ ...options, distractors: 25 });
      const free = generateScene({ ...options, distractors: 0 });
      if (crossed.objects[0]!.visibility! === 1) continue;
      // A person that the things hid almost wholly was moved; then the boxes may differ.
      if (isSame(crossed.objects[0]!.box, free.objects[0]!.box)) hidden++;
      if (free.objects[0]!.visibility !== 1) alone++;
    }
    expect(alone).toBe(0);
    expect(hidden).toBeGreaterThan(10);
  });

  it("keeps to the number of people asked for", () => {
    const counts = scenes(200, { people: { min: 2, max: 6 } }).map((s) => s.objects.length);
    expect(Math.min(...counts)).toBe(2);
    expect(Math.max(...counts)).toBe(6);
    for (const look of LOOKS) {
      const full = scenes(40, { look, dense: true, people: { min: 15, max: 15 } });
      expect(full.map((s) => s.objects.length).filter((n) => n !== 15)).toEqual([]);
    }
    expect(generateScene({ ...base, people: { min: 0, max: 0 } }).objects).toEqual([]);
  });

  it("crowds by default at least a third of the people of 1..8-people scenes, and as told otherwise", () => {
    for (const look of LOOKS) expect(overlapping(scenes(150, { look }))).toBeGreaterThan(1 / 3);
    expect(overlapping(scenes(100, { crowding: 0 }))).toBeLessThan(0.15);
    expect(overlapping(scenes(100, { crowding: 1 }))).toBeGreaterThan(0.7);
  });

  it("has a dense slice: more people, smaller, more of them hidden, more groups", () => {
    const usual = scenes(120, {});
    const dense = scenes(120, { dense: true });
    const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    expect(Math.min(...dense.map((s) => s.objects.length))).toBeGreaterThanOrEqual(9);
    expect(Math.max(...dense.map((s) => s.objects.length))).toBe(15);
    const visibility = (all: Sample[]) => mean(all.flatMap((s) => s.objects.map((o) => o.visibility!)));
    const tall = (all: Sample[]) => mean(all.flatMap((s) => s.objects.map((o) => o.box.y2 - o.box.y1)));
    expect(visibility(dense)).toBeLessThan(visibility(usual) - 0.05);
    expect(tall(dense)).toBeLessThan(tall(usual) * 0.8);
    expect(mean(dense.map((s) => s.ignore.length))).toBeGreaterThan(mean(usual.map((s) => s.ignore.length)));
    expect(overlapping(dense)).toBeGreaterThan(0.7);
  });

  it("puts far people higher and draws them smaller", () => {
    const nearFirst = scenes(60, { people: { min: 6, max: 8 } }).map((s) => {
      const feet = s.objects.map((o) => o.box.y2);
      const tall = s.objects.map((o) => o.box.y2 - o.box.y1);
      const far = feet.indexOf(Math.min(...feet));
      const near = feet.indexOf(Math.max(...feet));
      return tall[near]! - tall[far]!;
    });
    expect(nearFirst.filter((d) => d > 0).length).toBeGreaterThan(54);
  });

  it("gives each look its own pictures", () => {
    const light = (look: (typeof LOOKS)[number]) => {
      const values = scenes(30, { look }).map(
        (s) => pixels(s).data.reduce((a, b) => a + b, 0) / pixels(s).data.length,
      );
      return values.reduce((a, b) => a + b, 0) / values.length;
    };
    const height = (look: (typeof LOOKS)[number]) => {
      const all = scenes(30, { look }).flatMap((s) => s.objects.map((o) => o.box.y2 - o.box.y1));
      return all.reduce((a, b) => a + b, 0) / all.length;
    };
    /** Mean distance of the channels: how colourful. */
    const colour = (look: (typeof LOOKS)[number]) => {
      let sum = 0;
      const all = scenes(30, { look });
      for (const s of all) {
        const { data } = pixels(s);
        for (let i = 0; i < data.length; i += 3) {
          sum +=
            Math.max(data[i]!, data[i + 1]!, data[i + 2]!) - Math.min(data[i]!, data[i + 1]!, data[i + 2]!);
        }
      }
      return sum / (all.length * 112 * 112);
    };
    expect(light("night")).toBeLessThan(light("plaza") * 0.5);
    expect(light("fog")).toBeGreaterThan(light("plaza") * 1.1);
    expect(height("aerial")).toBeLessThan(height("plaza") * 0.6);
    expect(colour("objects")).toBeGreaterThan(colour("plaza") * 1.3);
  });

  it("names the option that is out of range", () => {
    expect(() => generateScene({ ...base, people: { min: 4, max: 2 } })).toThrow(
      /people\.max must be within 4\.\.200, got 2/,
    );
    expect(() => generateScene({ ...base, crowding: 1.5 })).toThrow(/crowding/);
    expect(() => generateScene({ ...base, width: 12.5 })).toThrow(/width must be a whole number/);
    expect(() => generateScene({ ...base, look: "snow" as never })).toThrow(/unknown look "snow"/);
  });
});
