import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { collect } from "./collect.js";
import { Problems } from "./problems.js";
import { readWiderPedestrian, type WiderPedestrianOptions } from "./wider-pedestrian.js";

let folder: string;
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), "dip-r1-wider-")), "Annotations");
  await mkdir(folder);
});

async function write(file: string, ...lines: string[]): Promise<string> {
  const path = join(folder, file);
  await writeFile(path, lines.join("\n") + "\n");
  return path;
}

const read = (path: string, options: WiderPedestrianOptions = {}) =>
  collect(readWiderPedestrian(path, { sizes: "1000x800", ...options }));
const box = (x: number, y: number, w: number, h: number) => ({ x1: x, y1: y, x2: x + w, y2: y + h });

describe("readWiderPedestrian", () => {
  it("reads 2019: boxes of four numbers, ignore regions beside, and the list of all pictures", async () => {
    const path = await write("train_bbox.txt", "sur03954.jpg 10 20 30 80 55 21 28 77", "ad00001.jpg");
    await write("train_ignore.txt", "sur03954.jpg 100 100 50 60", "nobody.jpg 1 1 5 5");
    await write("train_list.txt", "sur03954.jpg", "ad00002.jpg");
    const problems = new Problems();
    const samples = await read(path, { problems });
    expect(samples.map((s) => s.id)).toEqual(["sur03954.jpg", "ad00001.jpg", "ad00002.jpg"]);
    expect(samples[0]).toMatchObject({
      width: 1000,
      height: 800,
      objects: [
        { box: box(10, 20, 30, 80), label: "person" },
        { box: box(55, 21, 28, 77), label: "person" },
      ],
      ignore: [box(100, 100, 50, 60)],
      ignoreLabels: ["ignore"],
    });
    expect(samples[1]).toMatchObject({ objects: [], ignore: [] });
    expect(problems.report().noted).toEqual({ "unknown-id": 1 });
    expect(problems.report().examples[0]).toMatch(/train_ignore.txt:2: ignore regions of nobody.jpg/);
  });

  it("reads 2018: a class before each box", async () => {
    const path = await write("val_annotations.txt", "a.jpg 1 10 20 30 80 2 55 21 28 77", "b.jpg 1 5 5 9 20");
    const [both] = await read(path);
    expect(both!.objects).toMatchObject([
      { box: box(10, 20, 30, 80), label: "person", attributes: { category: "pedestrian" } },
      { box: box(55, 21, 28, 77), label: "person", attributes: { category: "cyclist" } },
    ]);
    const [walking] = await read(path, { categories: ["pedestrian"], perCategory: true });
    expect(walking).toMatchObject({
      objects: [{ label: "pedestrian" }],
      ignore: [box(55, 21, 28, 77)],
      ignoreLabels: ["cyclist"],
    });
  });

  it("tells the year by the numbers, also where a line alone would fit both", async () => {
    const five = "10 20 30 80 11 20 30 80 12 20 30 80 13 20 30 80 14 20 30 80";
    const path2019 = await write("a.txt", `a.jpg ${five}`);
    expect((await read(path2019))[0]!.objects.length).toBe(5);
    const four = "1 10 20 30 80 1 11 20 30 80 2 12 20 30 80 1 13 20 30 80";
    const path2018 = await write("b.txt", `a.jpg ${four}`);
    expect((await read(path2018))[0]!.objects.length).toBe(4);
    expect((await read(path2018, { year: 2019, boxes: "xywh" }))[0]!.objects.length).toBe(5);
    const decided = await write("c.txt", `a.jpg ${four}`, "b.jpg 10 20 30 80");
    expect((await read(decided, { boxes: "xywh" }))[0]!.objects.length).toBe(5);
  });

  it("finds pictures in sub-folders", async () => {
    const pictures = join(folder, "..", "Images");
    await mkdir(join(pictures, "ad_train", "ad_01"), { recursive: true });
    await writeFile(join(pictures, "ad_train", "ad_01", "ad1.jpg"), "");
    const path = await write("train_bbox.txt", "ad1.jpg 10 20 30 80");
    const [sample] = await read(path, { images: pictures });
    expect(sample!.image).toEqual({ kind: "file", path: join(pictures, "ad_train", "ad_01", "ad1.jpg") });
    await expect(read(path, { images: pictures, sizes: undefined })).rejects.toThrow(/ad1\.jpg/);
  });

  it.each([
    ["b.jpg 10 20 30", "has 3 numbers after the picture's name, no multiple of 4", "columns"],
    ["b.jpg 10 20 30 nan", "box 1: box must be four finite numbers", "box"],
    ["b.jpg 10 20 0 30", "box 1: box has no area: width 0, height 30", "empty-box"],
    ["b.jpg 10 20 5 5 1200 20 10 30", "box 2: box [1200,20,10,30] lies outside the image", "box-outside"],
    ["a.jpg 10 20 5 5", 'picture "a.jpg" was used before, in line 1', "duplicate-id"],
  ])("names file, line and box, or counts: %s", async (line, message, kind) => {
    const path = await write("train_bbox.txt", "a.jpg 10 20 30 80", line, "c.jpg 10 20 30 80");
    await expect(read(path)).rejects.toThrow(`${path}:2: ${message}`);
    const problems = new Problems("skip");
    expect((await read(path, { problems })).map((s) => s.id)).toContain("c.jpg");
    expect(problems.report().kinds).toEqual({ [kind]: 1 });
  });

  it("says when a line fits the other year, and when a class is none", async () => {
    const path = await write("train_bbox.txt", "a.jpg 10 20 30 80", "b.jpg 1 10 20 30 80");
    await expect(read(path)).rejects.toMatchObject({
      hint: expect.stringContaining("fits the layout of 2018: year=2018") as string,
    });
    const other = await write("x.txt", "a.jpg 3 10 20 30 80");
    await expect(read(other)).rejects.toThrow("x.txt:1: box 1: class must be 1 or 2, got 3");
  });
});
