import { mkdir, mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { collect } from "./collect.js";
import { openDataset } from "./dataset.js";
import { writeDataset } from "./generate.js";
import { loadPixels } from "./image-file.js";
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
