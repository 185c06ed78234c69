import { existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { startOpenAiServer, type MockOptions, type SeenRequest } from "../../test/support/openai-server.js";
import { silentLogger } from "../base/index.js";
import type { RgbImage } from "../base/rgb-image.js";
import { loadPixels, openDataset, type Sample } from "../datasets/index.js";
import { fitPicture } from "../engines/openai/picture.js";
import { convertBox, coordinateProfiles } from "../geometry/index.js";
import {
  dialectNames,
  dialectOf,
  profileOf,
  renderDialect,
  type Dialect,
  type PictureBudget,
} from "../response/index.js";
import { runCli } from "./program.js";

const DATA = "scenes:plaza?count=3&seed=7";
const scratch = () => mkdtempSync(join(tmpdir(), "dip-openai-"));
let samples: { readonly sample: Sample; readonly image: RgbImage }[] = [];
const opened: { close(): Promise<void> }[] = [];

beforeAll(async () => {
  const dataset = await openDataset(DATA);
  samples = await Promise.all(
    [0, 1, 2].map(async (i) => {
      const sample = await dataset.at(i);
      return { sample, image: await loadPixels(sample) };
    }),
  );
});
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

async function dip(...args: string[]) {
  const lines: string[] = [];
  const logged: string[] = [];
  const add = (text: string) => void logged.push(text);
  const logger = { ...silentLogger, info: add, warn: add };
  const errors: string[] = [];
  const write = process.stderr.write.bind(process.stderr);
  process.stderr.write = ((text: string) => errors.push(text) > 0) as typeof write;
  try {
    const code = await runCli(args, { logger, print: (line) => Promise.resolve(void lines.push(line)) });
    return {
      code,
      log: logged.join("\n"),
      errors: errors.join(""),
      json: () => JSON.parse(lines[0]!) as Result,
    };
  } finally {
    process.stderr.write = write;
  }
}

interface Result {
  readonly greedy: {
    readonly f1: number;
    readonly mismatches: string[];
    readonly frameWarning: string | null;
  };
  readonly dialect: string;
  readonly promptSha256: string;
}

/** The truth about the picture that was sent, as a model of this dialect writes it. */
function answerIn(spoken: Dialect, budget: PictureBudget | null = spoken.picture ?? null) {
  return ({ images: [picture] }: Pick<SeenRequest, "images">): string => {
    const found = samples.find(({ image }) => {
      const sent = fitPicture(image, budget ?? undefined);
      return sent.width === picture!.width && Buffer.compare(sent.data, picture!.data) === 0;
    });
    const { sample } = found!;
    const sizes = { image: { width: sample.width, height: sample.height }, model: picture! };
    const frame = coordinateProfiles[profileOf(spoken.reading)];
    const boxes = sample.objects.map(({ box, label }) => ({
      label,
      box: convertBox(box, "image", frame, sizes),
    }));
    return renderDialect(boxes, spoken, picture!);
  };
}

async function serve(options: MockOptions) {
  const server = await startOpenAiServer(options);
  opened.push(server);
  return server;
}

const openai = (baseUrl: string, dialect: string) => [
  "--engine",
  "openai",
  "--base-url",
  baseUrl,
  "--model",
  "mock",
  "--server",
  "vllm",
  "--dialect",
  dialect,
];

describe("dip-r1 eval --engine openai", () => {
  it.each(dialectNames)("finds everything in the answers of a perfect model that speaks %s", async (name) => {
    const server = await serve({ answer: answerIn(dialectOf(name)) });
    const { code, json } = await dip(
      "eval",
      ...openai(server.baseUrl, name),
      "--data",
      DATA,
      "--json",
      "--no-cache",
    );
    expect(code).toBe(0);
    expect(json()).toMatchObject({ dialect: name, greedy: { mismatches: [], frameWarning: null } });
    // Whole thousandths of a small picture move edges by little.
    expect(json().greedy.f1).toBeGreaterThan(0.98);
  });

  it("says that the answers are in another dialect, and reads none of them", async () => {
    const server = await serve({ answer: answerIn(dialectOf("qwen3-vl"), null) });
    const { code, json, log } = await dip(
      "eval",
      ...openai(server.baseUrl, "gemini"),
      "--data",
      DATA,
      "--json",
      "--no-cache",
    );
    expect(code).toBe(0);
    expect(json().greedy.f1).toBe(0);
    expect(json().greedy.mismatches.join()).toContain(
      '3 of 3 answers: JSON objects with "bbox_2d" instead of',
    );
    expect(log).toContain("--dialect");
  });

  it("says that the numbers are in another frame than declared", async () => {
    const [pixels, thousandths] = [dialectOf("qwen2.5-vl"), dialectOf("qwen3-vl")];
    const server = await serve({ answer: answerIn({ ...thousandths, form: "bbox_2d" }, pixels.picture) });
    const { json } = await dip(
      "eval",
      ...openai(server.baseUrl, "qwen2.5-vl"),
      "--data",
      DATA,
      "--json",
      "--no-cache",
    );
    expect(json().greedy.frameWarning).toContain("thousandths of the picture");
    expect(json().greedy.f1).toBeLessThan(0.5);
  });

  it("goes on where it was interrupted, and scores again for nothing", async () => {
    const cache = join(scratch(), "cache");
    let broken = true;
    const server = await serve({
      answer: answerIn(dialectOf("qwen2.5-vl")),
      faults: (index) => (broken && index > 0 ? { kind: "status", status: 400 } : undefined),
    });
    const args = [
      "eval",
      ...openai(server.baseUrl, "qwen2.5-vl"),
      "--data",
      DATA,
      "--json",
      "--cache",
      cache,
      "--concurrency",
      "1",
    ];
    const first = await dip(...args);
    expect(first.code).toBe(1);
    expect(first.errors).toContain("fault 400");
    expect(server.seen).toHaveLength(1);
    broken = false;
    const second = await dip(...args);
    expect(second.code).toBe(0);
    expect(server.seen).toHaveLength(3);
    expect(second.log).toContain("2 requests answered by the server, 1 by the cache");
    const out = join(scratch(), "again.jsonl");
    const again = await dip(...args, "--recipe", "paper", "--out", out);
    expect(again.json().greedy.f1).toBe(second.json().greedy.f1);
    expect(server.seen).toHaveLength(3);
    const header = JSON.parse(readFileSync(out, "utf8").split("\n")[0]!) as Record<string, unknown>;
    expect(header).toMatchObject({
      model: { path: `${server.baseUrl} mock` },
      settings: {
        engine: "openai",
        server: "vllm",
        dialect: "qwen2.5-vl",
        promptSha256: second.json().promptSha256,
      },
    });
  });

  it("takes its options from a file; the command line wins", async () => {
    const server = await serve({ answer: answerIn(dialectOf("gemini")) });
    const config = join(scratch(), "baseline.yaml");
    const text = `engine: openai
baseUrl: ${server.baseUrl}
model: mock
server: hosted
dialect: deepseek-vl2
data: ${DATA}
labels: [person]
limit: 2
cache: false
`;
    writeFileSync(config, text);
    const { code, json, log } = await dip("eval", "--config", config, "--dialect", "gemini", "--json");
    expect(code).toBe(0);
    expect(json().dialect).toBe("gemini");
    expect(server.seen).toHaveLength(2);
    expect(log).toContain("a hosted service: no key was found");
    for (const [line, words] of [
      ["apiKey: secret", 'unknown key "apiKey"'],
      ["limit: many", '"limit" must be a number'],
      ["limit: 0", "of at least 1"],
      ["engine: tinker", "must be one of"],
    ] as const) {
      writeFileSync(config, `${line}\n`);
      const failed = await dip("eval", "--config", config, "--json");
      expect(failed.code).toBe(2);
      expect(failed.errors).toContain(words);
    }
  });

  it.each([
    ["no kind of server", ["--dialect", "gemini"], "--server"],
    ["no dialect", ["--server", "vllm"], "--dialect is missing"],
    [
      "a profile of models opened here",
      ["--server", "vllm", "--dialect", "gemini", "--profile", "absolute"],
      "--dialect",
    ],
    [
      "a prompt that the dialect does not take",
      ["--server", "vllm", "--dialect", "gemini", "--prompt", "dip-r1"],
      "--prompt",
    ],
    [
      "no address of a hosted service",
      ["--server", "hosted", "--dialect", "gemini"],
      "--base-url is missing",
    ],
    [
      "a secret in the address",
      ["--server", "vllm", "--dialect", "gemini", "--base-url", "http://a:b@x/v1"],
      "must not hold",
    ],
  ])("exits with 2 for %s", async (_, args, words) => {
    const failed = await dip("eval", "--engine", "openai", "--model", "mock", "--data", DATA, ...args);
    expect(failed.code).toBe(2);
    expect(failed.errors).toContain(words);
  });
});

describe("dip-r1 detect --engine openai", () => {
  it("writes boxes in pixels of the original, and an overlay", async () => {
    const folder = scratch();
    const { writePng } = await import("../datasets/index.js");
    const [{ sample, image }] = samples as [(typeof samples)[number]];
    await writePng(join(folder, "one.png"), image);
    const server = await serve({ answer: answerIn(dialectOf("deepseek-vl2")) });
    const { code } = await dip(
      "detect",
      join(folder, "one.png"),
      ...openai(server.baseUrl, "deepseek-vl2"),
      "--out",
      folder,
      "--no-cache",
    );
    expect(code).toBe(0);
    const found = JSON.parse(readFileSync(join(folder, "one.json"), "utf8")) as {
      grade: string;
      boxes: { bbox: number[]; label: string }[];
    };
    expect(found.grade).toBe("strict");
    expect(found.boxes).toHaveLength(sample.objects.length);
    const [first] = sample.objects;
    for (const [i, value] of [first!.box.x1, first!.box.y1, first!.box.x2, first!.box.y2].entries())
      expect(Math.abs(found.boxes[0]!.bbox[i]! - value)).toBeLessThan(1);
    expect(existsSync(join(folder, "one-2.png")) || existsSync(join(folder, "one.png"))).toBe(true);
  });
});
