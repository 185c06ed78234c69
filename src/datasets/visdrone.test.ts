import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { collect } from "./collect.js";
import { writePng } from "./image-file.js";
import { Problems } from "./problems.js";
import { readVisDrone, type VisDroneOptions } from "./visdrone.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dip-r1-visdrone-"));
  await mkdir(join(folder, "annotations"));
});

async function write(name: string, ...lines: string[]): Promise<string> {
  const path = join(folder, "annotations", name);
  await writeFile(path, lines.join("\n"));
  return path;
}

const read = (options: VisDroneOptions = {}) =>
  collect(readVisDrone(folder, { sizes: "1360x765", ...options }));

const lines = [
  "684,8,273,116,0,0,0,0",
  "708,471,74,33,1,4,0,1",
  "100,100,10,20,1,1,0,0,",
  "200,100,12,18,1,2,1,2",
  "300,100,10,20,0,1,0,0",
  "400,100,30,20,1,11,0,0",
];

describe("readVisDrone", () => {
  it("reads people; ignored regions, others and rows with score 0 are ignore regions; vehicles go", async () => {
    await write("a.txt", ...lines);
    const [sample] = await read();
    expect(sample).toMatchObject({
      id: "a",
      image: { path: join(folder, "images", "a.jpg") },
      width: 1360,
      height: 765,
      ignore: [
        { x1: 684, y1: 8, x2: 957, y2: 124 },
        { x1: 300, y1: 100, x2: 310, y2: 120 },
        { x1: 400, y1: 100, x2: 430, y2: 120 },
      ],
      ignoreLabels: ["ignored region", "pedestrian", "others"],
    });
    expect(sample!.objects).toEqual([
      {
        box: { x1: 100, y1: 100, x2: 110, y2: 120 },
        visibility: 1,
        label: "person",
        attributes: { category: "pedestrian", truncation: 0, occlusion: "none" },
      },
      {
        box: { x1: 200, y1: 100, x2: 212, y2: 118 },
        visibility: 0.25,
        label: "person",
        attributes: { category: "people", truncation: 1, occlusion: "heavy" },
      },
    ]);
  });

  it("counts other categories where asked", async () => {
    await write("a.txt", ...lines);
    const [cars] = await read({ categories: ["car"], label: "car" });
    expect(cars!.objects).toMatchObject([{ label: "car", visibility: 0.75 }]);
    expect(cars!.ignoreLabels).toEqual(["ignored region", "others"]);
    const [standing] = await read({ categories: ["pedestrian"], perCategory: true });
    expect(standing!.objects.map((o) => o.label)).toEqual(["pedestrian"]);
    expect(standing!.ignoreLabels).toEqual(["ignored region", "people", "pedestrian", "others"]);
  });

  it("recognises corners where width and height belong, over all files of the folder", async () => {
    for (const [i, x] of [300, 500, 700, 900, 1100, 1200].entries())
      await write(`${i}.txt`, `${x},500,${x + 100},700,1,1,0,0`);
    await expect(read()).rejects.toThrow(/look like \[x1, y1, x2, y2\]/);
    expect((await read({ boxes: "xyxy" })).map(({ objects }) => objects.length)).toEqual([1, 1, 1, 1, 1, 1]);
  });

  it("reads a folder in the order of its names, sizes from the pictures, pictures without a row", async () => {
    await write("b.txt", "");
    await write("a.txt", "1,1,5,5,1,1,0,0");
    await mkdir(join(folder, "images"));
    for (const name of ["a", "b"])
      await writePng(join(folder, "images", `${name}.png`), {
        width: 40,
        height: 30,
        data: new Uint8Array(40 * 30 * 3),
      });
    const samples = await read({ sizes: undefined });
    expect(samples.map((s) => [s.id, s.width, s.height, s.objects.length])).toEqual([
      ["a", 40, 30, 1],
      ["b", 40, 30, 0],
    ]);
  });

  it.each([
    ["1,2,3", "has 3 columns", "columns"],
    ["0,59,539,307,66,66,0,0,0,0", "has 10 columns", "columns"],
    ["1,2,x,4,1,1,0,0", 'width must be a number, got "x"', "field"],
    ["1,2,3,4,1,12,0,0", "category must be 0 to 11, got 12", "field"],
    ["1,2,0,4,1,1,0,0", "box has no area: width 0, height 4", "empty-box"],
    ["1400,2,10,4,1,1,0,0", "box [1400,2,10,4] lies outside the image of 1360x765", "box-outside"],
  ])("names file and line, or counts: %s", async (line, message, kind) => {
    const path = await write("a.txt", "1,1,5,5,1,1,0,0", line);
    await expect(read()).rejects.toThrow(`${path}:2: ${message}`);
    const problems = new Problems("skip");
    expect((await read({ problems }))[0]!.objects.length).toBe(1);
    expect(problems.report().kinds).toEqual({ [kind]: 1 });
  });

  it("notes ignore regions without an area, and names an empty folder", async () => {
    await expect(read()).rejects.toThrow("holds no .txt file of annotations");
    await write("a.txt", "1,1,0,5,0,0,0,0");
    const problems = new Problems();
    await read({ problems });
    expect(problems.report()).toMatchObject({ leftOut: 0, noted: { "empty-box": 1 } });
  });
});
