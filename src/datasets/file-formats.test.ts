/** Every format through the one door: specs as text and as objects, selection, fingerprints, bad records, pictures. */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { parse as parseYaml } from "yaml";
import { packageRoot } from "../base/fingerprint.js";
import { encodeCityPersons } from "../../test/support/citypersons-mat.js";
import { collect } from "./collect.js";
import { openAnnotations, openDataset, parseDatasetSpec, type Dataset, type OpenOptions } from "./dataset.js";
import { writePng } from "./image-file.js";
import { describeProblems } from "./problems.js";
import type { DatasetSpecInput } from "./spec.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dip-r1-formats-"));
});

const open = (spec: DatasetSpecInput, options: OpenOptions = {}) =>
  openDataset(spec, { baseDir: folder, ...options });
const ids = async (set: Dataset) => (await collect(set.samples())).map((s) => s.id);
const write = (file: string, text: string | Uint8Array) => writeFile(join(folder, file), text);
const picture = async (file: string, width = 100, height = 80) =>
  writePng(join(folder, file), { width, height, data: new Uint8Array(width * height * 3) });

/** Four images of each format; image k has k people, one of them 10 pixels high, and the last has one ignore region. */
const boxes = (k: number) => Array.from({ length: k }, (_, i) => [5 + 20 * i, 5, 10, i === 0 ? 10 : 40]);
const region = [60, 60, 20, 10];
const four = [0, 1, 2, 3];

async function writeAll(): Promise<void> {
  const lines = (toLine: (k: number) => object) => four.map((k) => JSON.stringify(toLine(k)) + "\n").join("");
  await write(
    "t.odgt",
    lines((k) => ({
      ID: `i${k}`,
      width: 100,
      height: 80,
      gtboxes: [
        ...boxes(k).map((box) => ({ tag: "person", fbox: box, vbox: box, hbox: box, extra: { ignore: 0 } })),
        ...(k === 3 ? [{ tag: "mask", fbox: region, vbox: region, hbox: region, extra: { ignore: 1 } }] : []),
      ],
    })),
  );
  await write(
    "t.mat",
    encodeCityPersons(
      "anno_val_aligned",
      four.map((k) => ({
        city: "c",
        name: `i${k}.png`,
        rows: [
          ...boxes(k).map((box) => [1, ...box, 1, ...box]),
          ...(k === 3 ? [[0, ...region, 0, ...region]] : []),
        ],
      })),
    ),
  );
  await write("t_bbox.txt", four.map((k) => `i${k}.jpg ${boxes(k).flat().join(" ")}`).join("\n"));
  await write("t_ignore.txt", `i3.jpg ${region.join(" ")}\n`);
  await write(
    "M1_gt_whole.txt",
    four.flatMap((k) => boxes(k).map((box, i) => `${k + 1},${i},${box.join(",")},1,1,1`)).join("\n"),
  );
  await write("M1_gt_ignore.txt", `4,9,${region.join(",")},1,-1,-1\n`);
  await mkdir(join(folder, "vis", "annotations"), { recursive: true });
  for (const k of four) {
    const rows = boxes(k).map((box) => `${box.join(",")},1,1,0,0`);
    if (k === 3) rows.push(`${region.join(",")},0,0,0,0`);
    await write(`vis/annotations/i${k}.txt`, rows.join("\n"));
  }
}

const formats = [
  ["crowdhuman", "t.odgt", "?"],
  ["citypersons", "t.mat", "?sizes=100x80&"],
  ["widerpedestrian", "t_bbox.txt", "?sizes=100x80&"],
  ["uavdt", "M1_gt_whole.txt", "?sizes=100x80&"],
  ["visdrone", "visdrone:vis", "?sizes=100x80&"],
] as const;

describe.each(formats)("openDataset of %s", (format, file, query) => {
  beforeEach(writeAll);

  it("tells the format, and reads, filters, splits and limits as with any other", async () => {
    const set = await open(file + query);
    expect(set.spec.format).toBe(format);
    expect(set.length).toBe(4);
    const samples = await collect(set.samples());
    expect(samples.map((s) => [s.objects.length, s.ignore.length])).toEqual([
      [0, 0],
      [1, 0],
      [2, 0],
      [3, 1],
    ]);
    expect(samples[3]).toMatchObject({
      width: 100,
      height: 80,
      ignore: [{ x1: 60, y1: 60, x2: 80, y2: 70 }],
    });
    const tall = await open(`${file}${query}minHeight=20&minObjects=1`);
    expect((await collect(tall.samples())).map((s) => [s.objects.length, s.ignore.length])).toEqual([
      [1, 1],
      [2, 2],
    ]);
    expect((await open(`${file}${query}limit=2`)).length).toBe(2);
    const [train, val] = await Promise.all(
      ["train", "val"].map((part) =>
        open({ ...set.spec, split: { part, val: 0.25, by: "order" } } as typeof set.spec),
      ),
    );
    expect([...(await ids(train!)), ...(await ids(val!))]).toEqual(await ids(set));
    expect(val!.length).toBe(1);
  });

  it("has a fingerprint of content and choices", async () => {
    const base = await open(file + query);
    expect(base.fingerprint).toMatch(/^[0-9a-f]{64}$/);
    for (const { sha256 } of base.files) expect(sha256).toMatch(/^[0-9a-f]{64}$/);
    const print = async (more: string) => (await open(file + query + more)).fingerprint;
    expect(await print("name=other&onError=skip&checkImages=none")).toBe(base.fingerprint);
    expect(await print("limit=2")).not.toBe(base.fingerprint);
    expect(await print("label=pedestrian")).not.toBe(base.fingerprint);
    // One more byte in any text file that was read; a .mat would be broken by it.
    const read = base.files.map(({ path }) =>
      path.endsWith("vis") ? join(path, "annotations", "i0.txt") : path,
    );
    const changed: string[] = [];
    for (const path of read.filter((one) => !one.endsWith(".mat"))) {
      const before = await readFile(path);
      await writeFile(path, before + "\n");
      changed.push(await print(""));
      await writeFile(path, before);
    }
    expect(changed).not.toContain(base.fingerprint);
    expect(await print("")).toBe(base.fingerprint);
  });
});

describe("onError", () => {
  const line = (id: string, fbox: unknown) =>
    JSON.stringify({ ID: id, width: 100, height: 80, gtboxes: [{ tag: "person", fbox, vbox: fbox }] }) + "\n";

  it("stops at a bad record, or leaves it out, says so, and gives other data another fingerprint", async () => {
    await write("t.odgt", line("a", [1, 1, 5, 5]) + line("b", [1, 1, 0, 5]) + "{broken\n");
    await expect(open("t.odgt")).rejects.toThrow("t.odgt:2: gtboxes[0]: fbox has no area");
    const set = await open("t.odgt?onError=skip");
    expect(set.problems).toMatchObject({ leftOut: 2, kinds: { "empty-box": 1, "not-json": 1 } });
    const words = describeProblems(set.problems)!;
    expect(words).toMatch(/left out 2 bad records: 1 boxes without an area, 1 lines that are not JSON/);
    expect(words).toContain("t.odgt:2: gtboxes[0]: fbox has no area");
    expect((await open("t.odgt", { onError: "skip" })).fingerprint).toBe(set.fingerprint);
    await write("t.odgt", line("a", [1, 1, 5, 5]) + line("b", [1, 1, 0, 5]));
    expect((await open("t.odgt?onError=skip")).fingerprint).not.toBe(set.fingerprint);
  });

  it("is an error where nothing is left", async () => {
    await write("t.odgt", "{broken\n");
    await expect(open("t.odgt?onError=skip")).rejects.toThrow(
      /t\.odgt: holds no image \(left out 1 bad records: 1 lines that are not JSON/,
    );
    await write("t.odgt", "");
    await expect(open("t.odgt")).rejects.toThrow("t.odgt: holds no image");
  });

  it("has an object form and a text form that say the same (docs/datasets.md)", async () => {
    const docs = await readFile(join(packageRoot, "docs", "datasets.md"), "utf8");
    const block = /```yaml\n([^`]*)```/.exec(docs)![1]!;
    const { data } = parseYaml(block) as { data: { train: unknown } };
    const text = /data inspect "([^"]*)"/.exec(docs)![1]!;
    expect(parseDatasetSpec(text)).toEqual(parseDatasetSpec(data.train));
  });

  it("knows keys and values", () => {
    expect(() => parseDatasetSpec("t.odgt?onError=maybe")).toThrow(/onError: .*"error"\|"skip"/);
    expect(() => parseDatasetSpec("t.odgt?badBoxes=skip")).toThrow(/unknown key "badBoxes"/);
    expect(() => parseDatasetSpec("t.odgt?box=feet")).toThrow(/box: .*"full"\|"visible"\|"head"/);
    expect(() => parseDatasetSpec("widerpedestrian:x.txt?year=2020")).toThrow(/year/);
    expect(parseDatasetSpec("widerpedestrian:x.txt?year=2018&categories=cyclist")).toMatchObject({
      year: 2018,
      categories: ["cyclist"],
    });
    expect(parseDatasetSpec("uavdt:GT?sequences=M0101,M0203&truth=tracks&perCategory")).toMatchObject({
      sequences: ["M0101", "M0203"],
      truth: "tracks",
      perCategory: true,
      label: "vehicle",
    });
  });
});

describe("pictures", () => {
  const coco = (width: number, height: number, names: readonly string[]) =>
    write(
      "t.json",
      JSON.stringify({
        images: names.map((file_name, id) => ({ id, file_name, width, height })),
        annotations: [{ id: 1, image_id: 0, bbox: [1, 1, 5, 5] }],
      }),
    );

  it("need not be there for annotations alone; that is noted", async () => {
    await coco(100, 80, ["a.png", "b.png"]);
    const set = await open("t.json");
    expect(set.problems).toMatchObject({ leftOut: 0, noted: { "image-missing": 1 } });
    await expect(open("t.json?images=nowhere")).rejects.toThrow(/nowhere: no such folder of pictures/);
    expect((await open("t.json?images=nowhere&checkImages=none")).length).toBe(2);
  });

  it("that are missing among others are bad records", async () => {
    await coco(100, 80, ["a.png", "b.png"]);
    await picture("a.png");
    await expect(open("t.json")).rejects.toThrow(/b\.png: no such image file \(sample "1"\)/);
    const set = await open("t.json?onError=skip");
    expect(await ids(set)).toEqual(["0"]);
    expect(set.problems.kinds).toEqual({ "image-missing": 1 });
    // What a limit leaves out need not be there.
    expect((await open("t.json?limit=1")).length).toBe(1);
    await cp(join(folder, "a.png"), join(folder, "b.png"));
    expect((await open("t.json")).length).toBe(2);
    await rm(join(folder, "b.png"));
  });

  it.each([
    ["resized", 200, 160, /is 100x80, but the annotations of sample "0" are for 200x160/, /resized.*0\.500/],
    ["turned", 80, 100, /is 100x80, but .* 80x100/, /EXIF orientation/],
    ["others", 300, 80, /is 100x80, but .* 300x80/, /another picture/],
  ])("are compared with the annotations where asked: %s", async (_, width, height, message, hint) => {
    await coco(width, height, ["a.png"]);
    await picture("a.png");
    expect((await open("t.json")).length).toBe(1);
    await expect(open("t.json?checkImages=size")).rejects.toMatchObject({
      message: expect.stringMatching(message) as string,
      hint: expect.stringMatching(hint) as string,
    });
    await picture("a.png", width, height);
    expect((await open("t.json?checkImages=size")).length).toBe(1);
  });

  it("that are broken are named", async () => {
    await coco(100, 80, ["a.png"]);
    await write("a.png", "no picture");
    await expect(open("t.json?checkImages=size")).rejects.toThrow(/a\.png: cannot be read as an image/);
  });
});

describe("openAnnotations", () => {
  const line = (id: string, image?: string) =>
    JSON.stringify({ id, image, width: 100, height: 80, objects: [{ bbox: [1, 1, 9, 30] }] }) + "\n";
  const annotations = (spec: DatasetSpecInput, options: OpenOptions = {}) =>
    openAnnotations(spec, { baseDir: folder, ...options });

  it("takes lines that name no picture, which a dataset with pictures refuses", async () => {
    await write("t.jsonl", line("a") + line("b"));
    await expect(open("t.jsonl")).rejects.toThrow(/t\.jsonl: sample "a" has no image/);
    await expect(open("t.jsonl?onError=skip")).rejects.toThrow(/holds no image/);
    const set = await annotations("t.jsonl?minHeight=20");
    expect(set.problems).toMatchObject({ leftOut: 0, noted: {} });
    expect(await set.at(1)).toEqual({
      id: "b",
      width: 100,
      height: 80,
      objects: [{ box: { x1: 1, y1: 1, x2: 9, y2: 30 }, label: "person" }],
      ignore: [],
    });
    expect((await annotations("t.jsonl?limit=1")).length).toBe(1);
    expect((await (await annotations("t.jsonl?minHeight=50")).at(0)).ignore).toHaveLength(1);
    // Bad records are bad records all the same.
    await write("t.jsonl", line("a") + line("a") + "{oops\n");
    await expect(annotations("t.jsonl")).rejects.toThrow(/t\.jsonl:2: id "a" was used before/);
    const { problems, length } = await annotations("t.jsonl", { onError: "skip" });
    expect([length, problems.kinds]).toEqual([1, { "duplicate-id": 1, "not-json": 1 }]);
  });

  it("looks at the pictures that are named", async () => {
    await write("t.jsonl", line("a") + line("b", "b.png") + line("c", "c.png"));
    const noted = (await annotations("t.jsonl")).problems;
    expect(noted).toMatchObject({ leftOut: 0, noted: { "image-missing": 1 } });
    expect(noted.examples).toEqual([expect.stringMatching(/no picture is at hand: .*b\.png/)]);
    await picture("b.png", 100, 60);
    await expect(annotations("t.jsonl")).rejects.toThrow(/c\.png: no such image file \(sample "c"\)/);
    expect((await annotations("t.jsonl?onError=skip")).length).toBe(2);
    await expect(annotations("t.jsonl?checkImages=size&limit=2")).rejects.toThrow(/is 100x60, but/);
    expect((await annotations("t.jsonl?checkImages=none")).length).toBe(3);
  });

  it("is openDataset for everything else: specs in files, scenes, fingerprints", async () => {
    await write("t.jsonl", line("a", "a.png"));
    await write("t.yaml", "format: jsonl\nannotations: t.jsonl\n");
    const [first, second] = [await open("t.yaml"), await annotations("t.yaml")];
    expect([second.fingerprint, second.name, await second.at(0)]).toEqual([
      first.fingerprint,
      first.name,
      await first.at(0),
    ]);
    expect((await annotations("scenes:plaza?count=3")).fingerprint).toBe(
      (await open("scenes:plaza?count=3")).fingerprint,
    );
    await write("t.json", JSON.stringify({ images: [{ id: 1, width: 9, height: 9 }], annotations: [] }));
    await expect(annotations("t.json")).rejects.toThrow(/file_name/);
  });
});
