import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plainScenes, truthsAsDetections, withExtra } from "../../../test/support/plain-scenes.js";
import { sharedPath, sharedPresent } from "../../../test/support/shared-data.js";
import { plainFromXywh } from "../plain.js";
import { readCityPersonsFiles } from "./files.js";
import { cityPersonsMissRates, type CityPersonsImage } from "./miss-rate.js";

const golden = (name: string) => `metrics/citypersons/${name}`;
const here = sharedPresent("The evaluator's numbers on CityPersons", golden("val_gt_60.json"));

describe.skipIf(!here)("CityPersons' numbers", () => {
  it.each(["good", "topfp"])("are the official evaluator's: %s", async (set) => {
    const { setups } = JSON.parse(
      readFileSync(sharedPath(golden(`result_official_det_${set}_60.json`)), "utf8"),
    ) as {
      setups: Record<string, { MR: number; recall_at_fppi: number[]; num_gt: number; printed: string }>;
    };
    const { images } = await readCityPersonsFiles(
      sharedPath(golden("val_gt_60.json")),
      sharedPath(golden(`det_${set}_60.json`)),
    );
    const rates = cityPersonsMissRates(images);
    expect(rates.map(({ subset }) => subset.officialName)).toEqual(Object.keys(setups));
    for (const { subset, mr, recalls, positives } of rates) {
      const expected = setups[subset.officialName]!;
      expect(Math.abs(mr! - expected.MR)).toBeLessThan(1e-9);
      expect(recalls).toEqual(expected.recall_at_fppi);
      expect(positives).toBe(expected.num_gt);
      expect(expected.printed).toContain(`${(100 * mr!).toFixed(2)}%`);
    }
  });

  it("show the quirk: one more false positive at the top lowers the miss rate, unless it is put right", async () => {
    const rates = async (set: string, beforeFirst: "official" | "corrected") => {
      const { images } = await readCityPersonsFiles(
        sharedPath(golden("val_gt_60.json")),
        sharedPath(golden(`det_${set}_60.json`)),
      );
      return cityPersonsMissRates(images, { beforeFirst })[0]!;
    };
    expect((await rates("topfp", "official")).mr).toBeLessThan((await rates("good", "official")).mr!);
    expect((await rates("topfp", "corrected")).mr).toBeGreaterThan((await rates("good", "corrected")).mr!);
    expect((await rates("topfp", "official")).startsWithMiss).toBe(true);
  });
});

describe("cityPersonsMissRates", () => {
  const person = (more: Partial<CityPersonsImage> = {}): CityPersonsImage => ({
    truths: plainFromXywh([[0, 0, 40, 100]]),
    ignore: new Uint8Array(1),
    heights: Float64Array.of(100),
    visibility: Float64Array.of(1),
    detections: { ...plainFromXywh([[0, 0, 40, 100]]), scores: Float64Array.of(0.5) },
    ...more,
  });

  it("shows the quirk on four images, and how to be without it", () => {
    const found = plainFromXywh([
      [200, 0, 40, 100],
      [0, 0, 40, 100],
    ]);
    const top = person({ detections: { ...found, scores: Float64Array.of(0.9, 0.5) } });
    const half = person({ detections: { ...plainFromXywh([]), scores: new Float64Array(0) } });
    const at = (first: CityPersonsImage, beforeFirst: "official" | "corrected") =>
      cityPersonsMissRates([first, person(), half, half], { beforeFirst })[0]!;
    // Below 0.25 false positives an image, six references have nothing before them: last recall 1/2, or none.
    expect(at(top, "official").recalls).toEqual(Array.from({ length: 9 }, () => 0.5));
    expect(at(top, "corrected").recalls).toEqual([0, 0, 0, 0, 0, 0, 0.5, 0.5, 0.5]);
    expect(at(person(), "official").recalls).toEqual(at(person(), "corrected").recalls);
  });

  it("gives 0 to the truth itself, 1 to nothing found, null to no truth", () => {
    const scenes = plainScenes(3, 40).map(truthsAsDetections);
    for (const { mr, positives } of cityPersonsMissRates(scenes)) {
      expect(positives).toBeGreaterThan(0);
      expect(mr).toBe(0);
    }
    const none = { ...plainFromXywh([]), scores: new Float64Array(0) };
    expect(cityPersonsMissRates([person({ detections: none })])[0]!.mr).toBe(1);
    expect(cityPersonsMissRates([person({ ignore: Uint8Array.of(1) })])[0]).toMatchObject({
      mr: null,
      curve: null,
    });
    expect(cityPersonsMissRates([]).map(({ mr }) => mr)).toEqual([null, null, null, null]);
  });

  it("sorts truths by height and visibility, ends included, and lets detections of the ignored go", () => {
    const at = (height: number, visible: number) =>
      cityPersonsMissRates([
        person({ heights: Float64Array.of(height), visibility: Float64Array.of(visible) }),
      ]).map(({ positives }) => positives);
    expect(at(50, 0.65)).toEqual([1, 1, 1, 1]);
    expect(at(75, 1)).toEqual([1, 1, 0, 1]);
    expect(at(76, 0.64)).toEqual([0, 0, 1, 1]);
    expect(at(20, 0.2)).toEqual([0, 0, 0, 1]);
    expect(at(19, 0.2)).toEqual([0, 0, 0, 0]);
    // Ignored for being hidden: three detections inside it count for nothing.
    const hidden = person({
      truths: plainFromXywh([
        [0, 0, 40, 100],
        [300, 0, 40, 100],
      ]),
      ignore: new Uint8Array(2),
      heights: Float64Array.of(100, 100),
      visibility: Float64Array.of(0.3, 1),
      detections: {
        ...plainFromXywh([
          [0, 0, 40, 100],
          [0, 0, 40, 99],
          [0, 40, 30, 60],
          [300, 0, 40, 100],
        ]),
        scores: Float64Array.of(0.9, 0.8, 0.7, 0.6),
      },
    });
    expect(cityPersonsMissRates([hidden])[0]).toMatchObject({ positives: 1, mr: 0, startsWithMiss: false });
  });

  it("drops detections far from the subset's heights, and more than a thousand", () => {
    const small = (height: number) =>
      cityPersonsMissRates([
        person({ detections: { ...plainFromXywh([[500, 0, 20, height]]), scores: Float64Array.of(1) } }),
      ])[0]!.curve!.scores.length;
    expect([small(39.9), small(40)]).toEqual([0, 1]);
    const many = plainFromXywh(Array.from({ length: 1500 }, (_, i) => [500 + i, 0, 40, 100]));
    const flood = person({ detections: { ...many, scores: new Float64Array(1500).fill(0.5) } });
    expect(cityPersonsMissRates([flood])[0]!.curve!.scores.length).toBe(1000);
    expect(cityPersonsMissRates([flood], { maxDetections: 50 })[0]!.curve!.scores.length).toBe(50);
  });

  it("does not see the order of images, and without the quirk never falls with a false positive", () => {
    fc.assert(
      fc.property(fc.integer(), fc.double({ min: 0, max: 1, noNaN: true }), (seed, score) => {
        const scenes = plainScenes(seed, 7);
        const mr = (images: readonly CityPersonsImage[]) =>
          cityPersonsMissRates(images, { beforeFirst: "corrected" }).map((rate) => rate.mr ?? 1);
        expect(mr(scenes.toReversed())).toEqual(mr(scenes));
        const worse = mr(scenes.with(0, withExtra(scenes[0]!, { box: [600, 0, 30, 70], score })));
        mr(scenes).forEach((before, i) => expect(worse[i]).toBeGreaterThanOrEqual(before - 1e-12));
      }),
      { numRuns: 40 },
    );
  });
});

describe("readCityPersonsFiles", () => {
  const folder = mkdtempSync(join(tmpdir(), "dip-citypersons-"));
  const file = (name: string, value: unknown) => {
    const path = join(folder, name);
    writeFileSync(path, typeof value === "string" ? value : JSON.stringify(value));
    return path;
  };
  const annotation = {
    id: 1,
    image_id: 1,
    category_id: 1,
    bbox: [0, 0, 40, 100],
    height: 100,
    vis_ratio: 1,
    ignore: 0,
  };
  const truth = (...annotations: unknown[]) =>
    file("gt.json", { images: [{ id: 1 }, { id: 2 }], annotations });
  const detection = { image_id: 2, category_id: 1, bbox: [0, 0, 40, 100], score: 0.5 };

  it("leaves out other categories, takes the visible share from boxes where it must", async () => {
    const { vis_ratio: _, ...boxed } = { ...annotation, vis_bbox: [0, 0, 40, 50] };
    const read = await readCityPersonsFiles(
      truth(annotation, { ...annotation, category_id: 2 }, boxed),
      file("dt.json", [detection, { ...detection, category_id: 3 }]),
    );
    expect(read).toMatchObject({ truths: 2, detections: 1, otherCategories: 2 });
    expect([...read.images[0]!.visibility]).toEqual([1, 0.5]);
    expect(read.images[1]!.detections.scores.length).toBe(1);
  });

  it.each([
    [
      "an unknown image",
      [{ ...detection, image_id: 3 }],
      /dt\.json: detections\[0\]: image_id 3 is not among/,
    ],
    ["an id in another type", [{ ...detection, image_id: "2" }], /image_id "2" is not among/],
    ["a negative size", [{ ...detection, bbox: [9, 9, -3, 5] }], /bbox has a negative size: width -3/],
    ["no score", [{ ...detection, score: undefined }], /score must be a finite number/],
    [
      "NaN as Python writes it",
      '[{"image_id":1,"category_id":1,"bbox":[NaN,0,1,1],"score":1}]',
      /dt\.json: is not JSON/,
    ],
    ["a cut-off file", '[{"image_id":1,"category_id":1,"bb', /dt\.json: is not JSON/],
    ["no list", { annotations: [] }, /detections must be a list/],
  ])("names the entry for %s", async (_, detections, message) => {
    await expect(readCityPersonsFiles(truth(annotation), file("dt.json", detections))).rejects.toThrow(
      message,
    );
  });

  it("names an annotation without a visible share, and a file without images", async () => {
    const { vis_ratio: _, ...bare } = annotation;
    await expect(readCityPersonsFiles(truth(bare), file("dt.json", []))).rejects.toThrow(
      /annotations\[0\] \(id 1\): vis_ratio is missing/,
    );
    const empty = file("gt.json", { images: [], annotations: [] });
    await expect(readCityPersonsFiles(empty, file("dt.json", []))).rejects.toThrow(/has no images/);
  });
});
