import { createHash } from "node:crypto";
import { cp, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { collect } from "./collect.js";
import { openDataset, parseDatasetSpec, type Dataset } from "./dataset.js";
import { datasetSpecSchema } from "./spec.js";
import { generateScene } from "./scenes/index.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dip-r1-dataset-"));
  const images = Array.from({ length: 20 }, (_, i) => ({
    id: i,
    file_name: `${i}.png`,
    width: 100,
    height: 100,
  }));
  const annotations = images.flatMap(({ id }) =>
    Array.from({ length: id % 4 }, (_, k) => ({
      id: id * 10 + k,
      image_id: id,
      category_id: k === 2 ? 2 : 1,
      bbox: [10 * k, 10, 8, 10 + 10 * k],
      vis_ratio: k === 0 ? 0.1 : 1,
    })),
  );
  const categories = [
    { id: 1, name: "person" },
    { id: 2, name: "dog" },
  ];
  await writeFile(join(folder, "t.json"), JSON.stringify({ images, annotations, categories }));
  await writeFile(join(folder, "set.yaml"), "format: coco\nannotations: t.json\nlimit: 3\n");
  await writeFile(join(folder, "scenes.yml"), "scenes:night?count=4\n");
});

const open = (spec: Parameters<typeof openDataset>[0]) => openDataset(spec, { baseDir: folder });
const ids = async (set: Dataset) => (await collect(set.samples())).map((s) => s.id);

describe("parseDatasetSpec", () => {
  it("reads the short text of scenes", () => {
    expect(
      parseDatasetSpec("scenes:plaza?count=100&seed=7&people=1-8&size=128x96&dense&crowding=0.5"),
    ).toEqual({
      format: "scenes",
      look: "plaza",
      count: 100,
      seed: 7,
      start: 0,
      people: { min: 1, max: 8 },
      width: 128,
      height: 96,
      dense: true,
      crowding: 0.5,
    });
    expect(parseDatasetSpec("scenes")).toMatchObject({
      look: "plaza",
      count: 1000,
      width: 112,
      dense: false,
    });
    expect(parseDatasetSpec("scenes:fog?people=3&dense=false")).toMatchObject({
      people: { min: 3, max: 3 },
      dense: false,
    });
  });

  it("reads the short text of files", () => {
    expect(
      parseDatasetSpec("a/b.json?limit=10&minHeight=20&minVisible=0.5&labels=person,rider&split=val@0.1"),
    ).toMatchObject({
      format: "coco",
      annotations: "a/b.json",
      limit: 10,
      where: { minHeight: 20, minVisible: 0.5, labels: ["person", "rider"] },
      split: { part: "val", val: 0.1, by: "hash" },
    });
    expect(parseDatasetSpec("s.jsonl")).toMatchObject({ format: "jsonl", annotations: "s.jsonl" });
    expect(parseDatasetSpec("mot:PETS?every=5&frames=591-&firstFile=0&estimateVisibility")).toMatchObject({
      format: "mot",
      annotations: "PETS",
      every: 5,
      frames: { from: 591 },
      firstFile: 0,
      estimateVisibility: true,
      clip: true,
    });
  });

  it.each([
    ["scenes:plaza?coutn=5", /unknown key "coutn"/],
    ["scenes:snow", /look: .*"plaza"\|"night"/],
    ["scenes:plaza?people=8-1", /people: min must not be greater than max/],
    ["scenes:plaza?people=a-b", /people must be a number or a range like 1-8, got "a-b"/],
    ["scenes:plaza?count=0", /count: /],
    ["scenes:plaza?count", /count must be given a value, got nothing/],
    ["scenes:plaza?size=112", /size must be a size like 112x112/],
    ["scenes:plaza?dense=maybe", /dense must be true or false/],
    ["coco:", /names no file/],
    ["pictures", /neither a known format nor a file of a known ending/],
    ["x.json?split=test", /split must be train or val/],
    ["mot:x?frames=5", /frames must be a range of frames/],
    [{ format: "scenes", lok: "plaza" }, /lok/],
    [{ format: "voc" }, /format/],
    [7, /dataset: /],
  ])("refuses %j and says why", (spec, message) => {
    expect(() => parseDatasetSpec(spec)).toThrow(message);
  });
});

describe("datasetSpecSchema", () => {
  it("takes what a recipe writes, and reports at the key", () => {
    const recipe = z.strictObject({ train: datasetSpecSchema });
    expect(recipe.parse({ train: "scenes:fog?count=3" }).train).toMatchObject({ look: "fog", count: 3 });
    expect(recipe.parse({ train: { format: "jsonl", annotations: "a.jsonl" } }).train.format).toBe("jsonl");
    const text = recipe.safeParse({ train: "scenes:fog?cuont=3" });
    expect(text.error!.issues[0]!.path).toEqual(["train"]);
    expect(text.error!.issues[0]!.message).toMatch(/unknown key "cuont".*Choose of name, look/);
    const object = recipe.safeParse({ train: { format: "scenes", count: 0 } });
    expect(object.error!.issues[0]!.path).toEqual(["train", "count"]);
  });
});

describe("openDataset of scenes", () => {
  it("gives the scenes of the generator, again and again, by index too", async () => {
    const set = await open("scenes:plaza?count=5&seed=3&size=96x96");
    expect(set).toMatchObject({ name: "plaza", length: 5, files: [] });
    const scene = generateScene({ look: "plaza", seed: 3, index: 2, width: 96, height: 96 });
    expect(await set.at(2)).toEqual(scene);
    expect((await collect(set.samples()))[2]).toEqual(scene);
    expect(await ids(set)).toEqual(await ids(set));
    await expect(set.at(5)).rejects.toThrow(RangeError);
    const later = await open("scenes:plaza?count=2&seed=3&size=96x96&start=2");
    expect(await later.at(0)).toEqual(scene);
  });

  it("mixes sizes by index", async () => {
    const set = await open({
      format: "scenes",
      count: 40,
      sizes: [
        [96, 96],
        [128, 112],
      ],
    });
    const sizes = (await collect(set.samples())).map((s) => `${s.width}x${s.height}`);
    expect(new Set(sizes)).toEqual(new Set(["96x96", "128x112"]));
    expect((await set.at(7)).width).toBe(Number(sizes[7]!.split("x")[0]));
  });

  it("has a fingerprint of everything that changes the scenes, and of nothing else", async () => {
    const print = async (text: string) => (await open(text)).fingerprint;
    const base = await print("scenes:plaza?count=5");
    expect(base).toMatch(/^[0-9a-f]{64}$/);
    // A default written out is the same data; so is another name for it.
    expect(await print("scenes:plaza?count=5&seed=0&people=1-8&name=mine")).toBe(base);
    const others = await Promise.all(
      ["seed=1", "size=96x96", "people=1-7", "crowding=0.9", "dense", "start=1", "groups=0"].map((q) =>
        print(`scenes:plaza?count=5&${q}`),
      ),
    );
    others.push(await print("scenes:night?count=5"), await print("scenes:plaza?count=6"));
    expect(new Set([base, ...others]).size).toBe(others.length + 1);
  });
});

describe("openDataset of files", () => {
  it("opens a path, a spec and a YAML file that holds one", async () => {
    const set = await open("t.json");
    expect(set.length).toBe(20);
    expect(set.name).toMatch(/\/t$/);
    const sha256 = createHash("sha256")
      .update(await readFile(join(folder, "t.json")))
      .digest("hex");
    expect(set.files).toEqual([{ path: join(folder, "t.json"), sha256 }]);
    expect((await open({ format: "coco", annotations: "t.json", name: "mine" })).name).toBe("mine");
    expect(await ids(await openDataset(join(folder, "set.yaml")))).toEqual(["0", "1", "2"]);
    expect((await openDataset(join(folder, "scenes.yml"))).spec).toMatchObject({ look: "night", count: 4 });
  });

  it("filters: small and hidden objects become ignore regions, other labels go, thin images go", async () => {
    const three = await (await open("t.json")).at(3);
    expect(three.objects.length).toBe(3);
    const set = await open({ format: "coco", annotations: "t.json", where: { minVisible: 0.5 } });
    expect(await set.at(3)).toMatchObject({
      objects: [{ label: "person" }, { label: "dog" }],
      ignore: [three.objects[0]!.box],
    });
    const tall = await open({ format: "coco", annotations: "t.json", where: { minHeight: 15 } });
    expect((await tall.at(3)).ignore.length).toBe(1);
    const dogs = await open({
      format: "coco",
      annotations: "t.json",
      where: { labels: ["dog"], minObjects: 1 },
    });
    expect(await ids(dogs)).toEqual(["3", "7", "11", "15", "19"]);
    expect((await dogs.at(0)).ignore).toEqual([]);
  });

  it("splits into parts that share nothing and miss nothing", async () => {
    const parts = await Promise.all(
      ["train", "val"].map(async (p) => ids(await open(`t.json?split=${p}@0.3`))),
    );
    expect(parts[0]!.length).toBeGreaterThan(parts[1]!.length);
    expect([...parts[0]!, ...parts[1]!].toSorted()).toEqual((await ids(await open("t.json"))).toSorted());
    const ordered = await open({
      format: "coco",
      annotations: "t.json",
      split: { part: "val", val: 0.25, by: "order" },
    });
    expect(await ids(ordered)).toEqual(["15", "16", "17", "18", "19"]);
  });

  it("has a fingerprint of content and selection, not of place", async () => {
    const base = await open("t.json");
    await cp(join(folder, "t.json"), join(folder, "copy.json"));
    expect((await open("copy.json")).fingerprint).toBe(base.fingerprint);
    expect((await open("t.json?limit=5")).fingerprint).not.toBe(base.fingerprint);
    await writeFile(join(folder, "copy.json"), (await readFile(join(folder, "t.json"), "utf8")) + " ");
    expect((await open("copy.json")).fingerprint).not.toBe(base.fingerprint);
  });

  it("says what is missing or left empty", async () => {
    await expect(open("none.json")).rejects.toThrow(/none\.json: no such file/);
    await expect(open("t.json?minObjects=9")).rejects.toThrow(/no image is left/);
    await expect(open("none.yaml")).rejects.toThrow(/none\.yaml: no such file/);
  });
});
