import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plainScenes, withExtra, type PlainScene } from "../../../test/support/plain-scenes.js";
import { box } from "../../geometry/box.js";
import { cocoAp, type CocoImage } from "../coco-ap.js";
import { CocoArea, evaluateCoco } from "./evaluate.js";
import { readCocoFiles } from "./files.js";
import { tableOfImages } from "./objects.js";

const fixture = (name: string) =>
  fileURLToPath(new URL(`../../../test/fixtures/metrics/coco/${name}`, import.meta.url));

describe("readCocoFiles and evaluateCoco", () => {
  it("have pycocotools' twelve numbers from its own files, within bounds over ties", async () => {
    const { stats } = JSON.parse(readFileSync(fixture("result_small_pycocotools.json"), "utf8")) as {
      stats: Record<string, number>;
    };
    const { table } = await readCocoFiles(fixture("small_gt.json"), fixture("small_dt.json"));
    const { precision, recall, precisionBounds, hasTies } = evaluateCoco(table);
    const hundred = { maxDetections: 100 };
    const ours: Record<string, number | null> = {
      AP: precision(hundred),
      AP50: precision({ ...hundred, threshold: 0 }),
      AP75: precision({ ...hundred, threshold: 5 }),
      APs: precision({ ...hundred, area: CocoArea.small }),
      APm: precision({ ...hundred, area: CocoArea.medium }),
      APl: precision({ ...hundred, area: CocoArea.large }),
      AR1: recall({ maxDetections: 1 }),
      AR10: recall({ maxDetections: 10 }),
      AR100: recall(hundred),
      ARs: recall({ ...hundred, area: CocoArea.small }),
      ARm: recall({ ...hundred, area: CocoArea.medium }),
      ARl: recall({ ...hundred, area: CocoArea.large }),
    };
    expect(Object.keys(ours)).toEqual(Object.keys(stats));
    for (const [name, value] of Object.entries(ours))
      expect({ name, near: Math.abs(value! - stats[name]!) < 1e-9 }).toEqual({ name, near: true });
    const { low, high } = precisionBounds(hundred);
    expect(hasTies()).toBe(true);
    expect(low!).toBeLessThan(ours["AP"]!);
    expect(high!).toBeGreaterThan(ours["AP"]!);
  });

  it("differ at 100 and 500 detections of a crowd of 300", () => {
    const crowd: CocoImage = {
      truths: Array.from({ length: 300 }, (_, i) => ({ box: box(20 * i, 0, 20 * i + 10, 30), label: "a" })),
      detections: Array.from({ length: 300 }, (_, i) => ({
        box: box(20 * i, 0, 20 * i + 10, 30),
        label: "a",
        score: 1,
      })),
    };
    const { precision, recall } = evaluateCoco(tableOfImages([crowd]));
    expect(precision()).toBeCloseTo(1, 9);
    expect(recall({ maxDetections: 100 })).toBeCloseTo(1 / 3, 9);
    expect(precision({ maxDetections: 100 })).toBeCloseTo(34 / 101, 9);
  });

  const imageOf = ({ truths, detections, ignore }: PlainScene): CocoImage => {
    const at = (corners: Float64Array, i: number) =>
      box(corners[4 * i]!, corners[4 * i + 1]!, corners[4 * i + 2]!, corners[4 * i + 3]!);
    return {
      truths: Array.from(ignore, (flag, i) => ({
        box: at(truths.corners, i),
        label: "a",
        crowd: flag === 1,
      })),
      detections: Array.from(detections.scores, (score, i) => ({
        box: at(detections.corners, i),
        label: "a",
        score,
      })),
    };
  };

  it("never rise with a false positive, do not see the order of images", () => {
    fc.assert(
      fc.property(fc.integer(), fc.double({ min: 0, max: 1, noNaN: true }), (seed, score) => {
        const scenes = plainScenes(seed, 6);
        const ap = (list: readonly PlainScene[]) => cocoAp(list.map(imageOf)).ap ?? 0;
        expect(ap(scenes.toReversed())).toBeCloseTo(ap(scenes), 12);
        const worse = scenes.with(1, withExtra(scenes[1]!, { box: [380, 280, 19, 19], score }));
        expect(ap(worse)).toBeLessThanOrEqual(ap(scenes) + 1e-12);
      }),
      { numRuns: 30 },
    );
  });

  const folder = mkdtempSync(join(tmpdir(), "dip-coco-files-"));
  const file = (name: string, value: unknown) => {
    const path = join(folder, name);
    writeFileSync(path, typeof value === "string" || Buffer.isBuffer(value) ? value : JSON.stringify(value));
    return path;
  };
  const annotation = { id: 7, image_id: 1, category_id: 1, bbox: [0, 0, 10, 20] };
  const truth = (more: object = {}, entry: object = annotation) =>
    file("gt.json", {
      images: [{ id: 1 }],
      categories: [{ id: 1, name: "person" }],
      annotations: [entry],
      ...more,
    });
  const detection = { image_id: 1, category_id: 1, bbox: [0, 0, 10, 20], score: 0.5 };

  it("leaves out detections of unknown categories, takes a missing area from the box, ignores `ignore`", async () => {
    const read = await readCocoFiles(
      truth({}, { ...annotation, ignore: 1 }),
      file("dt.json", [detection, { ...detection, category_id: 9 }]),
    );
    expect(read).toMatchObject({ truths: 1, detections: 1, unknownCategory: 1 });
    expect(evaluateCoco(read.table).precision()).toBeCloseTo(1, 9);
    expect(evaluateCoco(read.table).precision({ area: CocoArea.small })).toBeCloseTo(1, 9);
  });

  it.each([
    [
      "an unknown image",
      [{ ...detection, image_id: 2 }],
      /dt\.json: detections\[0\]: image_id 2 is not among/,
    ],
    [
      "a negative size",
      [detection, { ...detection, bbox: [5, 5, 3, -2] }],
      /detections\[1\]: bbox has a negative size: width 3, height -2/,
    ],
    ["a missing score", [{ ...detection, score: undefined }], /score must be a finite number, got nothing/],
    ["a box of text", [{ ...detection, bbox: ["0", 0, 1, 1] }], /bbox must be four finite numbers/],
    [
      "NaN as Python writes it",
      '[{"image_id":1,"category_id":1,"bbox":[0,0,1,1],"score":NaN}]',
      /dt\.json: is not JSON/,
    ],
    ["a cut-off file", '[{"image_id":1,"category_id":1,"bbox":[0,0', /dt\.json: is not JSON/],
    ["a whole COCO file", { annotations: [] }, /detections must be a list/],
    ["an entry that is none", [3], /detections\[0\] must be an object/],
    ["UTF-16", Buffer.from("\uFEFF[]", "utf16le"), /dt\.json: is UTF-16/],
  ])("name the entry of the detections for %s", async (_, detections, message) => {
    await expect(readCocoFiles(truth(), file("dt.json", detections))).rejects.toThrow(message);
  });

  it.each([
    [
      "an unknown category",
      {},
      { ...annotation, category_id: 4 },
      /annotations\[0\] \(id 7\): category_id 4/,
    ],
    ["an unknown image", {}, { ...annotation, image_id: 4 }, /image_id 4 is not among/],
    ["a negative area", {}, { ...annotation, area: -1 }, /area must be a number of at least 0/],
    ["a crowd flag that is none", {}, { ...annotation, iscrowd: 2 }, /iscrowd must be 0 or 1/],
    ["an image twice", { images: [{ id: 1 }, { id: 1 }] }, annotation, /two images have the id 1/],
    [
      "a category twice",
      { categories: [{ id: 1 }, { id: 1 }] },
      annotation,
      /two categories have the same id/,
    ],
    ["no images", { images: [] }, annotation, /has no images/],
    ["no categories", { categories: undefined }, annotation, /categories must be a list/],
  ])("name the entry of the ground truth for %s", async (_, more, entry, message) => {
    await expect(readCocoFiles(truth(more, entry), file("dt.json", []))).rejects.toThrow(message);
  });

  it("say where ids differ only in type", async () => {
    const found = file("dt.json", [{ ...detection, image_id: "1" }]);
    await expect(readCocoFiles(truth(), found)).rejects.toMatchObject({
      hint: expect.stringContaining("another type"),
    });
  });
});
