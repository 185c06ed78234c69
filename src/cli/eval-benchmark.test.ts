/**
 * `dip-r1 eval` on the benchmarks' own files: the numbers it reports of a model's answers are those that `eval-detections`,
 * which is held to the official tools' goldens, gives for the same boxes written as the official tools read them.
 */
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { fixture } from "../../test/qwen-fixture.js";
import { silentLogger } from "../base/index.js";
import { createRng, deriveSeed } from "../base/rng.js";
import type { Sample } from "../datasets/sample.js";
import type { Prompt, Rollout, SamplingParams } from "../engines/contract.js";
import type { RewardTruth } from "../rewards/types.js";
import type { TaskOptions } from "../rl/qwen-samples.js";
import { runCli } from "./program.js";

/** What the stand-in for a model says: the truth itself, or the truth moved, thinned out and with false alarms. */
const policy = vi.hoisted(() => ({
  kind: "noisy" as "noisy" | "truth",
  seed: 1,
  asked: new Map<unknown, { id: string; truth: { size: { width: number; height: number } } }>(),
}));

vi.mock("../rl/qwen-samples.js", async (original) => {
  const { truthFromSample } = await import("../rewards/truth.js");
  return {
    ...(await original<typeof import("../rl/qwen-samples.js")>()),
    // A picture is not needed: the stand-in knows what is there.
    qwenEncoder:
      (_: unknown, { labels }: TaskOptions) =>
      async (sample: Sample) => {
        const side = (length: number) => Math.max(28, 28 * Math.round(length / 28));
        const modelSize = { width: side(sample.width), height: side(sample.height) };
        const prompt: Prompt = { chunks: [] };
        const truth = truthFromSample(sample, { frame: "model", modelSize, labels });
        policy.asked.set(prompt, { id: sample.id, truth });
        return { prompt, truth };
      },
    qwenCodec: () => ({
      endTokens: [0],
      encode: (text: string) => Int32Array.from(text, (c) => c.charCodeAt(0)),
      decode: (tokens: Int32Array) => String.fromCharCode(...tokens),
      spans: (tokens: Int32Array) => Array.from(tokens, (_token, i) => ({ start: i, end: i + 1 })),
    }),
  };
});

vi.mock("./model-options.js", async (original) => ({
  ...(await original<typeof import("./model-options.js")>()),
  openModel: async () => ({
    processor: {},
    config: { tokens: { eos: [0] } },
    sampler: {
      sampleBatch: async (prompts: readonly Prompt[], params: readonly SamplingParams[]) =>
        prompts.map((prompt, i) => Array.from({ length: params[i]!.n ?? 1 }, (_, n) => answer(prompt, n))),
    },
    close: async () => {},
  }),
}));

function answer(prompt: Prompt, n: number): Rollout {
  const { id, truth } = policy.asked.get(prompt) as { id: string; truth: RewardTruth<"model"> };
  const rng = createRng(deriveSeed(policy.seed, id, n));
  const moved = (value: number) => Math.round(value + rng.uniform(-2.5, 2.5));
  const boxes = truth.objects.flatMap(({ box: { x1, y1, x2, y2 }, label }) => {
    if (policy.kind === "truth") return [{ bbox_2d: [x1, y1, x2, y2], label }];
    if (rng.next() < 0.2) return [];
    return [{ bbox_2d: [x1, y1, x2, y2].map(moved), label }];
  });
  const label = truth.objects[0]?.label;
  if (policy.kind === "noisy" && label !== undefined && rng.next() < 0.5) {
    const [x, y] = [rng.int(0, truth.size.width - 60), rng.int(0, truth.size.height - 100)];
    boxes.splice(rng.int(0, boxes.length), 0, { bbox_2d: [x, y, x + 50, y + 90], label });
  }
  const text = `<think>x</think><look>[]</look><answer>${JSON.stringify(boxes)}</answer>`;
  return {
    tokens: Int32Array.from(text, (c) => c.charCodeAt(0)),
    logprobs: Float32Array.from(text, () => -rng.next()),
    stopReason: "stop",
  };
}

const golden = (path: string) =>
  fileURLToPath(new URL(`../../test/fixtures/metrics/${path}`, import.meta.url));
const scratch = () => mkdtempSync(join(tmpdir(), "dip-eval-benchmark-"));

async function dip(...args: string[]) {
  const lines: string[] = [];
  const warnings: string[] = [];
  let errors = "";
  const stderr = vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    errors += String(text);
    return true;
  });
  try {
    const code = await runCli(args, {
      logger: { ...silentLogger, warn: (text) => void warnings.push(text) },
      print: (line) => {
        lines.push(line);
        return Promise.resolve();
      },
    });
    return { code, text: lines.join("\n"), warnings, errors };
  } finally {
    stderr.mockRestore();
  }
}

/** To nine digits, which JSON and another order of sums leave alone. */
const digits = (numbers: Readonly<Record<string, number | null>>) =>
  Object.fromEntries(
    Object.entries(numbers).map(([key, value]) => [key, value === null ? null : Number(value.toFixed(9))]),
  );
const flat = (bounds: Readonly<Record<string, { low: number; high: number }>>) =>
  Object.fromEntries(
    Object.entries(bounds).flatMap(([key, { low, high }]) => [
      [`${key} low`, low],
      [`${key} high`, high],
    ]),
  ) as Record<string, number>;

interface Numbers {
  readonly numbers: Record<string, number | null>;
  readonly bounds: Record<string, { low: number; high: number }>;
  readonly counts: Record<string, number>;
  readonly notes: string[];
  readonly benchmark?: string;
  readonly scoreSource?: string;
}

async function json<T>(...args: string[]): Promise<T> {
  const { code, text, errors } = await dip(...args, "--json");
  expect(errors).toBe("");
  expect(code).toBe(0);
  return JSON.parse(text) as T;
}

/** CityPersons' evaluation file, small: people of all heights and visible shares, riders and groups to ignore. */
function cityPersons(): string {
  const rng = createRng(4);
  const images = Array.from({ length: 14 }, (_, i) => ({
    id: i + 1,
    im_name: `city_${i}.png`,
    width: 2048,
    height: 1024,
  }));
  const annotations = images.flatMap(({ id }) =>
    Array.from({ length: rng.int(1, 7) }, () => {
      const height = rng.int(15, 200);
      const width = Math.round(0.41 * height);
      const bbox = [rng.int(-20, 1900), rng.int(100, 700), width, height];
      const visible = Math.max(1, Math.round(height * rng.uniform(0.1, 1)));
      return {
        image_id: id,
        category_id: 1,
        bbox,
        height,
        vis_bbox: [bbox[0], bbox[1], width, visible],
        vis_ratio: visible / height,
        iscrowd: 0,
        ignore: rng.next() < 0.2 ? 1 : 0,
      };
    }),
  );
  const path = join(scratch(), "val_gt.json");
  const numbered = annotations.map((one, i) => ({ ...one, id: i + 1 }));
  const categories = [{ id: 1, name: "pedestrian" }];
  writeFileSync(path, JSON.stringify({ categories, images, annotations: numbered }));
  return path;
}

const sets = {
  // One of its boxes lies outside the picture: pycocotools counts it, so its numbers here must too.
  coco: { gt: golden("coco/small_gt.json"), keys: "checkImages=none&onError=skip", label: "person" },
  crowdhuman: { gt: golden("crowdhuman/gt.odgt"), keys: "checkImages=none", label: "person" },
  citypersons: { gt: cityPersons(), keys: "checkImages=none", label: "person" },
  uavdt: { gt: golden("uavdt/GT"), keys: "checkImages=none&sizes=1024x540", label: "vehicle" },
  widerpedestrian: {
    gt: golden("widerpedestrian/val_bbox.txt"),
    keys: "checkImages=none&sizes=1600x1200",
    label: "person",
  },
} as const;
type Name = keyof typeof sets;

interface CocoAnnotation {
  readonly bbox: readonly [number, number, number, number];
  readonly ignore?: number;
}

/** Ground truth that a model can answer: it names no box beside the picture, and none over its edge as annotated. */
function answerable(name: Name): { gt: string; keys: string } {
  const { gt, keys } = sets[name];
  // The toolkit drops detections inside ignored areas, but not the truths there: a sequence without such areas.
  if (name === "uavdt") return { gt, keys: `${keys}&sequences=M0209` };
  const text = readFileSync(gt, "utf8");
  if (name === "coco") {
    const file = JSON.parse(text) as { annotations: CocoAnnotation[] };
    // pycocotools forgets `ignore` flags, the dataset's reader does not.
    const annotations = file.annotations.filter(
      ({ bbox: [x, y, w, h], ignore = 0 }) =>
        ignore === 0 && x >= 0 && y >= 0 && x + w <= 1280 && y + h <= 960,
    );
    const path = join(scratch(), "gt.json");
    writeFileSync(path, JSON.stringify({ ...file, annotations }));
    return { gt: path, keys };
  }
  if (name !== "crowdhuman") return { gt, keys };
  const lines = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { gtboxes: { fbox: [number, number, number, number] }[] })
    .map(({ gtboxes, ...rest }) => ({
      ...rest,
      gtboxes: gtboxes.filter(({ fbox: [x, y, w, h] }) => x < 1024 && y < 768 && x + w > 0 && y + h > 0),
    }));
  const path = join(scratch(), "gt.odgt");
  writeFileSync(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  return { gt: path, keys };
}

const evalArgs = (name: Name, ...more: string[]) => {
  const { gt, keys, label } = sets[name];
  return ["eval", "--model", fixture("model"), "--data", `${name}:${gt}?${keys}`, "--label", label, ...more];
};

beforeEach(() => {
  policy.kind = "noisy";
  policy.seed = 1;
  policy.asked.clear();
});

describe("dip-r1 eval on a benchmark", () => {
  it.each([
    ["coco", "logprob"],
    ["crowdhuman", "logprob"],
    ["crowdhuman", "one"],
    ["citypersons", "one"],
    ["uavdt", "one"],
    ["widerpedestrian", "order"],
  ] as const)(
    "has the numbers that %s's own tool gives for the same boxes, scores from %s",
    async (name, source) => {
      const dt = join(scratch(), name === "uavdt" ? "found" : "found.json");
      const { greedy } = await json<{ greedy: { benchmark: Numbers; scoreSource: string } }>(
        ...evalArgs(name, "--score-source", source, "--write-detections", dt),
      );
      const ours = greedy.benchmark;
      expect(ours).toMatchObject({ benchmark: name, scoreSource: source });
      expect(greedy.scoreSource).toBe(source);
      expect(ours.notes.filter((note) => note.startsWith("over "))).toEqual([]);
      const theirs = await json<Numbers>(
        "eval-detections",
        "--metric",
        name,
        "--gt",
        sets[name].gt,
        "--dt",
        dt,
      );
      expect(digits(ours.numbers)).toEqual(digits(theirs.numbers));
      expect(Object.keys(ours.numbers)).toEqual(Object.keys(theirs.numbers));
      expect(digits(flat(ours.bounds))).toEqual(digits(flat(theirs.bounds)));
      // Frames in which nothing is and nothing was found are not in the toolkit's files.
      const { frames: _, ...counts } = ours.counts;
      expect(theirs.counts).toMatchObject(counts);
      const someNumber = Object.values(ours.numbers).find((value) => value !== null)!;
      expect(someNumber).toBeGreaterThan(0);
      expect(someNumber).toBeLessThan(1);
    },
  );

  it.each([
    ["coco", { AP: 1, AP50: 1, AR100: 1 }],
    ["crowdhuman", { MR: 0, JI: 1 }],
    ["citypersons", { Reasonable: 0, small: 0, heavy: 0, All: 0 }],
    ["uavdt", { AP: 1 }],
    ["widerpedestrian", { mAP: 1 }],
  ] as const)("finds the truth given as answers perfect: %s", async (name, perfect) => {
    policy.kind = "truth";
    const { gt, keys } = answerable(name);
    const { greedy } = await json<{ greedy: { benchmark: Numbers; f1: number } }>(
      "eval",
      "--model",
      fixture("model"),
      "--data",
      `${name}:${gt}?${keys}`,
      "--label",
      sets[name].label,
    );
    // CrowdHuman's area begins at the first detection.
    const { positives } = greedy.benchmark.counts;
    const expected = name === "crowdhuman" ? { ...perfect, AP: 1 - 1 / positives! } : perfect;
    // The toolkit's 1e-6 in denominators keeps JI off 1.
    const rounded = (value: number | null) => Number(value!.toFixed(5));
    expect(
      Object.fromEntries(Object.keys(expected).map((key) => [key, rounded(greedy.benchmark.numbers[key]!)])),
    ).toEqual(Object.fromEntries(Object.entries(expected).map(([key, value]) => [key, rounded(value)])));
    expect(greedy.f1).toBe(1);
  });

  it("prints the numbers with their source and bounds, and says when they are of a part of the set", async () => {
    const { code, text } = await dip(...evalArgs("crowdhuman", "--limit", "5", "--score-source", "order"));
    expect(code).toBe(0);
    expect(text).toContain('crowdhuman\'s own numbers, boxes ranked by score source "order"');
    expect(text).toMatch(/\nAP +0\.\d{4} +0\.\d{4} to 0\.\d{4}\n/);
    expect(text).toMatch(/\nMR +0\.\d{4}/);
    expect(text).toContain("note: over 5 of the 40 images in the benchmark's file: not its number");
    expect(text).toContain('AP50 ranks boxes by score source "order".');
  });

  it("means over sampled responses, and fuses them for consensus", async () => {
    const found = join(scratch(), "found.odgt");
    const { greedy, sampled } = await json<Record<"greedy" | "sampled", { benchmark: Numbers }>>(
      ...evalArgs("crowdhuman", "--samples", "3", "--score-source", "consensus", "--write-detections", found),
    );
    expect([greedy, sampled].map(({ benchmark }) => benchmark.scoreSource)).toEqual(["logprob", "consensus"]);
    const theirs = await json<Numbers>(
      "eval-detections",
      "--metric",
      "crowdhuman",
      "--gt",
      sets.crowdhuman.gt,
      "--dt",
      found,
    );
    expect(sampled.benchmark.numbers["MR"]).toBeCloseTo(theirs.numbers["MR"]!, 10);
    expect((await dip(...evalArgs("crowdhuman", "--score-source", "consensus"))).code).toBe(2);
  });

  it("keeps the data's files and problems, and what compare needs", async () => {
    const folder = scratch();
    const [a, b] = [join(folder, "a.jsonl"), join(folder, "b.jsonl")];
    // Every number of every benchmark: src/metrics/benchmark-weighted.test.ts.
    for (const name of ["coco", "widerpedestrian"] as const) {
      policy.seed = 1;
      const before = await json<{ greedy: { benchmark: Numbers } }>(...evalArgs(name, "--out", a));
      policy.seed = 2;
      const after = await json<{ greedy: { benchmark: Numbers } }>(...evalArgs(name, "--out", b));
      const header = JSON.parse(readFileSync(a, "utf8").split("\n", 1)[0]!) as {
        data: { files: { path: string; sha256: string }[]; problems: object; fingerprint: string };
      };
      expect(header.data.files[0]!.sha256).toMatch(/^[0-9a-f]{64}$/);
      expect(
        header.data.files.every(({ path }) => path.startsWith(sets[name].gt.replace(/val_.*/, ""))),
      ).toBe(true);
      expect(header.data.problems).toMatchObject({ leftOut: name === "coco" ? 2 : 0 });
      const wanted = Object.keys(before.greedy.benchmark.numbers).filter((key) =>
        name === "coco" ? ["AP", "AP50", "AP75"].includes(key) : true,
      );
      const { sets: compared, scoreSource } = await json<{
        scoreSource: string;
        sets: { metrics: Record<string, { a: number; b: number }> }[];
      }>("compare", a, b, "--resamples", "100", ...wanted.flatMap((key) => ["--metric", `${name}.${key}`]));
      expect(scoreSource).toBe("logprob");
      const side = (which: "a" | "b") =>
        Object.fromEntries(wanted.map((key) => [key, compared[0]!.metrics[`${name}.${key}`]![which]]));
      const own = ({ greedy }: typeof before) =>
        Object.fromEntries(wanted.map((key) => [key, greedy.benchmark.numbers[key]!]));
      expect(digits(side("a"))).toEqual(digits(own(before)));
      expect(digits(side("b"))).toEqual(digits(own(after)));
    }
    // The last two are of WIDER Pedestrian.
    expect((await dip("compare", a, b, "--metric", "mAP", "--resamples", "100")).text).toContain(
      "widerpedestrian mAP (logprob)",
    );
    const wrong = await dip("compare", a, b, "--metric", "MR");
    expect(wrong.code).toBe(2);
    expect(wrong.errors).toContain("has no ground truth of crowdhuman, but of widerpedestrian");
    const several = await dip("compare", a, b, "--metric", "AP50");
    expect(several.errors).toContain("several benchmarks have it");
  });

  it("says why there are none: other labels, another form, other data", async () => {
    const { gt, keys } = sets.crowdhuman;
    const data = `crowdhuman:${gt}?${keys}&label=pedestrian`;
    const other = await dip(
      "eval",
      "--model",
      fixture("model"),
      "--data",
      data,
      "--label",
      "person",
      "--json",
    );
    expect(JSON.parse(other.text)).toMatchObject({ greedy: { benchmark: null } });
    expect(other.warnings.join("\n")).toContain("asked for person, and its objects are called pedestrian");
    const scenes = ["eval", "--model", fixture("model"), "--data", "scenes:plaza?count=2"];
    expect(JSON.parse((await dip(...scenes, "--json")).text)).toMatchObject({ greedy: { benchmark: null } });
    const refused = await dip(...scenes, "--write-detections", join(scratch(), "x.json"));
    expect(refused.code).toBe(2);
    expect(refused.errors).toContain("has no form of detections of its own");
  });
});
