import { mkdir, mkdtemp, open, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { sharedPath, sharedPresent } from "../../test/support/shared-data.js";
import { collect } from "./collect.js";
import { readCrowdHuman, type CrowdHumanOptions } from "./crowdhuman.js";
import { writePng } from "./image-file.js";
import { Problems } from "./problems.js";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "dip-r1-crowdhuman-"));
});

const person = {
  tag: "person",
  fbox: [-10, 20, 40, 100],
  vbox: [0, 20, 30, 50],
  hbox: [5, 20, 12, 14],
  head_attr: { ignore: 0, occ: 1, unsure: 0 },
  extra: { box_id: 3, occ: 1 },
};
const mask = {
  tag: "mask",
  fbox: [50, 60, 30, 20],
  vbox: [50, 60, 30, 20],
  hbox: [50, 60, 30, 20],
  head_attr: {},
  extra: { ignore: 1 },
};
const line = { ID: "283554,35288", width: 200, height: 150, gtboxes: [person, mask] };

async function write(...lines: (object | string)[]): Promise<string> {
  const path = join(folder, "annotation_val.odgt");
  const text = lines.map((l) => (typeof l === "string" ? l : JSON.stringify(l))).join("\n");
  await writeFile(path, text + "\n");
  return path;
}

const read = async (options: CrowdHumanOptions, ...lines: (object | string)[]) =>
  collect(readCrowdHuman(await write(...lines), options));

describe("readCrowdHuman", () => {
  it("reads full boxes with visible part, head, id and attributes; masks are ignore regions", async () => {
    expect(await read({}, line)).toEqual([
      {
        id: "283554,35288",
        image: { kind: "file", path: join(folder, "Images", "283554,35288.jpg") },
        width: 200,
        height: 150,
        objects: [
          {
            box: { x1: -10, y1: 20, x2: 30, y2: 120 },
            visible: { x1: 0, y1: 20, x2: 30, y2: 70 },
            head: { x1: 5, y1: 20, x2: 17, y2: 34 },
            visibility: 0.375,
            label: "person",
            id: "3",
            attributes: { occluded: true, headIgnored: false, headOccluded: true, headUnsure: false },
          },
        ],
        ignore: [{ x1: 50, y1: 60, x2: 80, y2: 80 }],
        ignoreLabels: ["mask"],
      },
    ]);
  });

  it("takes the visible box or the head where asked", async () => {
    const [visible] = await read({ box: "visible" }, line);
    expect(visible!.objects[0]).toMatchObject({ box: { x1: 0, y1: 20, x2: 30, y2: 70 }, visibility: 0.375 });
    const hidden = { ...person, head_attr: { ignore: 1 } };
    const [head] = await read({ box: "head" }, { ...line, gtboxes: [person, hidden] });
    expect(head!.objects).toMatchObject([{ box: { x1: 5, y1: 20, x2: 17, y2: 34 }, label: "head" }]);
    expect(head!.objects[0]!.visibility).toBeUndefined();
    expect(head!.ignoreLabels).toEqual(["person"]);
  });

  it("makes an ignore region of a person that is to be ignored", async () => {
    const ignored = { ...person, extra: { ignore: 1 } };
    const [sample] = await read({}, { ...line, gtboxes: [ignored, { ...person, tag: "statue" }] });
    expect(sample!.objects).toEqual([]);
    expect(sample!.ignoreLabels).toEqual(["person", "statue"]);
  });

  it("takes sizes from a file, from one size for all, and from the pictures", async () => {
    const bare = { ...line, width: undefined, height: undefined };
    const sizes = join(folder, "id_hw.json");
    await writeFile(sizes, JSON.stringify({ [line.ID]: [150, 200] }));
    expect(await read({ sizes }, bare)).toMatchObject([{ width: 200, height: 150 }]);
    expect(await read({ sizes: "300x250" }, bare)).toMatchObject([{ width: 300, height: 250 }]);
    await mkdir(join(folder, "Images"));
    await writePng(join(folder, "Images", `${line.ID}.png`), {
      width: 120,
      height: 130,
      data: new Uint8Array(120 * 130 * 3),
    });
    expect(await read({}, bare)).toMatchObject([
      { width: 120, height: 130, image: { path: join(folder, "Images", `${line.ID}.png`) } },
    ]);
    await expect(read({}, { ...bare, ID: "gone" })).rejects.toThrow(/gone\.jpg: no such image file/);
    await expect(read({ images: join(folder, "no") }, bare)).rejects.toThrow(
      /odgt:1: the size of image "283554,35288" is not known/,
    );
    await writeFile(sizes, JSON.stringify({ [line.ID]: [150] }));
    await expect(read({ sizes }, bare)).rejects.toThrow(
      /id_hw\.json: size of "283554,35288": width is missing/,
    );
  });

  it.each([
    ["not JSON", "{oops", "is not JSON", "not-json"],
    ["no ID", { gtboxes: [] }, "ID must be text or a number", "field"],
    ["a COCO file", { images: [], annotations: [] }, "ID is missing, and this looks like COCO json", "field"],
    ["a detections file", { ID: "d", dtboxes: [] }, "gtboxes is missing, and there are dtboxes", "field"],
    ["an ID again", line, 'ID "283554,35288" was used before, in line 1', "duplicate-id"],
    [
      "no tag",
      { ...line, ID: "b", gtboxes: [{ ...person, tag: undefined }] },
      "gtboxes[0]: tag is missing",
      "field",
    ],
    [
      "an empty box",
      { ...line, ID: "b", gtboxes: [{ ...person, fbox: [5, 5, -3, 10] }] },
      "gtboxes[0]: fbox has no area: width -3, height 10",
      "empty-box",
    ],
    [
      "null for a number",
      { ...line, ID: "b", gtboxes: [{ ...person, fbox: [5, 5, null, 10] }] },
      "gtboxes[0]: fbox must be four finite numbers",
      "box",
    ],
    [
      "a strange flag",
      { ...line, ID: "b", gtboxes: [{ ...person, extra: { ignore: "yes" } }] },
      'gtboxes[0]: extra: ignore must be 0 or 1, got "yes"',
      "field",
    ],
  ])("names file, line and field, or goes on and counts: %s", async (_, bad, message, kind) => {
    const good = { ...line, ID: "after" };
    const path = await write(line, bad, good);
    await expect(collect(readCrowdHuman(path))).rejects.toThrow(`${path}:2: ${message}`);
    await expect(collect(readCrowdHuman(path))).rejects.toMatchObject({
      hint: expect.stringContaining("--on-error skip") as string,
    });
    const problems = new Problems("skip");
    const samples = await collect(readCrowdHuman(path, { problems }));
    expect(samples.map((s) => s.id)).toContain("after");
    expect(problems.report()).toMatchObject({ leftOut: 1, kinds: { [kind]: 1 } });
    expect(problems.report().examples[0]).toContain(`${path}:2: ${message}`);
  });

  it("notes a person wholly outside the picture, and refuses a file where many are", async () => {
    const far = { ...person, fbox: [-50, 20, 30, 90] };
    const problems = new Problems();
    const [sample] = await read({ problems }, { ...line, gtboxes: [far, person] });
    expect(sample!.objects.length).toBe(1);
    expect(problems.report()).toMatchObject({ leftOut: 0, noted: { "box-outside": 1 } });
    const many = { ...line, gtboxes: [far, far, far, far, far, person] };
    await expect(read({}, many)).rejects.toThrow(/5 of 6 boxes lie wholly outside their images/);
  });

  it("recognises corners where width and height belong", async () => {
    const boxes = [0, 1, 2, 3, 4, 5].map((k) => ({
      ...person,
      fbox: [20 * k + 5, 10 + k, 20 * k + 60, 120 + k],
    }));
    await expect(read({}, { ...line, gtboxes: boxes })).rejects.toThrow(/look like \[x1, y1, x2, y2\]/);
    const [sample] = await read(
      { boxes: "xyxy" },
      { ...line, gtboxes: [{ ...person, fbox: [5, 10, 60, 120] }] },
    );
    expect(sample!.objects[0]!.box).toEqual({ x1: 5, y1: 10, x2: 60, y2: 120 });
  });

  it("recognises them where bodies go on beyond the picture, also after records that had to be left out", async () => {
    // Right in neither form, as some bodies leave the picture; two have no area unless they are corners.
    const corners = Array.from({ length: 20 }, (_, k) => [60 + k, 20 + k, 150 + 4 * k, 130 + k]);
    const gtboxes = [...corners, [-60, 20, -20, 90], [-20, 30, 0, 90]].map((fbox) => ({ ...person, fbox }));
    const problems = new Problems("skip");
    await expect(read({ problems }, { ...line, width: 200, height: 150, gtboxes })).rejects.toThrow(
      /look like \[x1, y1, x2, y2\]/,
    );
    // Who stops at the first bad record is told what the boxes before it look like.
    await expect(read({}, { ...line, width: 200, height: 150, gtboxes })).rejects.toMatchObject({
      message: expect.stringContaining("has no area: width -20") as string,
      hint: expect.stringContaining("boxes=xyxy") as string,
    });
  });

  describe("a broken file", () => {
    it("that was cut off is known by its last line", async () => {
      const path = join(folder, "cut.odgt");
      await writeFile(path, JSON.stringify(line) + "\n" + JSON.stringify({ ...line, ID: "b" }).slice(0, 90));
      await expect(collect(readCrowdHuman(path))).rejects.toThrow(
        `${path}:2: the file ends in the middle of this record`,
      );
      const problems = new Problems("skip");
      expect((await collect(readCrowdHuman(path, { problems }))).length).toBe(1);
      expect(problems.report().kinds).toEqual({ truncated: 1 });
    });

    it("with NaN says where that comes from", async () => {
      const path = await write(JSON.stringify(line).replace("-10", "NaN"));
      await expect(collect(readCrowdHuman(path))).rejects.toMatchObject({
        message: expect.stringContaining(`${path}:1: is not JSON`) as string,
        hint: expect.stringContaining("NaN") as string,
      });
    });

    it("in another encoding is named; a byte-order mark and CRLF are let off", async () => {
      const path = join(folder, "e.odgt");
      const text = JSON.stringify(line) + "\r\n";
      for (const [bytes, message] of [
        [Buffer.from("\uFEFF" + text, "utf16le"), /is UTF-16/],
        [Buffer.from(text, "utf16le"), /is UTF-16/],
        [Buffer.from(text.replace("283554", "caf\u00e9"), "latin1"), /e\.odgt:1: is not UTF-8/],
        [Buffer.from([0x50, 0x4b, 3, 4, 0, 0]), /is a zip archive/],
      ] as const) {
        await writeFile(path, bytes);
        await expect(collect(readCrowdHuman(path))).rejects.toThrow(message);
      }
      await writeFile(path, "\uFEFF" + text);
      expect((await collect(readCrowdHuman(path)))[0]!.id).toBe(line.ID);
    });

    it("with a line that does not end is an error, not a crash", async () => {
      const path = join(folder, "long.odgt");
      await writeFile(path, JSON.stringify(line) + "\n" + "[".repeat(8192));
      // A gigabyte that takes no room on the disk; only the first 64 MB of it are ever read.
      const file = await open(path, "r+");
      await file.truncate(2 ** 30);
      await file.close();
      await expect(collect(readCrowdHuman(path))).rejects.toThrow(`${path}:2: the line is longer than 64 MB`);
      await expect(collect(readCrowdHuman(path, { maxLineBytes: 1000 }))).rejects.toThrow(
        "the line is longer than 1000 bytes",
      );
    });
  });

  it("streams: reads no further than it is asked to", async () => {
    const path = join(folder, "many.odgt");
    const record = (i: number) => JSON.stringify({ ...line, ID: `i${i}`, gtboxes: Array(20).fill(person) });
    await writeFile(path, Array.from({ length: 2000 }, (_, i) => record(i) + "\n").join("") + "{broken");
    let count = 0;
    for await (const sample of readCrowdHuman(path)) {
      expect(sample.id).toBe(`i${count}`);
      if (++count === 1000) break;
    }
    expect(count).toBe(1000);
  });
});

const present = sharedPresent("CrowdHuman's real line", "data/samples/crowdhuman_real_line.odgt");

describe.skipIf(!present)("the real line of CrowdHuman", () => {
  it("holds six people and a mask", async () => {
    const path = sharedPath("data/samples/crowdhuman_real_line.odgt");
    const [sample] = await collect(readCrowdHuman(path, { sizes: "4000x3000" }));
    expect(sample!.id).toBe("283554,35288000868e92d4");
    expect(sample!.objects.length).toBe(6);
    expect(sample!.ignoreLabels).toEqual(["mask"]);
    expect(sample!.ignore).toEqual([{ x1: 1387, y1: 353, x2: 1707, y2: 638 }]);
    expect(sample!.objects[0]).toMatchObject({
      box: { x1: 1330, y1: 317, x2: 1748, y2: 1655 },
      visibility: (381 * 1033) / (418 * 1338),
      id: "0",
    });
  });
});
