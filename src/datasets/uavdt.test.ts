import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { sharedPath, sharedPresent } from "../../test/support/shared-data.js";
import { collect } from "./collect.js";
import { writePng } from "./image-file.js";
import { Problems } from "./problems.js";
import { readUavdt, uavdtFiles, type UavdtOptions } from "./uavdt.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dip-r1-uavdt-"));
});

async function write(file: string, ...lines: string[]): Promise<string> {
  const path = join(folder, file);
  await writeFile(path, lines.map((line) => line + "\n").join(""));
  return path;
}

const whole = () =>
  write(
    "M0101_gt_whole.txt",
    "1,1,141,147,106,45,1,1,3",
    "1,2,26,179,41,24,1,2,1",
    "3,1,140,147,106,45,2,4,3",
  );
const read = (options: UavdtOptions = {}, path = folder) =>
  collect(readUavdt(path, { sizes: "1024x540", ...options }));

describe("readUavdt", () => {
  it("reads whole and ignore files of a sequence, frame by frame", async () => {
    await whole();
    await write("M0101_gt_ignore.txt", "1,9,914,189,105,54,1,-1,-1");
    await write("M0101_gt.txt", "1,1,141,147,106,45,1,1,-1");
    const samples = await read();
    expect(samples.map((s) => [s.id, s.objects.length, s.ignore.length])).toEqual([
      ["M0101-000001", 2, 1],
      ["M0101-000002", 0, 0],
      ["M0101-000003", 1, 0],
    ]);
    expect(samples[0]).toMatchObject({
      image: { path: join(folder, "UAV-benchmark-M", "M0101", "img000001.jpg") },
      width: 1024,
      height: 540,
      ignore: [{ x1: 914, y1: 189, x2: 1019, y2: 243 }],
    });
    expect(samples[0]!.objects).toEqual([
      {
        box: { x1: 141, y1: 147, x2: 247, y2: 192 },
        visibility: 1,
        label: "vehicle",
        id: "1",
        attributes: { category: "bus", occlusion: "none", outOfView: "none" },
      },
      {
        box: { x1: 26, y1: 179, x2: 67, y2: 203 },
        label: "vehicle",
        id: "2",
        attributes: { category: "car", occlusion: "large", outOfView: "none" },
      },
    ]);
    expect(await uavdtFiles(folder)).toEqual([
      join(folder, "M0101_gt_whole.txt"),
      join(folder, "M0101_gt_ignore.txt"),
    ]);
  });

  it("reads files of tracks, where told or nothing else is there", async () => {
    await write("M0101_gt.txt", "1,7,141,147,106,45,1,1,-1");
    expect((await read())[0]!.objects).toEqual([
      { box: { x1: 141, y1: 147, x2: 247, y2: 192 }, label: "vehicle", id: "7" },
    ]);
    await whole();
    expect((await read())[0]!.objects.length).toBe(2);
    expect((await read({ truth: "tracks" }))[0]!.objects.length).toBe(1);
    expect((await read({}, join(folder, "M0101_gt.txt")))[0]!.objects.length).toBe(1);
  });

  it("selects sequences, frames and categories", async () => {
    await whole();
    await write("M0203_gt_whole.txt", "1,1,1,1,5,5,1,1,1");
    expect((await read()).map((s) => s.id)).toEqual([
      "M0101-000001",
      "M0101-000002",
      "M0101-000003",
      "M0203-000001",
    ]);
    expect((await read({ sequences: ["M0203"] })).length).toBe(1);
    await expect(read({ sequences: ["M9"] })).rejects.toThrow("there is no sequence M9");
    expect((await read({ every: 2, sequences: ["M0101"] })).map((s) => s.id)).toEqual([
      "M0101-000001",
      "M0101-000003",
    ]);
    const [cars] = await read({ categories: ["car"], perCategory: true });
    expect(cars!.objects.map((o) => o.label)).toEqual(["car"]);
  });

  it("takes the size from a sequence's picture", async () => {
    const path = await write("M0101_gt_whole.txt", "1,1,1,1,5,5,1,1,1");
    const frames = join(folder, "UAV-benchmark-M", "M0101");
    await mkdir(frames, { recursive: true });
    const picture = { width: 64, height: 48, data: new Uint8Array(64 * 48 * 3) };
    await writePng(join(frames, "img000001.png"), picture);
    const [sample] = await read({ sizes: undefined }, path);
    expect(sample).toMatchObject({ width: 64, height: 48, image: { path: join(frames, "img000001.png") } });
    await expect(read({ sizes: undefined, images: join(folder, "no") }, path)).rejects.toThrow(
      'the size of image "M0101" is not known',
    );
  });

  it.each([
    ["1,1,141,147,106,45,1,1", "has 8 columns", "columns"],
    ["1 1 141 147 106 45 1 1 3", "has 1 columns", "columns"],
    ["1,1,141,147,nan,45,1,1,3", 'width must be a number, got "nan"', "field"],
    ["0,1,141,147,106,45,1,1,3", "frame must be a whole number of at least 1, got 0", "field"],
    ["1,5,141,147,106,0,1,1,3", "box has no area: width 106, height 0", "empty-box"],
    ["1,5,1141,147,106,10,1,1,3", "box [1141,147,106,10] lies outside the image of 1024x540", "box-outside"],
    ["1,5,141,147,106,45,1,5,3", "occlusion must be one of 1 (none), 2 (large)", "field"],
    ["1,5,141,147,106,45,1,1,-1", "category must be one of 1 (car), 2 (truck), 3 (bus), got -1", "field"],
    ["1,1,141,147,106,45,1,1,3", "target id 1 has a box in frame 1 already, in line 1", "duplicate-id"],
  ])("names file and line, or counts: %s", async (line, message, kind) => {
    const path = await write("M0101_gt_whole.txt", "1,1,1,1,9,9,1,1,1", line);
    await expect(read()).rejects.toThrow(`${path}:2: ${message}`);
    const problems = new Problems("skip");
    const [sample] = await read({ problems });
    expect(sample!.objects.length).toBe(1);
    expect(problems.report().kinds).toEqual({ [kind]: 1 });
  });

  it("recognises corners where width and height belong", async () => {
    const rows = [1, 2, 3, 4, 5, 6].map((frame) => `${frame},1,${500 + frame},300,600,400,1,1,3`);
    await write("M0101_gt_whole.txt", ...rows);
    await expect(read()).rejects.toThrow(/look like \[x1, y1, x2, y2\]/);
    expect(await read({ boxes: "xyxy" })).toHaveLength(6);
  });

  it("names what is no UAVDT", async () => {
    await expect(read()).rejects.toThrow("holds no Mxxxx_gt_whole.txt");
    await expect(read({}, await write("M0101_gt_ignore.txt"))).rejects.toThrow("is no file of UAVDT boxes");
    await expect(read({}, await write("boxes.txt"))).rejects.toThrow("is no file of UAVDT boxes");
  });
});

const sample = (kind: string) => `data/samples/uavdt_M0101_${kind}.head40.txt`;
const kinds = ["gt_whole", "gt", "gt_ignore"];
const present = sharedPresent("UAVDT's real rows", ...kinds.map(sample));

describe.skipIf(!present)("real rows of UAVDT", () => {
  it("are a bus that drives off, and a region to ignore", async () => {
    for (const kind of kinds)
      await writeFile(join(folder, `M0101_${kind}.txt`), await readFile(sharedPath(sample(kind))));
    const samples = await read();
    expect(samples.length).toBe(40);
    expect(samples[0]).toMatchObject({
      objects: [{ box: { x1: 141, y1: 147, x2: 247, y2: 192 }, attributes: { category: "bus" }, id: "1" }],
      ignore: [{ x1: 914, y1: 189, x2: 1019, y2: 243 }],
    });
    const tracks = await read({ truth: "tracks" });
    expect(tracks.map((s) => s.objects[0]!.box)).toEqual(samples.map((s) => s.objects[0]!.box));
  });
});
