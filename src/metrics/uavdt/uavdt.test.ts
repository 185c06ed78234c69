import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plainScenes, truthsAsDetections, withExtra } from "../../../test/support/plain-scenes.js";
import { plainFromXywh } from "../plain.js";
import { uavdtAp } from "./ap.js";
import { readUavdtFiles } from "./files.js";

const fixtures = fileURLToPath(new URL("../../../test/fixtures/metrics/uavdt/", import.meta.url));

describe("UAVDT's AP", () => {
  it("is the toolkit's", async () => {
    const golden = JSON.parse(readFileSync(join(fixtures, "result.json"), "utf8")) as {
      AP: number;
      positives: number;
      scored: number;
      truePositives: number;
    };
    const { images, withoutIgnored } = await readUavdtFiles(join(fixtures, "GT"), join(fixtures, "DET"));
    expect(withoutIgnored).toEqual(["M0209"]);
    const { ap, ...counts } = uavdtAp(images);
    expect(Math.abs(ap! - golden.AP)).toBeLessThan(1e-9);
    expect(counts).toMatchObject({
      positives: golden.positives,
      scored: golden.scored,
      truePositives: golden.truePositives,
    });
  });

  it("matches from IoU 0.7 on, and drops only what lies strictly inside an ignored area", () => {
    const at = (box: number[], iouThreshold?: number) =>
      uavdtAp(
        [
          {
            truths: plainFromXywh([[0, 0, 10, 10]]),
            ignored: plainFromXywh([[100, 100, 50, 50]]),
            detections: { ...plainFromXywh([box]), scores: Float64Array.of(1) },
          },
        ],
        iouThreshold === undefined ? {} : { iouThreshold },
      );
    expect(at([0, 0, 10, 7]).truePositives).toBe(1);
    expect(at([0, 0, 10, 6.9]).truePositives).toBe(0);
    expect(at([0, 0, 10, 6.9], 0.5).truePositives).toBe(1);
    expect(at([101, 101, 20, 20]).scored).toBe(0);
    expect(at([100, 101, 20, 20]).scored).toBe(1);
  });

  it("is 1 for the truth itself, null without any, 0 where nothing was found", () => {
    const scenes = plainScenes(8, 20).map((scene) =>
      truthsAsDetections({
        ...scene,
        ignore: new Uint8Array(scene.ignore.length),
        ignored: plainFromXywh([]),
      }),
    );
    expect(uavdtAp(scenes).ap).toBeCloseTo(1, 12);
    const nothing = { ...plainFromXywh([]), scores: new Float64Array(0) };
    expect(
      uavdtAp([{ truths: plainFromXywh([]), ignored: plainFromXywh([]), detections: nothing }]).ap,
    ).toBeNull();
    expect(uavdtAp([{ ...scenes[0]!, truths: plainFromXywh([[0, 0, 5, 5]]), detections: nothing }]).ap).toBe(
      0,
    );
  });

  it("does not see the order of frames, never rises with a false positive, stays in its bounds", () => {
    fc.assert(
      fc.property(fc.integer(), fc.double({ min: 0, max: 1, noNaN: true }), (seed, score) => {
        const scenes = plainScenes(seed, 6);
        const ap = uavdtAp(scenes).ap ?? 0;
        expect(uavdtAp(scenes.toReversed()).ap ?? 0).toBe(ap);
        const worse = scenes.with(2, withExtra(scenes[2]!, { box: [380, 280, 9, 9], score }));
        expect(uavdtAp(worse).ap ?? 0).toBeLessThanOrEqual(ap + 1e-12);
        const tied = uavdtAp(plainScenes(seed, 6, { levels: 2 }));
        expect(tied.ap ?? 0).toBeGreaterThanOrEqual((tied.bounds.low ?? 0) - 1e-12);
        expect(tied.ap ?? 0).toBeLessThanOrEqual((tied.bounds.high ?? 0) + 1e-12);
      }),
      { numRuns: 40 },
    );
  });
});

describe("readUavdtFiles", () => {
  const copy = () => {
    const folder = mkdtempSync(join(tmpdir(), "dip-uavdt-"));
    cpSync(fixtures, folder, { recursive: true });
    return { truth: join(folder, "GT"), found: join(folder, "DET") };
  };

  it("reads one sequence from files, or those that are named", async () => {
    const { truth, found } = copy();
    const one = await readUavdtFiles(join(truth, "M0203_gt_whole.txt"), join(found, "M0203.txt"));
    const named = await readUavdtFiles(truth, found, { sequences: ["M0203"] });
    expect(one.images).toEqual(named.images);
    await expect(readUavdtFiles(truth, found, { sequences: ["M0101"] })).rejects.toThrow(
      /has no M0101_gt_whole/,
    );
    await expect(readUavdtFiles(truth, join(found, "M0203.txt"))).rejects.toThrow(
      /is one file, but there are 2/,
    );
    await expect(readUavdtFiles(join(found, "M0203.txt"), found)).rejects.toThrow(
      /must end in _gt_whole\.txt/,
    );
    await expect(readUavdtFiles(found, found)).rejects.toThrow(/has no file SEQUENCE_gt_whole/);
    await expect(readUavdtFiles(join(truth, "none"), found)).rejects.toThrow(/no such file/);
    rmSync(join(found, "M0209.txt"));
    await expect(readUavdtFiles(truth, found)).rejects.toThrow(/M0209\.txt: no such file/);
  });

  it.each([
    ["too few columns", "1,-1,3,4,5", /M0203\.txt:1: 5 columns, at least 7/],
    ["a word", "1,-1,3,4,5,6,high", /:1: column 7 must be a finite number, got "high"/],
    ["NaN", "1,-1,NaN,4,5,6,1", /:1: column 3 must be a finite number/],
    ["a negative size", "1,-1,3,4,5,6,1\n2,-1,30,40,-5,6,1", /:2: a negative size: width -5/],
    ["frame 0", "0,-1,3,4,5,6,1", /column 1, the frame, must be a whole number/],
    ["UTF-16", Buffer.from("\uFEFF1,-1,3", "utf16le"), /is UTF-16/],
  ])("names file, line and column for %s", async (_, content, message) => {
    const { truth, found } = copy();
    writeFileSync(join(found, "M0203.txt"), content);
    await expect(readUavdtFiles(truth, found)).rejects.toThrow(message);
  });
});
