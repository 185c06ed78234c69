/**
 * PETS09-S2L1 where it is at hand (it is not ours to pass on): the COCO form and the MOT form that a user gets must
 * give the same ground truth.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { collect } from "./collect.js";
import { openDataset } from "./dataset.js";
import { loadPixels } from "./image-file.js";
import { inspectSamples } from "./inspect.js";
import type { Sample } from "./sample.js";

const folder = fileURLToPath(new URL("../../../shared/data/pets/", import.meta.url));
const present = existsSync(folder);
if (!present) console.warn("PETS09-S2L1 is not here: its tests are skipped.");

it.runIf(process.env["CI"] === "true")("PETS09-S2L1 is at hand in CI", () => {
  expect(present).toBe(true);
});

const all = async (spec: Parameters<typeof openDataset>[0]): Promise<Sample[]> =>
  collect((await openDataset(spec, { baseDir: folder })).samples());

const mot = {
  format: "mot",
  annotations: "gt.txt",
  images: "images",
  every: 5,
  extraIgnore: "auto_ignore.json",
} as const;

describe.skipIf(!present)("PETS09-S2L1", () => {
  it.each([
    ["train.json", { images: 106, objects: 539, ignore: 78 }],
    ["val.json", { images: 41, objects: 283, ignore: 22 }],
  ])("%s holds what its makers counted", async (file, counts) => {
    const samples = await all(file);
    const report = await inspectSamples(samples);
    expect(report).toMatchObject(counts);
    expect(report.labels).toEqual({ person: counts.objects });
    expect(report.sizes).toEqual({ "768x576": counts.images });
    expect(report.visibility.count).toBe(0);
  });

  it.each([
    ["train.json", { to: 530 }],
    ["val.json", { from: 591 }],
  ])("gt.txt with seqinfo.ini gives the boxes of %s", async (file, frames) => {
    const coco = await all({ format: "coco", annotations: file, visibilityField: "est_vis" });
    const sequence = await all({ ...mot, frames, estimateVisibility: true });
    expect(sequence.map((s) => s.image)).toEqual(coco.map((s) => s.image));
    const numbers = (s: Sample) =>
      [...s.objects.map((o) => o.box), ...s.ignore].flatMap((b) => [b.x1, b.y1, b.x2, b.y2]);
    let worst = 0;
    let worstVisibility = 0;
    for (const [i, a] of coco.entries()) {
      const b = sequence[i]!;
      expect([b.objects.length, b.ignore.length]).toEqual([a.objects.length, a.ignore.length]);
      const right = numbers(b);
      for (const [n, value] of numbers(a).entries()) worst = Math.max(worst, Math.abs(value - right[n]!));
      for (const [n, object] of a.objects.entries()) {
        worstVisibility = Math.max(worstVisibility, Math.abs(object.visibility! - b.objects[n]!.visibility!));
      }
    }
    // The json is rounded to a hundredth; its visibility was guessed on a lattice that rounds otherwise.
    expect(worst).toBeLessThanOrEqual(0.0101);
    expect(worstVisibility).toBeLessThan(0.06);
  });

  it("decodes to the size that the annotations say", async () => {
    const [first] = await all("val.json?limit=1");
    const image = await loadPixels(first!);
    expect([image.width, image.height]).toEqual([768, 576]);
  });
});
