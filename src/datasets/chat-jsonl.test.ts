import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { InputError } from "../base/index.js";
import { readChatJsonl, type ChatFormat, type ChatJsonlOptions } from "./chat-jsonl.js";
import { collect } from "./collect.js";
import { openDataset } from "./dataset.js";
import { Problems } from "./problems.js";

const folder = mkdtempSync(join(tmpdir(), "dip-chat-"));
let next = 0;

async function read(format: ChatFormat, values: readonly unknown[], options: ChatJsonlOptions = {}) {
  const path = join(folder, `${next++}.jsonl`);
  writeFileSync(path, values.map((value) => JSON.stringify(value) + "\n").join(""));
  return collect(readChatJsonl(path, format, { sizes: "200x100", ...options }));
}
async function failure(format: ChatFormat, value: unknown, options: ChatJsonlOptions = {}) {
  const error = await read(format, [value], options).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(InputError);
  return `${(error as InputError).message} ${(error as InputError).hint ?? ""}`;
}
const vlm = (answer: unknown, more: object = {}) => ({
  image: "p/a.jpg",
  conversations: [
    { from: "human", value: "<image>Where?" },
    { from: "gpt", value: answer },
  ],
  ...more,
});
const boxesOf = async (answer: unknown, options: ChatJsonlOptions = {}) =>
  (await read("vlm-r1", [vlm(answer)], options))[0]!.objects.map(({ box, label }) => [
    ...Object.values(box),
    label,
  ]);

describe("readChatJsonl", () => {
  it("reads ground truth however VLM-R1's users write it", async () => {
    const list = '[{"bbox_2d": [1, 2, 30, 40], "label": "cat"}]';
    const cat = [[1, 2, 30, 40, "cat"]];
    expect(await boxesOf("```json\n" + list + "\n```")).toEqual(cat);
    expect(await boxesOf("<answer> ```json\n" + list + "\n``` </answer>")).toEqual(cat);
    expect(await boxesOf(list)).toEqual(cat);
    expect(await boxesOf("[1, 2, 30, 40]")).toEqual([[1, 2, 30, 40, "person"]]);
    expect(await boxesOf([1, 2, 30, 40], { label: "cat" })).toEqual(cat);
    expect(await boxesOf("[[1,2,30,40],[5,5,9,9]]")).toHaveLength(2);
    for (const nothing of ["None", "", "```json\n[]\n```"]) expect(await boxesOf(nothing)).toEqual([]);
  });

  it("takes the frame from the line, else from the spec", async () => {
    expect(await boxesOf("[100,200,300,400]", { frame: "norm1000" })).toEqual([[20, 20, 60, 40, "person"]]);
    // 200 x 100 is shown as 196 x 112.
    expect(await boxesOf("[49,28,98,56]", { frame: "absolute" })).toEqual([[50, 25, 100, 50, "person"]]);
    const line = vlm("[14,28,28,56]", {
      frame: "absolute",
      model_width: 28,
      model_height: 112,
      ignore: "[[0,0,28,112]]",
    });
    const [sample] = await read("vlm-r1", [line]);
    expect(sample).toMatchObject({
      id: "line-1",
      objects: [{ box: { x1: 100, y1: 25, x2: 200, y2: 50 } }],
      ignore: [{ x1: 0, y1: 0, x2: 200, y2: 100 }],
      image: { path: join(folder, "p/a.jpg") },
    });
  });

  it("reads ms-swift's grounding, and TRL's columns", async () => {
    const swift = {
      messages: [
        { role: "user", content: "<image>Find the <ref-object>" },
        { role: "assistant", content: "<bbox><bbox>" },
      ],
      images: ["a.jpg"],
    };
    const bbox = [
      [10, 20, 30, 40],
      [50, 60, 70, 80],
    ];
    const objects = async (value: object) =>
      (await read("ms-swift", [{ ...swift, objects: value }]))[0]!.objects;
    expect(await objects({ ref: ["sheep"], bbox })).toMatchObject([{ label: "sheep" }, { label: "sheep" }]);
    expect(await objects({ ref: ["a", "b"], bbox })).toMatchObject([{ label: "a" }, { label: "b" }]);
    expect(await objects({ ref: [], bbox: [[0.1, 0.2, 0.5, 0.6]], bbox_type: "norm1" })).toMatchObject([
      { box: { x1: 20, y1: 20, x2: 100, y2: 60 }, label: "person" },
    ]);
    const prompt = [{ role: "user", content: "Where?" }];
    const [a, b] = await read("trl", [
      { prompt, image: { path: "a.jpg", bytes: null }, solution: [{ bbox_2d: [1, 2, 3, 4], label: "x" }] },
      {
        id: 5,
        prompt,
        images: ["b.jpg"],
        completion: [{ role: "assistant", content: [{ type: "text", text: "[[1,2,3,4]]" }] }],
      },
    ]);
    expect([a!.objects[0]!.label, b!.objects[0]!.label, b!.id]).toEqual(["x", "person", "5"]);
  });

  it("names line and field of what is wrong", async () => {
    expect(await failure("trl", vlm("[]"))).toMatch(/:1: prompt is missing.*vlm-r1:FILE/);
    expect(await failure("vlm-r1", vlm("a cat"))).toMatch(
      /conversations\[1\]\.value holds no boxes.*not JSON/,
    );
    expect(await failure("vlm-r1", vlm('[{"box": [1,2,3,4]}]'))).toMatch(/\[0\] must be a box/);
    expect(await failure("vlm-r1", vlm("[[1,2,3]]"))).toMatch(/four finite numbers/);
    expect(await failure("vlm-r1", vlm("[30,2,3,40]"))).toMatch(/no area/);
    expect(await failure("vlm-r1", vlm("[300,2,310,40]"))).toMatch(/outside the image/);
    expect(await failure("vlm-r1", vlm("[]", { image: ["a.jpg", "b.jpg"] }))).toMatch(/one picture, got 2/);
    expect(await failure("vlm-r1", vlm("[]", { image: "https://x.org/a.jpg" }))).toMatch(/must be a path/);
    expect(await failure("vlm-r1", vlm("[]", { frame: "pixels" }))).toMatch(/frame must be one of absolute/);
    expect(await failure("trl", { prompt: "x", image: "a.jpg" })).toMatch(/solution is missing/);
    expect(await failure("ms-swift", { messages: [], images: ["a.jpg"], objects: { bbox: 3 } })).toMatch(
      /objects\.bbox/,
    );
    expect(await failure("vlm-r1", vlm("[0,0,1,1]"), { sizes: undefined })).toMatch(
      /not known|no such image/,
    );
  });

  it("goes on past bad lines with a count", async () => {
    const problems = new Problems("skip");
    const lines = [
      vlm("[1,2,3,4]", { id: 1 }),
      vlm("nonsense"),
      vlm("[1,2,3,4]", { id: 1 }),
      vlm("[[1,2,3,4],[9,9,1,1]]"),
    ];
    const samples = await read("vlm-r1", lines, { problems });
    expect(samples.map(({ id, objects }) => [id, objects.length])).toEqual([
      ["1", 1],
      ["line-4", 1],
    ]);
    expect(problems.report()).toMatchObject({
      leftOut: 3,
      kinds: { field: 1, "duplicate-id": 1, "empty-box": 1 },
    });
  });

  it("suspects boxes that are x, y, width, height", async () => {
    const wide = Array.from({ length: 8 }, (_, i) => [100 + i, 10 + i, 60, 70]);
    expect(await failure("vlm-r1", vlm(JSON.stringify(wide)))).toMatch(/boxes=xywh/);
    expect(await boxesOf(JSON.stringify(wide), { boxes: "xywh" })).toHaveLength(8);
  });

  it("is a format of specs", async () => {
    const path = join(folder, "spec.jsonl");
    writeFileSync(path, JSON.stringify(vlm("[100,200,300,400]")) + "\n");
    const dataset = await openDataset(`vlm-r1:${path}?frame=norm1000&sizes=200x100&checkImages=none`);
    expect((await dataset.at(0)).objects[0]!.box).toEqual({ x1: 20, y1: 20, x2: 60, y2: 40 });
    await expect(openDataset(`trl:${path}?sizes=200x100`)).rejects.toThrow(/prompt is missing/);
  });
});
