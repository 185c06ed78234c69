import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { memoryDataset } from "../../test/support/memory-dataset.js";
import { InputError } from "../base/index.js";
import { box } from "../geometry/index.js";
import { parseResponse } from "../response/index.js";
import { convertDataset, type ConvertOptions } from "./convert.js";
import { openDataset } from "./dataset.js";
import { renameLabels } from "./rename-labels.js";
import type { Sample } from "./sample.js";

const scratch = () => mkdtempSync(join(tmpdir(), "dip-convert-"));
const person: Sample = {
  id: "a",
  image: { kind: "file", path: "/pictures/a.jpg" },
  width: 100,
  height: 50,
  objects: [
    {
      box: box<"image">(-10, 0, 20, 40),
      label: "person",
      head: box<"image">(0, 0, 5, 5),
      visibility: 0.5,
      attributes: { mood: "good" },
    },
    { box: box<"image">(30.5, 10, 40, 50), label: "dog", id: "7" },
  ],
  ignore: [box<"image">(60, 0, 100, 50)],
  ignoreLabels: ["crowd"],
};
const scene = () => openDataset("scenes:plaza?count=2");
/** The losses as text: `dropped 1 head boxes`. */
async function lossesOf(options: Pick<ConvertOptions, "format" | "chat" | "year">, sample = person) {
  const out = join(scratch(), "out");
  const { losses } = await convertDataset(memoryDataset([sample]), { out, ...options });
  return losses.map(({ kind, what, count }) => `${kind} ${count} ${what}`);
}
const lines = (path: string) =>
  readFileSync(path, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>);

describe("what a form cannot hold", () => {
  it("is nothing in our own form and in COCO", async () => {
    expect(await lossesOf({ format: "jsonl" })).toEqual([]);
    expect(await lossesOf({ format: "coco" })).toEqual([]);
  });

  it("is counted by name for CrowdHuman and CityPersons", async () => {
    expect(await lossesOf({ format: "crowdhuman" })).toEqual([
      "dropped 1 visible shares",
      'dropped 1 attributes "mood"',
      'dropped 1 objects labelled "dog" (this form holds people only)',
    ]);
    expect(await lossesOf({ format: "citypersons" })).toEqual([
      "dropped 1 head boxes",
      'dropped 1 attributes "mood"',
      "dropped 1 ids of objects",
      "dropped 1 words for what ignore regions are",
      'dropped 1 objects labelled "dog" (this form holds people only)',
      "added 1 visible boxes that are not known (the full box)",
    ]);
  });

  it("is counted by name for CityPersons' MATLAB file", async () => {
    const out = join(scratch(), "anno_val.mat");
    const { losses } = await convertDataset(memoryDataset([person]), { format: "citypersons", out });
    expect(losses.map(({ kind, what, count }) => `${kind} ${count} ${what}`)).toEqual([
      "dropped 1 head boxes",
      "dropped 1 visible shares",
      'dropped 1 attributes "mood"',
      "dropped 1 sizes of images that are not Cityscapes' (give them by `sizes` to read this)",
      'dropped 1 objects labelled "dog" (no such category in this form)',
      "changed 1 ids of images (the name of the picture in this form)",
      'changed 1 words for what ignore regions are ("crowd" to "ignore region")',
      'added 1 categories of objects labelled "person" ("pedestrian")',
      "added 1 visible boxes that are not known (the full box)",
    ]);
    const twice = [person, { ...person, id: "b", image: { kind: "file", path: "/other/a.jpg" } as const }];
    await expect(
      convertDataset(memoryDataset(twice), { format: "citypersons", out: join(scratch(), "twice.mat") }),
    ).rejects.toThrow(/both have a picture named a.jpg/);
  });

  it("is counted for the chat forms, with what clipping and rounding change", async () => {
    const absolute = await lossesOf({ format: "vlm-r1" });
    expect(absolute).toContain("dropped 1 head boxes");
    expect(absolute).toContain("changed 1 boxes cut at the picture's edge");
    expect(absolute).toContain("changed 2 boxes rounded to whole pixels");
    expect(absolute).toContain(
      "changed 1 ignore regions put where VLM-R1's own rewards do not look (column `ignore`)",
    );
    const image = await lossesOf({ format: "trl", chat: { frame: "image", labels: ["person"] } });
    expect(image).toContain('dropped 1 objects labelled "dog", which are not asked for');
    expect(image.join()).not.toContain("rounded");
  });
});

describe("the chat forms", () => {
  const convertTo = async (
    format: "trl" | "ms-swift" | "vlm-r1",
    chat: NonNullable<ConvertOptions["chat"]> = {},
  ) => {
    const out = join(scratch(), "out.jsonl");
    await convertDataset(memoryDataset([person]), { format, out, absolutePaths: true, chat });
    return lines(out)[0]!;
  };

  it("have boxes in the frame that is asked for", async () => {
    // 100 x 50 is shown as 112 x 56.
    const solution = (line: Record<string, unknown>) => JSON.parse(line["solution"] as string) as unknown;
    expect(await convertTo("trl").then(solution)).toEqual([
      { bbox_2d: [0, 0, 22, 45], label: "person" },
      { bbox_2d: [34, 11, 45, 56], label: "dog" },
    ]);
    expect(await convertTo("trl", { frame: "norm1000", labels: ["dog"] }).then(solution)).toEqual([
      { bbox_2d: [305, 200, 400, 1000], label: "dog" },
    ]);
    expect(await convertTo("trl", { frame: "image", clip: false }).then(solution)).toMatchObject([
      { bbox_2d: [-10, 0, 20, 40] },
      { bbox_2d: [30.5, 10, 40, 50] },
    ]);
    const resize = { patchSize: 14, mergeSize: 2, minPixels: 100 * 100, maxPixels: 200 * 200 };
    expect(await convertTo("trl", { resize })).toMatchObject({ model_width: 168, model_height: 84 });
  });

  it("are what each trainer reads", async () => {
    const chat = { promptText: "Find them.", response: true } as const;
    const columns = { id: "a", width: 100, height: 50, frame: "absolute", ignore: "[[67,0,112,56]]" };
    const trl = await convertTo("trl", chat);
    expect(trl).toMatchObject({
      prompt: [{ role: "user", content: "Find them." }],
      image: "/pictures/a.jpg",
      ...columns,
    });
    const swift = await convertTo("ms-swift", chat);
    expect(swift).toMatchObject({
      messages: [{ role: "user", content: "<image>Find them." }, { role: "assistant" }],
      images: ["/pictures/a.jpg"],
      ...columns,
    });
    expect(swift).not.toHaveProperty("objects");
    const answer = (swift["messages"] as { content: string }[])[1]!.content;
    expect(parseResponse(answer, { width: 112, height: 56 })).toMatchObject({
      grade: "strict",
      answer: { boxes: [{ box: { x1: 0, y1: 0, x2: 22, y2: 45 } }, { box: { x1: 34 } }] },
    });
    expect((trl["completion"] as { content: string }[])[0]!.content).toBe(answer);
    const vlm = await convertTo("vlm-r1", { promptText: "Find them." });
    expect(vlm).toMatchObject({
      image: "/pictures/a.jpg",
      conversations: [
        { from: "human", value: "<image>Find them." },
        {
          from: "gpt",
          value:
            '```json\n[{"bbox_2d":[0,0,22,45],"label":"person"},{"bbox_2d":[34,11,45,56],"label":"dog"}]\n```',
        },
      ],
      ...columns,
    });
  });

  it("leave the scaling to ms-swift in the frame image", async () => {
    const line = await convertTo("ms-swift", { frame: "image", response: true, labels: ["person"] });
    const answer = (line["messages"] as { content: string }[])[1]!.content;
    const { bbox, bbox_type } = line["objects"] as { bbox: number[][]; bbox_type: string };
    expect(answer.split("<bbox>")).toHaveLength(bbox.length + 1);
    expect(bbox.at(-1)).toEqual([0, 0, 20, 40]);
    expect(bbox_type).toBe("real");
  });
});

describe("what is written", () => {
  it("refers to pictures relative to itself, or absolutely", async () => {
    const folder = scratch();
    const dataset = memoryDataset([
      { ...person, image: { kind: "file", path: join(folder, "pictures", "a.jpg") } },
    ]);
    const at = async (out: string, options: Partial<ConvertOptions> = {}) => {
      await convertDataset(dataset, { format: "jsonl", out: join(folder, out), ...options });
      return lines(join(folder, out))[0]!["image"];
    };
    expect(await at("one.jsonl")).toBe("pictures/a.jpg");
    expect(await at("deep/er/two.jsonl")).toBe("../../pictures/a.jpg");
    expect(await at("three.jsonl", { absolutePaths: true })).toBe(join(folder, "pictures", "a.jpg"));
  });

  it("is a folder with the pictures where they are copied", async () => {
    const out = join(scratch(), "set");
    const dataset = await scene();
    for (const format of ["coco", "crowdhuman", "visdrone", "mot", "trl"] as const) {
      await convertDataset(dataset, { format, out: out + format, copyImages: true });
      expect(readdirSync(out + format)).toContain("dataset.json");
    }
    const back = await openDataset({
      format: "crowdhuman",
      annotations: join(out + "crowdhuman", "annotation.odgt"),
    });
    expect(back.length).toBe(2);
    expect(back.problems.noted).toEqual({});
    expect(existsSync(join(out + "mot", "img1", "000002.png"))).toBe(true);
  });

  it("is renamed first where labels are to be others", async () => {
    const out = join(scratch(), "out.jsonl");
    const dataset = renameLabels(memoryDataset([person]), new Map([["dog", "person"]]));
    await convertDataset(dataset, { format: "jsonl", out });
    expect(lines(out)[0]!["objects"]).toMatchObject([{ label: "person" }, { label: "person" }]);
    expect(dataset.fingerprint).not.toBe(memoryDataset([person]).fingerprint);
    expect((await dataset.at(0)).objects[1]!.label).toBe("person");
  });
});

describe("what must not happen", () => {
  const fails = async (options: ConvertOptions, dataset = memoryDataset([person])) => {
    const error = await convertDataset(dataset, options).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(InputError);
    return (error as InputError).message;
  };

  it("replaces nothing without force, and never a folder that is not its own", async () => {
    const folder = scratch();
    const out = join(folder, "out.jsonl");
    writeFileSync(out, "precious");
    expect(await fails({ format: "jsonl", out })).toMatch(/is there already/);
    expect(readFileSync(out, "utf8")).toBe("precious");
    await convertDataset(memoryDataset([person]), { format: "jsonl", out, force: true });
    expect(lines(out)).toHaveLength(1);
    expect(await fails({ format: "visdrone", out, force: true })).toMatch(/is a file/);
    const mine = join(folder, "mine");
    mkdirSync(mine);
    writeFileSync(join(mine, "thesis.tex"), "years");
    expect(await fails({ format: "visdrone", out: mine, force: true })).toMatch(/not replaced/);
    expect(await fails({ format: "jsonl", out: mine, force: true })).toMatch(/is a folder/);
    const own = join(folder, "own");
    await convertDataset(memoryDataset([person]), { format: "visdrone", out: own });
    await convertDataset(memoryDataset([person]), { format: "visdrone", out: own, force: true });
    expect(readdirSync(folder).filter((name) => name.startsWith("."))).toEqual([]);
  });

  it.each(["jsonl", "coco", "citypersons", "visdrone", "mot", "trl"] as const)(
    "leaves nothing of %s behind when it breaks off",
    async (format) => {
      const folder = scratch();
      const broken = {
        ...memoryDataset([person, { ...person, id: "b" }]),
        async *samples() {
          yield person;
          await Promise.resolve();
          throw new InputError("the disk is gone");
        },
      };
      expect(await fails({ format, out: join(folder, "out") }, broken)).toBe("the disk is gone");
      expect(readdirSync(folder)).toEqual([]);
    },
  );

  it("says where it cannot write", async () => {
    const folder = scratch();
    writeFileSync(join(folder, "file"), "");
    expect(await fails({ format: "jsonl", out: join(folder, "file", "out.jsonl") })).toMatch(
      /cannot be written/,
    );
    expect(await fails({ format: "mot", out: join(folder, "file", "out"), copyImages: true })).toMatch(
      /cannot be written|no such image file/,
    );
  });

  it("says what is wrong with pictures", async () => {
    const folder = scratch();
    expect(await fails({ format: "jsonl", out: join(folder, "a") }, await scene())).toMatch(
      /no picture file/,
    );
    expect(await fails({ format: "coco", out: join(folder, "a"), copyImages: true })).toMatch(
      /a\.jpg: no such image file/,
    );
    const twice = [person, { ...person, id: "b", image: { kind: "file", path: "/other/a.jpg" } as const }];
    expect(await fails({ format: "crowdhuman", out: join(folder, "a") }, memoryDataset(twice))).toMatch(
      /both have a picture named a/,
    );
    expect(await fails({ format: "mot", out: join(folder, "a") })).toMatch(/is not frame 1/);
    const vehicles = memoryDataset([{ ...person, objects: [{ ...person.objects[0]!, label: "car" }] }]);
    expect(await fails({ format: "uavdt", out: join(folder, "a") }, vehicles)).toMatch(/img000001/);
    const spaced = memoryDataset([{ ...person, image: { kind: "file", path: "/my pictures/a 1.jpg" } }]);
    expect(await fails({ format: "widerpedestrian", out: join(folder, "a") }, spaced)).toMatch(/space/);
    expect(await fails({ format: "yolo" as "coco", out: join(folder, "a") })).toMatch(/no form named "yolo"/);
    expect(readdirSync(folder)).toEqual([]);
  });
});
