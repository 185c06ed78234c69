import { mkdtemp, mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { InputError } from "../base/errors.js";
import { collect } from "./collect.js";
import { readCoco } from "./coco.js";
import { writePng } from "./image-file.js";
import { Problems } from "./problems.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dip-r1-coco-"));
});

const images = [{ id: 7, file_name: "a.png", width: 100, height: 50 }];
const categories = [
  { id: 1, name: "person" },
  { id: 3, name: "car" },
];
const annotation = { id: 1, image_id: 7, category_id: 1, bbox: [10, 5, 20, 30] };

async function write(content: unknown, name = "t.json"): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
}

describe("readCoco", () => {
  it("reads boxes, labels, visibility, and crowd and ignore as ignore regions", async () => {
    const path = await write({
      images: [...images, { id: 8, file_name: "b.png", width: 10, height: 10 }],
      categories,
      annotations: [
        { ...annotation, vis_bbox: [10, 5, 10, 30], vis_ratio: 0.5, ignore: 0, iscrowd: 0 },
        { ...annotation, id: 2, category_id: 3, bbox: [-5, 0, 10, 10] },
        { ...annotation, id: 3, iscrowd: 1 },
        { ...annotation, id: 4, ignore: 1, bbox: [1, 2, 3, 4] },
      ],
    });
    expect(await collect(readCoco(path))).toEqual([
      {
        id: "7",
        image: { kind: "file", path: join(folder, "a.png") },
        width: 100,
        height: 50,
        objects: [
          {
            box: { x1: 10, y1: 5, x2: 30, y2: 35 },
            visible: { x1: 10, y1: 5, x2: 20, y2: 35 },
            visibility: 0.5,
            label: "person",
          },
          { box: { x1: -5, y1: 0, x2: 5, y2: 10 }, label: "car" },
        ],
        ignore: [
          { x1: 10, y1: 5, x2: 30, y2: 35 },
          { x1: 1, y1: 2, x2: 4, y2: 6 },
        ],
      },
      {
        id: "8",
        image: { kind: "file", path: join(folder, "b.png") },
        width: 10,
        height: 10,
        objects: [],
        ignore: [],
      },
    ]);
  });

  it("takes missing sizes from the pictures, and the images folder beside the file", async () => {
    const root = join(folder, "with-images");
    await mkdir(join(root, "images"), { recursive: true });
    await writePng(join(root, "images", "a.png"), { width: 4, height: 3, data: new Uint8Array(36) });
    const path = await write(
      { images: [{ id: 1, file_name: "a.png" }], annotations: [] },
      "with-images/t.json",
    );
    const [sample] = await collect(readCoco(path));
    expect(sample).toMatchObject({ width: 4, height: 3, image: { path: join(root, "images", "a.png") } });
    const missing = await write(
      { images: [{ id: 1, file_name: "b.png" }], annotations: [] },
      "with-images/u.json",
    );
    await expect(collect(readCoco(missing))).rejects.toThrow(/b\.png: no such image file/);
  });

  it.each([
    ["three numbers", { bbox: [1, 2, 3] }, "annotation 1: bbox must be four finite numbers"],
    ["no width", { bbox: [1, 2, 0, 4] }, "annotation 1: bbox has no area: width 0, height 4"],
    ["text", { bbox: ["1", 2, 3, 4] }, "annotation 1: bbox must be four finite numbers"],
    [
      "no box",
      { bbox: undefined },
      "annotation 1: bbox must be four finite numbers [x, y, width, height], got nothing",
    ],
    ["an unknown image", { image_id: 99 }, "annotation 1: image_id 99 is not among"],
    ["an unknown category", { category_id: 2 }, "annotation 1: category_id 2 is not among"],
    ["a strange flag", { iscrowd: "yes" }, 'annotation 1: iscrowd must be 0 or 1, got "yes"'],
    ["a strange share", { vis_ratio: -1 }, "annotation 1: vis_ratio must be a number of at least 0"],
  ])("names file, annotation and field: %s", async (_, fields, message) => {
    const path = await write({ images, categories, annotations: [{ ...annotation, ...fields }] });
    await expect(collect(readCoco(path))).rejects.toThrow(`${path}: ${message}`);
  });

  it("leaves bad records out where asked, and counts them", async () => {
    const annotations = [
      annotation,
      { ...annotation, id: 2, bbox: [0, 0, 0, 0] },
      { ...annotation, id: 3, category_id: 9 },
      { ...annotation, id: 1 },
      { ...annotation, id: 5, bbox: [200, 5, 20, 30] },
      { ...annotation, id: 6, image_id: 70 },
    ];
    const problems = new Problems("skip");
    const [sample] = await collect(readCoco(await write({ images, categories, annotations }), { problems }));
    expect(sample!.objects.length).toBe(1);
    expect(problems.report()).toMatchObject({
      leftOut: 5,
      kinds: { "empty-box": 1, "unknown-id": 2, "duplicate-id": 1, "box-outside": 1 },
      noted: {},
    });
  });

  it("keeps what COCO has no field for, and lets useless details go", async () => {
    const path = await write({
      images: [{ ...images[0], sample_id: "s-7" }],
      categories,
      annotations: [
        { ...annotation, head_bbox: [12, 5, 6, 6], track_id: 4, attributes: { occluded: true, tags: [1] } },
        { ...annotation, id: 2, vis_bbox: [0, 0, 0, 0], vis_ratio: 0 },
        { ...annotation, id: 3, iscrowd: 1, ignore_label: "mask" },
        { ...annotation, id: 4, iscrowd: 1, bbox: [0, 0, 0, 0] },
      ],
    });
    const problems = new Problems();
    const [sample] = await collect(readCoco(path, { problems }));
    expect(sample).toMatchObject({ id: "s-7", ignoreLabels: ["mask"] });
    expect(sample!.objects[0]).toMatchObject({
      head: { x1: 12, y1: 5, x2: 18, y2: 11 },
      id: "4",
      attributes: { occluded: true },
    });
    expect(sample!.objects[0]!.attributes).toEqual({ occluded: true });
    expect(sample!.objects[1]).toMatchObject({ visibility: 0 });
    expect(sample!.objects[1]!.visible).toBeUndefined();
    expect(problems.report()).toMatchObject({ leftOut: 0, noted: { "empty-box": 1 } });
  });

  describe("boxes in another form", () => {
    const corners = [
      [10, 5, 30, 35],
      [40, 10, 70, 45],
      [60, 5, 95, 40],
      [75, 20, 99, 48],
      [5, 2, 20, 30],
      [50, 15, 80, 49],
    ];
    const file = (boxes: number[][]) =>
      write({
        images,
        categories,
        annotations: boxes.map((bbox, i) => ({ ...annotation, id: i + 1, bbox })),
      });

    it("recognises corners where width and height belong, and reads them when told", async () => {
      const path = await file(corners);
      await expect(collect(readCoco(path))).rejects.toThrow(
        /the boxes look like \[x1, y1, x2, y2\], and \[x, y, width, height\] is expected/,
      );
      const [sample] = await collect(readCoco(path, { boxes: "xyxy" }));
      expect(sample!.objects[0]!.box).toEqual({ x1: 10, y1: 5, x2: 30, y2: 35 });
      // Skipping bad records does not turn a misread file into a good one.
      await expect(collect(readCoco(path, { problems: new Problems("skip") }))).rejects.toThrow(/look like/);
    });

    it("believes who says that they are right", async () => {
      const problems = new Problems();
      const [sample] = await collect(readCoco(await file(corners), { boxes: "xywh", problems }));
      expect(sample!.objects.length).toBe(6);
      expect(problems.report().noted).toEqual({ "boxes-leaving": 1 });
    });

    it("recognises shares of the image", async () => {
      const shares = corners.map(([a, b, c, d]) => [a! / 100, b! / 50, (c! - a!) / 100, (d! - b!) / 50]);
      await expect(collect(readCoco(await file(shares)))).rejects.toThrow(/look like shares of the image/);
    });

    it("does not suspect true boxes that leave the image", async () => {
      const amodal = [
        [5, 5, 20, 80],
        [60, 5, 60, 60],
        [80, 10, 50, 50],
        [30, 20, 30, 60],
        [-10, 5, 40, 60],
        [70, 30, 40, 60],
      ];
      expect((await collect(readCoco(await file(amodal))))[0]!.objects.length).toBe(6);
    });
  });

  it("names what is wrong with the file itself", async () => {
    await expect(collect(readCoco(join(folder, "none.json")))).rejects.toThrow("none.json: no such file");
    await expect(collect(readCoco(await write("{")))).rejects.toThrow("is not JSON");
    const hintOf = async (text: string | Uint8Array) => {
      const file = join(folder, "bad.json");
      await writeFile(file, text);
      return collect(readCoco(file)).then(
        () => "",
        (error: InputError) => `${error.message} | ${error.hint}`,
      );
    };
    const whole = JSON.stringify({ images, categories, annotations: [annotation] });
    expect(await hintOf(whole.slice(0, -40))).toMatch(/cut off/);
    expect(await hintOf(whole.replace("[10,5,", "[NaN,5,"))).toMatch(/NaN/);
    expect(await hintOf(JSON.stringify(annotation) + "\n" + JSON.stringify(annotation))).toMatch(
      /JSON Lines/,
    );
    expect(await hintOf(Buffer.from("\uFEFF" + whole, "utf16le"))).toMatch(/is UTF-16.*iconv/);
    expect(await hintOf(Buffer.from(whole.replace("a.png", "caf\u00e9.png"), "latin1"))).toMatch(/not UTF-8/);
    expect(await hintOf(Buffer.from([0x1f, 0x8b, 8, 0]))).toMatch(/gzip/);
    expect(await hintOf("<!DOCTYPE html><html>")).toMatch(/web page/);
    expect(await hintOf("version https://git-lfs.github.com/spec/v1\n")).toMatch(/Git LFS/);
    expect(await hintOf("\uFEFF" + whole)).toBe("");
    await expect(collect(readCoco(await write([])))).rejects.toThrow("must be an object");
    await expect(collect(readCoco(await write({ images })))).rejects.toThrow("annotations must be a list");
    const twice = await write({ images: [...images, ...images], annotations: [] });
    await expect(collect(readCoco(twice))).rejects.toThrow("two images have the id 7");
    const size = await write({ images: [{ ...images[0], width: -1 }], annotations: [] });
    await expect(collect(readCoco(size))).rejects.toThrow("image 7: width must be a number of at least 1");
  });
});
