import { mkdtempSync, writeFileSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plainScenes, truthsAsDetections, withExtra } from "../../../test/support/plain-scenes.js";
import { plainFromXywh } from "../plain.js";
import { crowdHumanApMr, trapezoidAp } from "./ap-mr.js";
import { readCrowdHumanFiles } from "./files.js";
import { crowdHumanJaccard } from "./jaccard.js";

const fixture = (name: string) =>
  fileURLToPath(new URL(`../../../test/fixtures/metrics/crowdhuman/${name}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "dip-crowdhuman-"));
const file = (name: string, text: string) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

describe("CrowdHuman's numbers", () => {
  it("are the official evaluators', and JI's counts at every threshold", async () => {
    const golden = JSON.parse(readFileSync(fixture("result.json"), "utf8")) as {
      AP: number;
      MR: number;
      MR_1e4: number;
      JI: number;
      JI_lines: string[];
      images: number;
      ign: number;
      scored: number;
      tp: number;
    };
    const { images, jaccardImages } = await readCrowdHumanFiles(fixture("gt.odgt"), fixture("dt.odgt"));
    const { ap, mr, mrFine, ...counts } = crowdHumanApMr(images);
    expect(Math.abs(ap! - golden.AP)).toBeLessThan(1e-9);
    expect(Math.abs(mr! - golden.MR)).toBeLessThan(1e-9);
    expect(Math.abs(mrFine! - golden.MR_1e4)).toBeLessThan(1e-9);
    expect(counts).toMatchObject({
      images: golden.images,
      ignored: golden.ign,
      scored: golden.scored,
      truePositives: golden.tp,
    });
    const { ji, at } = crowdHumanJaccard(jaccardImages);
    expect(Math.abs(ji! - golden.JI)).toBeLessThan(1e-9);
    expect(
      at.map(
        ({ threshold, meanRatio, matched, detections, truths }) =>
          `score_thr:${threshold.toFixed(1)}, mean_ratio:${meanRatio!.toFixed(4)}, valids:${matched}, total:${detections}, gtn:${truths}`,
      ),
    ).toEqual(golden.JI_lines);
  });

  it("are perfect for the truth itself, but for the area left of the first detection", () => {
    const scenes = plainScenes(5, 30).map(truthsAsDetections);
    const { ap, mr, positives, truePositives } = crowdHumanApMr(scenes);
    expect(truePositives).toBe(positives);
    expect(mr).toBe(0);
    expect(ap).toBeCloseTo(1 - 1 / positives, 12);
    expect(crowdHumanJaccard(scenes).ji).toBeCloseTo(1, 5);
  });

  it("take images without boxes or detections, and sets without either", () => {
    const none = { ...plainFromXywh([]), scores: new Float64Array(0) };
    const empty = { truths: plainFromXywh([]), ignore: new Uint8Array(0), detections: none };
    const missed = { ...empty, truths: plainFromXywh([[0, 0, 9, 9]]), ignore: new Uint8Array(1) };
    expect(crowdHumanApMr([empty])).toMatchObject({ ap: null, mr: null, curve: null });
    expect(crowdHumanJaccard([empty]).ji).toBeNull();
    expect(crowdHumanApMr([empty, missed])).toMatchObject({ ap: 0, mr: 1 });
    expect(crowdHumanJaccard([empty, missed]).ji).toBe(0);
    expect(crowdHumanApMr([])).toMatchObject({ ap: null, images: 0 });
  });

  it("take over a hundred boxes in an image", () => {
    const boxes = Array.from({ length: 400 }, (_, i) => [10 * (i % 40), 20 * Math.floor(i / 40), 9, 19]);
    const truths = plainFromXywh(boxes);
    const image = {
      truths,
      ignore: new Uint8Array(400),
      detections: { ...truths, scores: new Float64Array(400).fill(0.5) },
    };
    expect(crowdHumanApMr([image])).toMatchObject({ truePositives: 400, mr: 0 });
    expect(crowdHumanJaccard([image]).ji).toBeCloseTo(1, 5);
  });

  it("do not see the order of images with distinct scores, nor fall below their bounds with equal ones", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), (seed, rotation) => {
        const scenes = plainScenes(seed, 9);
        const turn = Math.abs(rotation) % 9;
        const turned = [...scenes.slice(turn), ...scenes.slice(0, turn)];
        const [a, b] = [crowdHumanApMr(scenes), crowdHumanApMr(turned)];
        expect([b.ap, b.mr]).toEqual([a.ap, a.mr]);
        expect(crowdHumanJaccard(turned).ji).toBeCloseTo(crowdHumanJaccard(scenes).ji!, 12);
        const tied = crowdHumanApMr(plainScenes(seed, 9, { levels: 3 }));
        expect(tied.bounds.ap.low!).toBeLessThanOrEqual(tied.ap!);
        expect(tied.bounds.ap.high!).toBeGreaterThanOrEqual(tied.ap!);
      }),
      { numRuns: 30 },
    );
  });

  it("never rise with a false positive behind the first detection; AP may, with one before it", () => {
    fc.assert(
      fc.property(fc.integer(), fc.double({ min: 0.01, max: 0.98, noNaN: true }), (seed, share) => {
        const scenes = plainScenes(seed, 6);
        const best = Math.max(0, ...scenes.flatMap(({ detections }) => [...detections.scores]));
        const worse = scenes.with(0, withExtra(scenes[0]!, { box: [380, 280, 15, 15], score: share * best }));
        const [a, b] = [crowdHumanApMr(scenes), crowdHumanApMr(worse)];
        expect(b.ap ?? 0).toBeLessThanOrEqual((a.ap ?? 0) + 1e-12);
        expect(b.mr ?? 1).toBeGreaterThanOrEqual((a.mr ?? 1) - 1e-12);
      }),
      { numRuns: 60 },
    );
    expect(trapezoidAp(Uint8Array.of(1, 1), 2)).toBe(0.5);
    expect(trapezoidAp(Uint8Array.of(0, 1, 1), 2)).toBeCloseTo(0.5 * 0.25 + 0.5 * (0.5 + 2 / 3) * 0.5, 12);
  });

  it("clip boxes, let ignore regions take any number, and prefer a person to a region", () => {
    const image = {
      truths: plainFromXywh([
        [-50, 0, 100, 100],
        [0, 0, 200, 100],
      ]),
      ignore: Uint8Array.of(0, 1),
      detections: {
        ...plainFromXywh([
          // Half of the person's box, but all of what is in the picture.
          [0, 0, 50, 100],
          [100, 0, 60, 90],
          [110, 0, 60, 90],
        ]),
        scores: Float64Array.of(0.9, 0.8, 0.7),
      },
      size: { width: 300, height: 100 },
    };
    expect(crowdHumanApMr([image])).toMatchObject({ truePositives: 1, scored: 1 });
    const { size: _, ...unclipped } = image;
    expect(crowdHumanApMr([unclipped])).toMatchObject({ truePositives: 0, scored: 0 });
  });
});

describe("readCrowdHumanFiles", () => {
  const person = {
    tag: "person",
    fbox: [0, 0, 10, 20],
    vbox: [0, 0, 5, 20],
    hbox: [2, 0, 4, 4],
    head_attr: { ignore: 1 },
  };
  const line = (value: unknown) => JSON.stringify(value) + "\n";
  const truth = file("gt.odgt", line({ ID: "a,1", gtboxes: [person] }) + line({ ID: "b", gtboxes: [] }));
  const found = (id: string, boxes: unknown, more: object = { width: 50, height: 40 }) =>
    line({ ID: id, ...more, dtboxes: boxes });
  const box = { box: [0, 0, 10, 20], score: 0.5 };

  it("finds the box under either name, counts missing images, reads the other boxes of a person", async () => {
    const read = await readCrowdHumanFiles(truth, file("dt.odgt", found("a,1", [box])));
    expect(read).toMatchObject({ missing: 1, detectionKey: "box", jaccardTruthsFromDetections: 0 });
    expect(crowdHumanApMr(read.images)).toMatchObject({ truePositives: 1, images: 2 });
    expect(crowdHumanJaccard(read.jaccardImages).ji).toBeCloseTo(1, 5);
    const head = await readCrowdHumanFiles(
      truth,
      file("dt.odgt", found("a,1", [{ hbox: [2, 0, 4, 4], score: 1 }])),
      {
        boxes: "head",
      },
    );
    expect(head.detectionKey).toBe("hbox");
    expect(crowdHumanApMr(head.images)).toMatchObject({ positives: 0, ignored: 1, scored: 0 });
  });

  it("takes JI's truths from the detection line where it carries them", async () => {
    const carried = [
      { box: [30, 0, 10, 20], tag: 1 },
      { box: [0, 0, 10, 20], tag: -1 },
    ];
    const text = line({ ID: "a,1", width: 50, height: 40, dtboxes: [box], gtboxes: carried });
    const read = await readCrowdHumanFiles(truth, file("dt.odgt", text));
    expect(crowdHumanApMr(read.images).truePositives).toBe(1);
    expect(crowdHumanJaccard(read.jaccardImages).at[0]).toMatchObject({
      matched: 0,
      detections: 0,
      truths: 1,
    });
  });

  it.each([
    ["an unknown image", found("c", []), /dt\.odgt:1: ID "c" is not among/],
    ["a second line", found("b", []) + found("b", []), /dt\.odgt:2: a second line for the image b/],
    [
      "a NaN score",
      found("b", [{ ...box, score: null }]),
      /dt\.odgt:1: dtboxes\[0\]: score must be a finite number/,
    ],
    [
      "NaN as Python writes it",
      '{"ID":"b","width":9,"height":9,"dtboxes":[{"box":[NaN,0,1,1],"score":1}]}\n',
      /dt\.odgt:1: .*JSON/,
    ],
    [
      "a negative size",
      found("b", [{ box: [5, 5, -1, 2], score: 1 }]),
      /dtboxes\[0\]: box has a negative size/,
    ],
    ["three numbers", found("b", [{ box: [5, 5, 1], score: 1 }]), /box must be four numbers/],
    ["no box", found("b", [{ bbox: [5, 5, 1, 1], score: 1 }]), /has no box: none of fbox, box/],
    ["no size", found("b", [box], {}), /width and height of the picture are missing/],
    ["a cut-off line", found("b", [box]).slice(0, -20), /dt\.odgt:1: .*(ends in the middle|JSON)/],
    ["no list", found("b", 3), /dtboxes must be a list/],
  ])("names the line for %s", async (_, text, message) => {
    await expect(readCrowdHumanFiles(truth, file("dt.odgt", text))).rejects.toThrow(message);
  });

  it.each([
    [
      "an image twice",
      line({ ID: "a", gtboxes: [] }) + line({ ID: "a", gtboxes: [] }),
      /bad\.odgt:2: a second line/,
    ],
    ["no ID", line({ gtboxes: [] }), /bad\.odgt:1: ID must be text/],
    [
      "a flag that is none",
      line({ ID: "a", gtboxes: [{ ...person, extra: { ignore: "yes" } }] }),
      /extra\.ignore must be 0 or 1/,
    ],
    ["nothing", "\n", /has no images/],
  ])("names the line of annotations for %s", async (_, text, message) => {
    const path = file("bad.odgt", text);
    await expect(readCrowdHumanFiles(path, file("dt.odgt", ""))).rejects.toThrow(message);
  });

  it("offers nobody to leave out lines of a benchmark: the number would be another's", async () => {
    const cut = readCrowdHumanFiles(truth, file("dt.odgt", found("b", [box]).slice(0, -20)));
    await expect(cut).rejects.toMatchObject({ hint: expect.not.stringContaining("on-error") as string });
  });

  it("says so of a line that never ends, and of a missing file", async () => {
    const endless = file("endless.odgt", " ".repeat(65 * 2 ** 20));
    await expect(readCrowdHumanFiles(truth, endless)).rejects.toThrow(/endless\.odgt:1: the line is longer/);
    await expect(readCrowdHumanFiles(truth, join(folder, "none.odgt"))).rejects.toThrow(/no such file/);
  });
});
