import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { collect } from "./collect.js";
import { Problems } from "./problems.js";
import { readJsonlSamples, readJsonlTruth, toJsonlLine } from "./jsonl.js";
import { generateScene } from "./scenes/index.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dip-r1-jsonl-"));
});

async function write(...lines: (object | string)[]): Promise<string> {
  const path = join(folder, "s.jsonl");
  await writeFile(path, lines.map((l) => (typeof l === "string" ? l : JSON.stringify(l)) + "\n").join(""));
  return path;
}

const line = {
  id: "a",
  width: 100,
  height: 50,
  objects: [{ bbox: [1, 2, 30, 40], label: "person" }],
  ignore: [[5, 5, 9, 9]],
};

describe("readJsonlTruth", () => {
  it("reads the form that score takes, without images", async () => {
    const path = await write(line, "", { ...line, id: 12, ignore: undefined });
    const [first, second] = await collect(readJsonlTruth(path));
    expect(first).toEqual({
      id: "a",
      width: 100,
      height: 50,
      objects: [{ box: { x1: 1, y1: 2, x2: 30, y2: 40 }, label: "person" }],
      ignore: [{ x1: 5, y1: 5, x2: 9, y2: 9 }],
    });
    expect(second).toMatchObject({ id: "12", ignore: [] });
  });

  it.each([
    ["an empty box", { objects: [{ bbox: [5, 5, 5, 9], label: "x" }] }, "objects[0].bbox has no area"],
    [
      "a box of three",
      { objects: [{ bbox: [5, 5, 5] }] },
      "objects[0].bbox must be four finite numbers [x1, y1, x2, y2]",
    ],
    [
      "a bad ignore region",
      {
        ignore: [
          [1, 1, 2, 2],
          [3, 3, 1, 4],
        ],
      },
      "ignore[1] has no area",
    ],
    [
      "a bad visibility",
      { objects: [{ bbox: [1, 1, 2, 2], visibility: 1.5 }] },
      "objects[0]: visibility must be within 0..1",
    ],
    [
      "a bad visible box",
      { objects: [{ bbox: [1, 1, 2, 2], visible: [1] }] },
      "objects[0].visible must be four",
    ],
    ["no objects", { objects: undefined }, "objects must be a list, got nothing"],
    ["no id", { id: undefined }, "id must be text or a number"],
    ["no size", { width: undefined }, "width is missing"],
    ["half a pixel", { height: 3.5 }, "height must be a whole number of pixels"],
  ])("names file, line and field: %s", async (_, fields, message) => {
    const path = await write({ ...line, id: "before" }, { ...line, ...fields });
    await expect(collect(readJsonlTruth(path))).rejects.toThrow(`${path}:2: ${message}`);
  });

  it("names the line that is no JSON, the id that comes twice and the file that is missing", async () => {
    await expect(collect(readJsonlTruth(await write(line, "{oops")))).rejects.toThrow(
      /s\.jsonl:2: is not JSON/,
    );
    await expect(collect(readJsonlTruth(await write(line, line)))).rejects.toThrow(
      's.jsonl:2: id "a" was used before, in line 1',
    );
    await expect(collect(readJsonlTruth(join(folder, "none.jsonl")))).rejects.toThrow(
      "none.jsonl: no such file",
    );
  });

  it("reads only as far as it is asked to", async () => {
    const path = await write(line, "broken");
    for await (const sample of readJsonlTruth(path)) {
      expect(sample.id).toBe("a");
      break;
    }
  });
});

describe("readJsonlSamples", () => {
  it("wants an image on every line, relative to the file", async () => {
    const path = await write({ ...line, image: "pics/a.png" });
    expect((await collect(readJsonlSamples(path)))[0]!.image).toEqual({
      kind: "file",
      path: join(folder, "pics/a.png"),
    });
    await expect(collect(readJsonlSamples(await write(line)))).rejects.toThrow('sample "a" has no image');
  });
});

describe("toJsonlLine", () => {
  it("recognises a file of [x, y, width, height], though each of its boxes could be left out by itself", async () => {
    const path = join(folder, "xywh.jsonl");
    const text = Array.from({ length: 6 }, (_, i) =>
      JSON.stringify({ id: i, width: 100, height: 100, objects: [{ bbox: [60, 60 + i, 30, 30] }] }),
    );
    await writeFile(path, text.join("\n") + "\n");
    await expect(collect(readJsonlTruth(path, { problems: new Problems("skip") }))).rejects.toThrow(
      /look like \[x, y, width, height\]/,
    );
    expect(await collect(readJsonlTruth(path, { boxes: "xywh" }))).toHaveLength(6);
  });

  it("writes what the reader gives back", async () => {
    const scene = generateScene({ seed: 3, index: 1, width: 112, height: 112, dense: true, groups: 1 });
    expect(scene.ignore.length).toBe(1);
    const [back] = await collect(readJsonlTruth(await write(toJsonlLine(scene))));
    const { image: _image, ...truth } = scene;
    expect(back).toEqual(truth);
  });
});
