import { mkdtemp, mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { collect } from "./collect.js";
import { readCoco } from "./coco.js";
import { writePng } from "./image-file.js";

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

  it("leaves bad boxes out where asked, and nothing else", async () => {
    const annotations = [annotation, { ...annotation, id: 2, bbox: [0, 0, 0, 0] }];
    const path = await write({ images, categories, annotations });
    const [sample] = await collect(readCoco(path, { badBoxes: "skip" }));
    expect(sample!.objects.length).toBe(1);
    const other = await write({ images, categories, annotations: [{ ...annotation, category_id: 9 }] });
    await expect(collect(readCoco(other, { badBoxes: "skip" }))).rejects.toThrow("category_id 9");
  });

  it("names what is wrong with the file itself", async () => {
    await expect(collect(readCoco(join(folder, "none.json")))).rejects.toThrow("none.json: no such file");
    await expect(collect(readCoco(await write("{")))).rejects.toThrow("is not JSON");
    await expect(collect(readCoco(await write([])))).rejects.toThrow("must be an object");
    await expect(collect(readCoco(await write({ images })))).rejects.toThrow("annotations must be a list");
    const twice = await write({ images: [...images, ...images], annotations: [] });
    await expect(collect(readCoco(twice))).rejects.toThrow("two images have the id 7");
    const size = await write({ images: [{ ...images[0], width: -1 }], annotations: [] });
    await expect(collect(readCoco(size))).rejects.toThrow("image 7: width must be a number of at least 1");
  });
});
