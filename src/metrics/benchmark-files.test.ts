import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { encodeCityPersons } from "../../test/support/citypersons-mat.js";
import { sharedPath, sharedPresent } from "../../test/support/shared-data.js";
import { openDataset } from "../datasets/index.js";
import { openBenchmark, type Benchmark } from "./benchmark-files.js";
import { benchmarkNumbers } from "./benchmark-numbers.js";
import type { BenchmarkImage } from "./benchmark-truth.js";
import type { Xywh } from "./file-values.js";

const scratch = () => mkdtempSync(join(tmpdir(), "dip-benchmark-files-"));
const golden = (path: string) =>
  fileURLToPath(new URL(`../../test/fixtures/metrics/${path}`, import.meta.url));

async function open(spec: string, labels: readonly string[] = ["person"]): Promise<Benchmark> {
  const found = await openBenchmark(await openDataset(spec), { labels });
  if (!("truthOf" in found)) throw new Error(found.reason ?? "no benchmark");
  return found;
}
const reasonOf = async (spec: string, labels: readonly string[] = ["person"]) => {
  const found = await openBenchmark(await openDataset(spec), { labels });
  return found.name === undefined ? found.reason : undefined;
};

describe("openBenchmark", () => {
  it("has CrowdHuman's people beside the picture, whom the evaluator counts and the samples leave out", async () => {
    const path = golden("crowdhuman/gt.odgt");
    const dataset = await openDataset(`crowdhuman:${path}?checkImages=none`);
    const benchmark = await open(`crowdhuman:${path}?checkImages=none`);
    expect(benchmark.images).toBe(40);
    let [counted, people] = [0, 0];
    for await (const { id, objects } of dataset.samples()) {
      const truth = benchmark.truthOf(id);
      people += objects.length;
      if (truth?.benchmark === "crowdhuman") counted += truth.ignore.filter((flag) => flag === 0).length;
    }
    expect([counted, people]).toEqual([826, 826 - 22]);
    const heads = await open(`crowdhuman:${path}?checkImages=none&box=head&onError=skip`, ["head"]);
    expect(heads.truthOf("000000,synthetic")).toMatchObject({
      part: "head",
      labels: ["head"],
      boxes: expect.arrayContaining([[424, 160, 6, 8]]),
    });
  });

  it("reads CityPersons' .mat as the evaluation file that was made from it", async () => {
    const folder = scratch();
    const name = "frankfurt_000000_000294_leftImg8bit.png";
    const rows = [
      [1, 947, 406, 17, 40, 24000, 950, 407, 14, 39],
      [2, 100, 200, 20, 50, 25000, 100, 200, 20, 50],
      [1, 1157, 375, 41, 99, 24001, 1158, 375, 40, 99],
      [5, 500, 300, 60, 30, 0, 500, 300, 60, 30],
    ] as const;
    const other = "lindau_000000_000019_leftImg8bit.png";
    const mat = join(folder, "anno_val.mat");
    const images = [
      { city: "frankfurt", name, rows },
      { city: "lindau", name: other, rows: [] },
    ];
    writeFileSync(mat, encodeCityPersons("anno_val_aligned", images, { compressed: true }));
    const annotations = rows.map(([category, x, y, w, h, , vx, vy, vw, vh], i) => ({
      id: i + 1,
      image_id: 1,
      category_id: 1,
      iscrowd: 0,
      ignore: category === 1 ? 0 : 1,
      bbox: [x, y, w, h],
      vis_bbox: [vx, vy, vw, vh],
      height: h,
      vis_ratio: (vw * vh) / (w * h),
    }));
    const json = join(folder, "val_gt.json");
    const listed = [name, other].map((im_name, i) => ({ id: i + 1, im_name, width: 2048, height: 1024 }));
    writeFileSync(json, JSON.stringify({ images: listed, annotations, categories: [] }));
    const fromMat = await open(`citypersons:${mat}?checkImages=none`);
    const fromJson = await open(`citypersons:${json}?checkImages=none`);
    for (const [i, id] of [name, other].entries()) {
      const [a, b] = [fromMat.truthOf(id), fromJson.truthOf(String(i + 1))];
      if (a?.benchmark !== "citypersons" || b?.benchmark !== "citypersons") throw new Error("other truths");
      expect(a).toMatchObject({ imageId: i + 1, place: b.place, labels: b.labels });
      // Ignored ones stand last; their order means nothing.
      const lines = (truth: typeof a) =>
        truth.boxes
          .map((box, k) => [...box, truth.ignore[k], truth.heights[k], truth.visibility[k]].join())
          .sort();
      expect(lines(a)).toEqual(lines(b));
    }
  });

  it("keeps UAVDT's order of frames, and has frames without boxes", async () => {
    const benchmark = await open(`uavdt:${golden("uavdt/GT")}?checkImages=none&sizes=1024x540`, ["vehicle"]);
    const [a, b] = ["M0203-000002", "M0209-000001"].map((id) => benchmark.truthOf(id)!);
    expect(a!.place).toBeLessThan(b!.place);
    expect(benchmark.truthOf("M0203-009999")).toMatchObject({ boxes: [], ignored: [] });
    expect(benchmark.truthOf("M9999-000001")).toBeUndefined();
    expect(benchmark.notes).toEqual(["no file of ignored areas: M0209"]);
  });

  it("takes COCO's areas, crowds and forgotten ignore flags, of the categories asked for", async () => {
    const folder = scratch();
    const box = [10, 10, 30, 40];
    const one = { image_id: 7, category_id: 3, bbox: box, area: 555 };
    const path = join(folder, "gt.json");
    const file = {
      images: [
        { id: 9, width: 100, height: 100, file_name: "b.jpg" },
        { id: 7, width: 100, height: 100, file_name: "a.jpg" },
      ],
      categories: [
        { id: 3, name: "person" },
        { id: 8, name: "dog" },
      ],
      annotations: [
        { ...one, id: 1 },
        { ...one, id: 2, ignore: 1 },
        { ...one, id: 3, iscrowd: 1 },
        { ...one, id: 4, category_id: 8 },
      ],
    };
    writeFileSync(path, JSON.stringify(file));
    const benchmark = await open(`coco:${path}?checkImages=none`, ["person"]);
    expect(benchmark.truthOf("7")).toEqual({
      benchmark: "coco",
      place: 0,
      imageId: 7,
      labels: ["person"],
      boxes: [box, box, box],
      categories: ["person", "person", "person"],
      areas: [555, 555, 555],
      crowd: [0, 0, 1],
    });
    expect(benchmark.truthOf("9")).toMatchObject({ place: 1, boxes: [] });
    expect(benchmark.notes).toEqual(["means are over the 1 categories asked for, of 2"]);
    expect(benchmark.categoryIds?.get("dog")).toBe(8);
  });

  it("says that `where` does not apply, and gives a reason where there is no such number", async () => {
    const path = golden("crowdhuman/gt.odgt");
    const { notes, truthOf } = await open(`crowdhuman:${path}?checkImages=none&minHeight=60`);
    expect(notes.join()).toContain("`where` moves none of them");
    expect(truthOf("000000,synthetic")).toEqual(
      (await open(`crowdhuman:${path}?checkImages=none`)).truthOf("000000,synthetic"),
    );
    expect(await reasonOf(`crowdhuman:${path}?checkImages=none`, ["car"])).toContain("asked for car");
    expect(await reasonOf(`crowdhuman:${path}?checkImages=none&boxes=xyxy&onError=skip`)).toContain(
      "boxes=xyxy",
    );
    expect(await reasonOf("scenes:plaza?count=1")).toBeUndefined();
    const tracks = join(scratch(), "M0101_gt.txt");
    writeFileSync(tracks, "1,1,718,111,45,124,1,1,-1\n");
    expect(await reasonOf(`uavdt:${tracks}?checkImages=none&sizes=1024x540`, ["vehicle"])).toContain(
      "the toolkit reads _gt_whole.txt",
    );
  });
});

const city = (name: string) => `metrics/citypersons/${name}`;
const here = sharedPresent("CityPersons' goldens for records", city("val_gt_60.json"));

it.skipIf(!here)("CityPersons' numbers of records are the official evaluator's", async () => {
  const benchmark = await open(`citypersons:${sharedPath(city("val_gt_60.json"))}?checkImages=none`);
  const found = JSON.parse(readFileSync(sharedPath(city("det_good_60.json")), "utf8")) as {
    image_id: number;
    bbox: Xywh;
    score: number;
  }[];
  const images = Array.from({ length: benchmark.images }, (_, i): BenchmarkImage => ({
    truth: benchmark.truthOf(String(i + 1))!,
    width: 2048,
    height: 1024,
    detections: found
      .filter(({ image_id: id }) => id === i + 1)
      .map(({ bbox, score }) => ({ box: bbox, score })),
  }));
  const { setups } = JSON.parse(
    readFileSync(sharedPath(city("result_official_det_good_60.json")), "utf8"),
  ) as { setups: Record<string, { MR: number }> };
  // The order of the records does not matter: each knows its place.
  const report = benchmarkNumbers(images.toReversed())!;
  expect(Object.values(report.numbers)).toHaveLength(4);
  Object.values(setups).forEach(({ MR }, i) =>
    expect(Math.abs(Object.values(report.numbers)[i]! - MR)).toBeLessThan(1e-9),
  );
});
