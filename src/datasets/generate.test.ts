import { mkdir, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { collect } from "./collect.js";
import { openDataset } from "./dataset.js";
import { writeDataset } from "./generate.js";
import { loadPixels } from "./image-file.js";
import { inspectSamples } from "./inspect.js";
import type { Sample } from "./sample.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dip-r1-generate-"));
});

const truth = (s: Sample) => ({ objects: s.objects, ignore: s.ignore, width: s.width, height: s.height });

describe("writeDataset", () => {
  it("writes pictures, COCO and JSON Lines that read back as the same samples", async () => {
    const set = await openDataset("scenes:plaza?count=6&seed=5&groups=1&size=96x80");
    const target = join(folder, "plaza");
    const progress: number[] = [];
    await writeDataset(set, target, { onProgress: (done) => progress.push(done) });
    expect(progress).toEqual([1, 2, 3, 4, 5, 6]);
    expect((await readdir(target)).toSorted()).toEqual([
      "annotations.json",
      "dataset.json",
      "images",
      "samples.jsonl",
    ]);
    const scenes = await collect(set.samples());
    for (const file of ["samples.jsonl", "annotations.json"]) {
      const back = await openDataset(join(target, file));
      const samples = await collect(back.samples());
      expect(samples.map(truth)).toEqual(scenes.map(truth));
      expect(await loadPixels(samples[3]!)).toEqual(await loadPixels(scenes[3]!));
    }
    expect(JSON.parse(await readFile(join(target, "dataset.json"), "utf8"))).toMatchObject({
      name: "plaza",
      images: 6,
      fingerprint: set.fingerprint,
    });
    expect((await collect((await openDataset(join(target, "samples.jsonl"))).samples()))[0]!.id).toBe(
      scenes[0]!.id,
    );
  });

  it("replaces only its own folders, and only when asked", async () => {
    const set = await openDataset("scenes:fog?count=1");
    const target = join(folder, "fog");
    await writeDataset(set, target);
    await expect(writeDataset(set, target)).rejects.toThrow(/is there already/);
    await writeDataset(await openDataset("scenes:fog?count=2"), target, { overwrite: true });
    expect((await readdir(join(target, "images"))).length).toBe(2);
    const other = join(folder, "holiday");
    await mkdir(other);
    await writeFile(join(other, "photo.txt"), "dear to someone");
    await expect(writeDataset(set, other, { overwrite: true })).rejects.toThrow(
      /holds no dataset written by this program/,
    );
    expect(await readdir(other)).toEqual(["photo.txt"]);
  });

  it("leaves nothing behind when a picture cannot be read", async () => {
    const list = join(folder, "broken.jsonl");
    await writeFile(
      list,
      JSON.stringify({ id: "a", image: "gone.png", width: 4, height: 4, objects: [] }) + "\n",
    );
    await expect(writeDataset(await openDataset(list), join(folder, "out"))).rejects.toThrow(
      /gone\.png: no such image file/,
    );
    expect((await readdir(folder)).filter((name) => name.startsWith(".tmp") || name === "out")).toEqual([]);
  });
});

describe("inspectSamples", () => {
  it("counts", async () => {
    const box = (x: number, h: number) => ({ x1: x, y1: 0, x2: x + 10, y2: h });
    const sample = (id: string, objects: Sample["objects"]) => ({
      id,
      width: 100,
      height: 50,
      objects,
      ignore: [box(0, 9)],
    });
    const report = await inspectSamples([
      sample("a", [
        { box: box(0, 20), label: "person", visibility: 0.5 },
        { box: box(2, 20), label: "person", visibility: 1 },
        { box: box(7, 20), label: "dog" },
      ]),
      sample("b", []),
    ]);
    expect(report).toEqual({
      images: 2,
      empty: 1,
      objects: 3,
      ignore: 2,
      labels: { person: 2, dog: 1 },
      sizes: { "100x50": 2 },
      objectsPerImage: { count: 2, min: 0, median: 1.5, mean: 1.5, max: 3 },
      height: { count: 3, min: 20, median: 20, mean: 20, max: 20 },
      relativeHeight: { count: 3, min: 0.4, median: 0.4, mean: expect.closeTo(0.4) as number, max: 0.4 },
      visibility: { count: 2, min: 0.5, median: 0.75, mean: 0.75, max: 1, hidden: 0.5 },
      // IoU 8/12, 5/15, 3/17.
      crowding: { pairsOver03: 2, pairsOver05: 1, pairsPerImage: 1, imagesWithPair: 0.5, overlapping: 1 },
    });
  });

  it("takes nothing for an answer", async () => {
    const report = await inspectSamples([]);
    expect(report).toMatchObject({
      images: 0,
      objects: 0,
      crowding: { pairsPerImage: 0 },
      height: { count: 0 },
    });
  });
});
