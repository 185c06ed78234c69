import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plainScenes, truthsAsDetections, withExtra } from "../../../test/support/plain-scenes.js";
import { plainFromXywh } from "../plain.js";
import { widerPedestrianAp, type WiderImage } from "./ap.js";
import { readWiderFiles } from "./files.js";

const fixture = (name: string) =>
  fileURLToPath(new URL(`../../../test/fixtures/metrics/widerpedestrian/${name}`, import.meta.url));

describe("WIDER Pedestrian's mAP", () => {
  it("is the challenge's, at every threshold", async () => {
    const golden = JSON.parse(readFileSync(fixture("result.json"), "utf8")) as {
      mAP: number;
      ap: number[];
      positives: number;
      scored: number;
    };
    const { images, year, yearGuessed, ignorePath } = await readWiderFiles(
      fixture("val_bbox.txt"),
      fixture("submission.txt"),
    );
    expect({ year, yearGuessed, ignorePath }).toEqual({
      year: 2019,
      yearGuessed: false,
      ignorePath: fixture("val_ignore.txt"),
    });
    const { map, perThreshold, positives, scored } = widerPedestrianAp(images);
    expect(Math.abs(map! - golden.mAP)).toBeLessThan(1e-9);
    perThreshold.forEach(({ ap }, t) => expect(Math.abs(ap! - golden.ap[t]!)).toBeLessThan(1e-9));
    expect({ positives, scored }).toEqual({ positives: golden.positives, scored: golden.scored });
  });

  it("drops truths and detections of which ignored areas cover over half, added up, a pixel wider in 2019", () => {
    const image: WiderImage = {
      truths: plainFromXywh([
        [0, 0, 10, 10],
        [100, 0, 10, 10],
      ]),
      // A quarter and a quarter of the first box.
      ignored: plainFromXywh([
        [0, 0, 5, 5],
        [5, 5, 5, 5],
      ]),
      detections: { ...plainFromXywh([[0, 0, 10, 10]]), scores: Float64Array.of(1) },
    };
    expect(widerPedestrianAp([image])).toMatchObject({ positives: 1, scored: 0, map: 0 });
    expect(widerPedestrianAp([image], { year: 2018 })).toMatchObject({ positives: 2, scored: 1 });
  });

  it("never gives a detection its second best truth", () => {
    const image: WiderImage = {
      truths: plainFromXywh([
        [0, 0, 40, 100],
        [4, 0, 40, 100],
      ]),
      ignored: plainFromXywh([]),
      detections: {
        ...plainFromXywh([
          [0, 0, 40, 100],
          [1, 0, 40, 100],
        ]),
        scores: Float64Array.of(0.9, 0.8),
      },
    };
    expect(widerPedestrianAp([image], { thresholds: [0.5] }).perThreshold[0]!.ap).toBe(0.5);
  });

  it("is 1 for the truth itself, null without any", () => {
    const scenes = plainScenes(6, 20).map((scene) =>
      truthsAsDetections({
        ...scene,
        ignore: new Uint8Array(scene.ignore.length),
        ignored: plainFromXywh([]),
      }),
    );
    expect(widerPedestrianAp(scenes).map).toBeCloseTo(1, 12);
    const none = { ...plainFromXywh([]), scores: new Float64Array(0) };
    expect(
      widerPedestrianAp([{ truths: plainFromXywh([]), ignored: plainFromXywh([]), detections: none }]),
    ).toMatchObject({ map: null, bounds: { low: null, high: null } });
  });

  it("does not see the order of images, never rises with a false positive, stays in its bounds", () => {
    fc.assert(
      fc.property(fc.integer(), fc.double({ min: 0, max: 1, noNaN: true }), (seed, score) => {
        const scenes = plainScenes(seed, 6);
        const map = widerPedestrianAp(scenes).map ?? 0;
        expect(widerPedestrianAp(scenes.toReversed()).map ?? 0).toBeCloseTo(map, 12);
        const worse = scenes.with(2, withExtra(scenes[2]!, { box: [380, 280, 9, 9], score }));
        expect(widerPedestrianAp(worse).map ?? 0).toBeLessThanOrEqual(map + 1e-12);
        const tied = widerPedestrianAp(plainScenes(seed, 6, { levels: 2 }));
        expect(tied.map ?? 0).toBeGreaterThanOrEqual((tied.bounds.low ?? 0) - 1e-12);
        expect(tied.map ?? 0).toBeLessThanOrEqual((tied.bounds.high ?? 0) + 1e-12);
      }),
      { numRuns: 40 },
    );
  });
});

describe("readWiderFiles", () => {
  const folder = mkdtempSync(join(tmpdir(), "dip-wider-"));
  const file = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const truth = file("gt.txt", "a.jpg 1 2 10 20\nb.jpg\n");

  it("tells the years by their columns, or is told", async () => {
    const submission = file("sub.txt", "a.jpg 0.5 1 2 10 20\n");
    expect(await readWiderFiles(truth, submission)).toMatchObject({ year: 2019, ignorePath: undefined });
    const classes = file("gt18.txt", "a.jpg 1 1 2 10 20 2 30 2 10 20\nb.jpg\n");
    const read = await readWiderFiles(classes, submission);
    expect(read).toMatchObject({ year: 2018, yearGuessed: false });
    expect([...read.images[0]!.truths.corners]).toEqual([1, 2, 11, 22, 30, 2, 40, 22]);
    const both = file("both.txt", `a.jpg ${"1 9 9 9 9 ".repeat(4)}\n`);
    expect(await readWiderFiles(both, submission)).toMatchObject({ year: 2019, yearGuessed: true });
    expect(await readWiderFiles(both, submission, { year: 2018 })).toMatchObject({
      year: 2018,
      yearGuessed: false,
    });
    file("pedestrian_ignore_part_val.txt", "a.jpg 0 0 5 5\n");
    const named = file("val_annotations.txt", "a.jpg 1 1 2 10 20\n");
    expect((await readWiderFiles(named, submission)).ignorePath).toBe(
      join(folder, "pedestrian_ignore_part_val.txt"),
    );
  });

  it.each([
    ["an unknown image", "c.jpg 0.5 1 2 3 4\n", /sub\.txt:1: the image c\.jpg is not in the ground truth/],
    ["a cut-off line", "a.jpg 0.5 1 2 3 4\na.jpg 0.5 1\n", /sub\.txt:2: 3 columns instead of 6/],
    ["a word", "a.jpg high 1 2 3 4\n", /sub\.txt:1: column 2 must be a finite number/],
    ["NaN", "a.jpg 0.5 nan 2 3 4\n", /column 3 must be a finite number/],
    ["a negative size", "a.jpg 0.5 10 10 -3 4\n", /the box at column 3 has a negative size: width -3/],
  ])("names the line for %s", async (_, text, message) => {
    await expect(readWiderFiles(truth, file("sub.txt", text))).rejects.toThrow(message);
  });

  it("names the line of the ground truth for columns that fit no year, and for an image twice", async () => {
    const submission = file("sub.txt", "");
    await expect(readWiderFiles(file("bad.txt", "a.jpg 1 2 3\n"), submission)).rejects.toThrow(
      /bad\.txt:1: 3 numbers are no whole boxes/,
    );
    await expect(readWiderFiles(file("bad.txt", "a.jpg\na.jpg\n"), submission)).rejects.toThrow(
      /bad\.txt:2: a second line for the image a\.jpg/,
    );
    await expect(readWiderFiles(file("bad.txt", ""), submission)).rejects.toThrow(/has no images/);
  });
});
