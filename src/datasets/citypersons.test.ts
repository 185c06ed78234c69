import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { encodeCityPersons } from "../../test/support/citypersons-mat.js";
import { sharedPath, sharedPresent } from "../../test/support/shared-data.js";
import { readCityPersons, type CityPersonsOptions } from "./citypersons.js";
import { encodeMat5 } from "./mat5-encode.js";
import { collect } from "./collect.js";
import { Problems } from "./problems.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dip-r1-citypersons-"));
});

const name = "frankfurt_000000_000294_leftImg8bit.png";
const rows = [
  [1, 947, 406, 17, 40, 24000, 950, 407, 14, 39],
  [2, 100, 200, 20, 50, 25000, 100, 200, 20, 50],
  [0, 300, 300, 60, 30, 0, 300, 300, 60, 30],
  [5, 500, 300, 60, 30, 0, 500, 300, 60, 30],
  [1, 1157, 375, 41, 99, 24001, 0, 0, 0, 0],
];
const images = [
  { city: "frankfurt", name, rows },
  { city: "lindau", name: "lindau_000000_000019_leftImg8bit.png", rows: [] },
];

async function write(bytes: Uint8Array | string, file = "anno_val.mat"): Promise<string> {
  const path = join(folder, file);
  await writeFile(path, bytes);
  return path;
}

const read = async (options: CityPersonsOptions = {}, compressed = true) =>
  collect(
    readCityPersons(await write(encodeCityPersons("anno_val_aligned", images, { compressed })), options),
  );

describe("readCityPersons of .mat files", () => {
  it.each([true, false])(
    "reads pedestrians; all else is an ignore region (compressed: %s)",
    async (compressed) => {
      const samples = await read({}, compressed);
      expect(samples).toEqual([
        {
          id: name,
          image: { kind: "file", path: join(folder, "frankfurt", name) },
          width: 2048,
          height: 1024,
          objects: [
            {
              box: { x1: 947, y1: 406, x2: 964, y2: 446 },
              visible: { x1: 950, y1: 407, x2: 964, y2: 446 },
              visibility: (14 * 39) / (17 * 40),
              label: "person",
              id: "24000",
              attributes: { category: "pedestrian" },
            },
            {
              box: { x1: 1157, y1: 375, x2: 1198, y2: 474 },
              visibility: 0,
              label: "person",
              id: "24001",
              attributes: { category: "pedestrian" },
            },
          ],
          ignore: [
            { x1: 100, y1: 200, x2: 120, y2: 250 },
            { x1: 300, y1: 300, x2: 360, y2: 330 },
            { x1: 500, y1: 300, x2: 560, y2: 330 },
          ],
          ignoreLabels: ["rider", "ignore region", "people group"],
        },
        {
          id: images[1]!.name,
          image: { kind: "file", path: join(folder, "lindau", images[1]!.name) },
          width: 2048,
          height: 1024,
          objects: [],
          ignore: [],
          ignoreLabels: [],
        },
      ]);
    },
  );

  it("counts other categories where asked, under their own names too", async () => {
    const [both] = await read({ categories: ["pedestrian", "rider"] });
    expect(both!.objects.map((o) => o.label)).toEqual(["person", "person", "person"]);
    const [named] = await read({ categories: ["pedestrian", "rider"], perCategory: true });
    expect(named!.objects.map((o) => o.label)).toEqual(["pedestrian", "rider", "pedestrian"]);
  });

  it.each([
    ["by city", "frankfurt"],
    ["by split and city", "val/frankfurt"],
    ["flat", "."],
    ["as unpacked", "leftImg8bit/val/frankfurt"],
  ])("finds pictures %s", async (_, place) => {
    const pictures = join(folder, "pictures");
    await mkdir(join(pictures, place), { recursive: true });
    await writeFile(join(pictures, place, name), "");
    const [sample] = await read({ images: pictures });
    expect(sample!.image).toEqual({ kind: "file", path: join(pictures, place, name) });
  });

  it("recognises corners where width and height belong, in both files", async () => {
    const corners = [200, 400, 600, 800, 1000, 1200].map((x) => [x, 600, x + 100, 800]);
    const rows = corners.map((four) => [1, ...four, 24000, ...four]);
    const path = await write(encodeCityPersons("anno_val_aligned", [{ ...images[0]!, rows }]));
    await expect(collect(readCityPersons(path))).rejects.toThrow(/look like \[x1, y1, x2, y2\]/);
    const [sample] = await collect(readCityPersons(path, { boxes: "xyxy" }));
    expect(sample!.objects[0]).toMatchObject({ box: { x1: 200, y1: 600, x2: 300, y2: 800 }, visibility: 1 });
    const json = join(folder, "corners.json");
    await writeFile(
      json,
      JSON.stringify({
        categories: [{ id: 1, name: "pedestrian" }],
        images: [{ id: 1, im_name: name, width: 2048, height: 1024 }],
        annotations: corners.map((bbox, id) => ({ id, image_id: 1, category_id: 1, bbox })),
      }),
    );
    await expect(collect(readCityPersons(json))).rejects.toThrow(/look like \[x1, y1, x2, y2\]/);
    expect((await collect(readCityPersons(json, { boxes: "xyxy" })))[0]!.objects).toHaveLength(6);
  });

  it.each([
    ["an unknown class", [[7, 1, 1, 5, 5, 0, 1, 1, 5, 5]], "row 1: class must be 0 to 5, got 7", "field"],
    [
      "an empty box",
      [rows[0]!, [1, 1, 1, 0, 5, 0, 1, 1, 5, 5]],
      "row 2: box has no area: width 0",
      "empty-box",
    ],
    [
      "a box outside",
      [[1, 3000, 1, 10, 25, 0, 1, 1, 5, 5]],
      "row 1: box [3000,1,10,25] lies outside the image of 2048x1024",
      "box-outside",
    ],
  ])("names entry, picture and row: %s", async (_, bad, message, kind) => {
    const path = await write(encodeCityPersons("anno_val_aligned", [{ ...images[0]!, rows: bad }]));
    const where = `${path}: anno_val_aligned{1} (${name}), ${message}`;
    await expect(collect(readCityPersons(path))).rejects.toThrow(where);
    const problems = new Problems("skip");
    await collect(readCityPersons(path, { problems }));
    expect(problems.report().kinds).toEqual({ [kind]: 1 });
  });

  it("names what is wrong with the file", async () => {
    const fail = async (bytes: Uint8Array, message: string | RegExp) =>
      expect(collect(readCityPersons(await write(bytes)))).rejects.toThrow(message);
    await fail(
      encodeMat5({ x: { numbers: [[1]] } }),
      /no cell of structs with im_name and bbs; it holds x \(number\)/,
    );
    const narrow = [{ ...images[0]!, rows: [[1, 2, 3, 4, 5]] }];
    await fail(encodeCityPersons("anno_val_aligned", narrow), "anno_val_aligned{1}: bbs has 5 columns");
    await fail(
      encodeCityPersons("anno_val_aligned", [images[0]!, images[0]!]),
      `anno_val_aligned{2}: im_name "${name}" was used before, in entry 1`,
    );
    const header = Buffer.alloc(600);
    header.write("MATLAB 7.3 MAT-file, HDF5 schema 1.00 .");
    await fail(header, "version 7.3");
    const whole = encodeCityPersons("anno_val_aligned", images, { compressed: false });
    await fail(whole.subarray(0, whole.length - 300), /is announced|middle of an element/);
    await expect(collect(readCityPersons(join(folder, "none.mat")))).rejects.toThrow(
      "none.mat: no such file",
    );
  });
});

describe("readCityPersons of val_gt.json", () => {
  it("reads it with one label, and pictures by city", async () => {
    const path = await write(
      JSON.stringify({
        categories: [{ id: 1, name: "pedestrian" }],
        images: [{ id: 1, im_name: name, width: 2048, height: 1024 }],
        annotations: [
          {
            id: 1,
            image_id: 1,
            category_id: 1,
            iscrowd: 0,
            ignore: 0,
            bbox: [947, 406, 17, 40],
            vis_ratio: 0.8,
          },
          {
            id: 2,
            image_id: 1,
            category_id: 1,
            iscrowd: 1,
            ignore: 1,
            bbox: [7, 400, 13, 44],
            vis_bbox: [0, 0, 0, 0],
          },
        ],
      }),
      "val_gt.json",
    );
    const [sample] = await collect(readCityPersons(path));
    expect(sample).toMatchObject({
      image: { path: join(folder, "frankfurt", name) },
      objects: [{ label: "person", visibility: 0.8 }],
      ignore: [{ x1: 7, y1: 400, x2: 20, y2: 444 }],
    });
  });
});

const official = "metrics/citypersons/val_gt_60.json";
const present = sharedPresent("The first 60 images of CityPersons' val_gt.json", official);

describe.skipIf(!present)("the first 60 images of CityPersons' val_gt.json", () => {
  it("hold as many pedestrians and ignore regions as the file says", async () => {
    const path = sharedPath(official);
    const samples = await collect(readCityPersons(path));
    const file = JSON.parse(await readFile(path, "utf8")) as { annotations: { ignore: number }[] };
    const counted = file.annotations.filter((a) => a.ignore === 0).length;
    expect(samples.length).toBe(60);
    expect(samples.flatMap((s) => s.objects).length).toBe(counted);
    expect(samples.flatMap((s) => s.ignore).length).toBe(file.annotations.length - counted);
    expect(samples[0]!.objects[0]!.box).toEqual({ x1: 947, y1: 406, x2: 964, y2: 446 });
  });
});
