import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { fingerprintFile, silentLogger } from "../base/index.js";
import { runCli } from "./program.js";

const fixture = (path: string) =>
  fileURLToPath(new URL(`../../test/fixtures/metrics/${path}`, import.meta.url));
const golden = (path: string) => JSON.parse(readFileSync(fixture(path), "utf8")) as Record<string, unknown>;
const scratch = () => mkdtempSync(join(tmpdir(), "dip-eval-"));

async function dip(...args: string[]) {
  const lines: string[] = [];
  const warnings: string[] = [];
  const code = await runCli(["eval-detections", ...args], {
    logger: { ...silentLogger, warn: (text) => warnings.push(text) },
    print: (line) => {
      lines.push(line);
      return Promise.resolve();
    },
  });
  return { code, text: lines.join("\n"), warnings };
}

interface Result {
  metric: string;
  numbers: Record<string, number | null>;
  bounds: Record<string, { low: number; high: number }>;
  counts: Record<string, number>;
  options: Record<string, unknown>;
  notes: string[];
  files: Record<string, { path: string; sha256: string }>;
  versions: { dipR1: { version: string; sha256: string }; node: string };
}

async function json(...args: string[]): Promise<Result> {
  const { code, text } = await dip(...args, "--json");
  expect(code).toBe(0);
  return JSON.parse(text) as Result;
}

const coco = [
  "--metric",
  "coco",
  "--gt",
  fixture("coco/small_gt.json"),
  "--dt",
  fixture("coco/small_dt.json"),
];
const crowdhuman = [
  "--metric",
  "crowdhuman",
  "--gt",
  fixture("crowdhuman/gt.odgt"),
  "--dt",
  fixture("crowdhuman/dt.odgt"),
];

describe("dip-r1 eval-detections", () => {
  it("has COCO's numbers under their names, at 500 detections too, with what they were made of", async () => {
    const result = await json(...coco);
    const { stats } = golden("coco/result_small_pycocotools.json") as { stats: Record<string, number> };
    const crowd = golden("coco/result_small_pycocotools_max500.json") as Record<string, number>;
    const expected: Record<string, number> = {
      ...stats,
      AP_maxDets500: crowd["AP_all"]!,
      AP50_maxDets500: crowd["AP50_all"]!,
      AR_maxDets500: crowd["AR_all"]!,
    };
    for (const [name, value] of Object.entries(expected)) expect(result.numbers[name]).toBeCloseTo(value, 9);
    expect(result.bounds["AP"]!.low).toBeLessThan(result.numbers["AP"]!);
    expect(result.counts).toMatchObject({ images: 60, truths: 795, detections: 915 });
    expect(result.options["maxDets"]).toEqual([1, 10, 100, 500]);
    expect(result.files["dt"]).toEqual({ path: coco[5], sha256: await fingerprintFile(coco[5]!) });
    expect(result.versions.dipR1.sha256).toMatch(/^[0-9a-f]{64}$/);
    const other = await json(...coco, "--max-dets", "20");
    expect(other.numbers["AR_maxDets20"]).toBeLessThan(other.numbers["AR100"]!);
    expect(other.numbers["AP"]).toBe(result.numbers["AP"]);
  });

  it("says so of detections that are corners, and of no others", async () => {
    const corners = join(scratch(), "corners.json");
    const found = JSON.parse(readFileSync(coco[5]!, "utf8")) as { bbox: number[] }[];
    const moved = found.map((one) => {
      const [x, y, width, height] = one.bbox as [number, number, number, number];
      return { ...one, bbox: [x, y, x + width, y + height] };
    });
    writeFileSync(corners, JSON.stringify(moved));
    const { notes, numbers } = await json(...coco.slice(0, 5), corners);
    expect(notes[0]).toMatch(/would fit far better read as .*\(x1, y1, x2, y2\).*Nothing was rescaled/);
    expect(numbers["AP"]).toBeLessThan(0.01);
    for (const good of [coco, crowdhuman]) expect((await json(...good)).notes).toEqual([]);
  });

  it("has CrowdHuman's, WIDER Pedestrian's and UAVDT's numbers", async () => {
    const { AP, MR, JI } = golden("crowdhuman/result.json") as Record<string, number>;
    const ours = await json(...crowdhuman);
    expect(ours.numbers["AP"]).toBeCloseTo(AP!, 9);
    expect(ours.numbers["MR"]).toBeCloseTo(MR!, 9);
    expect(ours.numbers["JI"]).toBeCloseTo(JI!, 9);
    expect(ours.options).toMatchObject({ boxes: "full", detectionKey: "fbox", jiScoreThreshold: 0.4 });
    const pedestrians = (name: string) => fixture(`widerpedestrian/${name}`);
    const [truth, found] = [pedestrians("val_bbox.txt"), pedestrians("submission.txt")];
    const wider = await json("--metric", "widerpedestrian", "--gt", truth, "--dt", found);
    expect(wider.numbers["mAP"]).toBeCloseTo(golden("widerpedestrian/result.json")["mAP"] as number, 9);
    expect(Object.keys(wider.files)).toEqual(["gt", "dt", "ignore"]);
    const uavdt = await json("--metric", "uavdt", "--gt", fixture("uavdt/GT"), "--dt", fixture("uavdt/DET"));
    expect(uavdt.numbers["AP"]).toBeCloseTo(golden("uavdt/result.json")["AP"] as number, 9);
    expect(uavdt.notes).toEqual(["no file of ignored areas: M0209"]);
  });

  it("prints a table, says what a reader should know, and draws curves", async () => {
    const folder = scratch();
    const truth = join(folder, "gt.json");
    const found = join(folder, "dt.json");
    const person = { image_id: 1, category_id: 1, bbox: [0, 0, 40, 100] };
    writeFileSync(
      truth,
      JSON.stringify({
        images: [{ id: 1 }],
        annotations: [{ ...person, id: 1, height: 100, vis_ratio: 1, ignore: 0 }],
      }),
    );
    writeFileSync(
      found,
      JSON.stringify([
        { ...person, bbox: [300, 0, 40, 100], score: 0.9 },
        { ...person, score: 0.5 },
      ]),
    );
    const plots = join(folder, "plots");
    const args = ["--metric", "citypersons", "--gt", truth, "--dt", found];
    const { code, text, warnings } = await dip(...args, "--plots", plots);
    expect(code).toBe(0);
    // The only person is found, if late: the quirk makes that perfect.
    expect(text.split("\n").map((line) => line.trim().split(/\s+/))).toEqual(
      expect.arrayContaining([
        ["Reasonable", "0.00%"],
        ["small", "-"],
        ["heavy", "-"],
        ["All", "0.00%"],
      ]),
    );
    expect(warnings.join()).toContain("takes the last recall");
    expect(readdirSync(plots).sort()).toEqual([
      "miss-rate.png",
      "miss-rate.svg",
      "precision-recall.png",
      "precision-recall.svg",
    ]);
    const corrected = await json(...args, "--before-first", "corrected");
    expect(corrected.numbers["Reasonable"]).toBe(0);
    expect(corrected.numbers["small"]).toBeNull();
    expect(corrected.notes).toEqual([]);
  });

  it.each([
    ["an unknown metric", ["--metric", "voc", "--gt", "a", "--dt", "b"]],
    ["a missing file", ["--metric", "coco", "--gt", "none.json", "--dt", "none.json"]],
    ["an option of another metric", [...coco, "--iou", "0.5"]],
    ["a limit that is none", [...coco, "--max-dets", "0"]],
    ["a year that is none", [...coco, "--year", "2020"]],
    ["files of another form", ["--metric", "crowdhuman", ...coco.slice(2)]],
  ])("exits with 2 for %s", async (_, args) => {
    expect((await dip(...args)).code).toBe(2);
  });
});
