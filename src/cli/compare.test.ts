import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { evaluatedImages, type StandIn } from "../../test/support/evaluated-images.js";
import { fixture } from "../../test/qwen-fixture.js";
import { silentLogger } from "../base/index.js";
import { writeResultFile } from "../runs/evaluation-results.js";
import { scoreSources } from "../metrics/index.js";
import { pairedMetrics } from "../study/compare-metrics.js";
import { compareCommand } from "./compare.js";
import { runCli } from "./program.js";

const scratch = () => mkdtempSync(join(tmpdir(), "dip-compare-"));

/** Runs a command in this process; what it prints, warns of and says went wrong. */
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
      logger: { ...silentLogger, warn: (text: string) => void warnings.push(text) },
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

async function resultFile(standIn: StandIn, fingerprint = "d0"): Promise<string> {
  const path = join(scratch(), "result.jsonl");
  const images = evaluatedImages(standIn);
  await writeResultFile(
    path,
    {
      created: "2026-01-02T03:04:05.000Z",
      model: { path: "m", sha256: "m0" },
      data: { name: "plaza", fingerprint, images: images.length },
      decodings: ["greedy"],
      settings: { prompt: "dip-r1" },
      code: { version: "0.1.0", sha256: "c0" },
      versions: {},
    },
    { greedy: images },
  );
  return path;
}

describe("dip-r1 compare", () => {
  it("prints a table, or one object", async () => {
    const a = await resultFile({ seed: 1, jitter: 12 });
    const b = await resultFile({ seed: 2, jitter: 1 });
    const { code, text } = await dip("compare", a, b);
    expect(code).toBe(0);
    expect(text).toMatch(/plaza \(greedy, 20 images\)\n {2}F1 +0\.\d{3}/);
    const json = await dip("compare", a, b, "--metric", "f1", "--metric", "ap", "--json", "--seed", "3");
    const parsed = JSON.parse(json.text) as { sets: { metrics: Record<string, unknown> }[]; seed: number };
    expect(parsed).toMatchObject({ a, b, seed: 3, scoreSource: "logprob", level: 0.95, notes: [] });
    expect(Object.keys(parsed.sets[0]!.metrics)).toEqual(["f1", "ap"]);
    expect(parsed.sets[0]!.metrics["f1"]).toMatchObject({ images: 20, exact: false });
    expect(
      (await dip("compare", a, b, "--metric", "f1", "--metric", "ap", "--json", "--seed", "3")).text,
    ).toBe(json.text);
  });

  it("finds no difference between a file and itself", async () => {
    const a = await resultFile({ seed: 1 });
    const { text } = await dip("compare", a, a, "--json", "--metric", "f1");
    expect(JSON.parse(text)).toMatchObject({
      sets: [
        { metrics: { f1: { difference: { value: 0, low: 0, high: 0 }, bootstrapP: 1, permutationP: 1 } } },
      ],
    });
  });

  it("refuses other data and other images with a hint, and says what --common leaves out", async () => {
    const a = await resultFile({ seed: 1 });
    const other = await resultFile({ seed: 2, images: 15 }, "d1");
    const refused = await dip("compare", a, other);
    expect(refused.code).toBe(2);
    expect(refused.errors).toContain("the results are of other data: sha256 d0");
    expect(refused.errors).toContain("--common");
    const fewer = await dip("compare", a, await resultFile({ seed: 2, images: 15 }));
    expect(fewer.code).toBe(2);
    expect(fewer.errors).toContain("other images: image-15, image-16, image-17, ... (5) only in");
    const common = await dip("compare", a, other, "--common");
    expect(common.code).toBe(0);
    expect(common.text).toContain("only the 15 common images are compared; 5 of A and 0 of B are left out");
  });

  it.each([
    ["a metric", ["--metric", "f2"]],
    ["a decoding", ["--decoding", "beam"]],
    ["a score source", ["--score-source", "area"]],
    ["a number of resamples", ["--resamples", "3"]],
    ["a set", ["--set", "moon"]],
  ])("exits with 2 for %s that is none", async (_, args) => {
    const a = await resultFile({ seed: 1, images: 3 });
    expect((await dip("compare", a, a, ...args)).code).toBe(2);
    expect((await dip("compare", a, "/no/such.jsonl")).code).toBe(2);
  });
});

it("help names every metric and every score source", () => {
  const help = compareCommand({ logger: silentLogger, print: () => Promise.resolve() })
    .helpInformation()
    .replaceAll(/\s+/g, " ");
  for (const name of [...Object.keys(pairedMetrics), ...Object.keys(scoreSources)])
    expect(help).toContain(name);
});

describe("dip-r1 eval --out", () => {
  it("writes what compare reads, and shows slices", async () => {
    const out = join(scratch(), "eval.jsonl");
    const args = ["--model", fixture("model"), "--data", "scenes:plaza?count=3", "--max-tokens", "6"];
    const text = await dip("eval", ...args, "--samples", "2", "--out", out, "--slices");
    expect(text.code).toBe(0);
    expect(text.text).toContain('AP50 ranks boxes by score source "logprob".');
    expect(text.text).toMatch(/crowding\n/);
    expect(text.text).toMatch(/consensus +0\.000/);
    const [first, ...records] = readFileSync(out, "utf8").trimEnd().split("\n");
    expect(JSON.parse(first!)).toMatchObject({
      kind: "dip-r1 evaluation",
      data: { name: "plaza", images: 3 },
      decodings: ["greedy", "sampled"],
      settings: { prompt: "dip-r1", maxTokens: 6, seed: 0 },
    });
    expect(records).toHaveLength(6);
    const same = await dip("compare", out, out, "--json", "--decoding", "sampled");
    expect(JSON.parse(same.text)).toMatchObject({ sets: [{ decoding: "sampled", images: 3 }] });

    const json = await dip("eval", ...args, "--limit", "2", "--json");
    expect(JSON.parse(json.text)).toMatchObject({
      greedy: {
        scoreSource: "logprob",
        frame: { better: null },
        frameWarning: null,
        curve: { f1: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0] },
        averagePrecision: [
          { scoreSource: "order" },
          { scoreSource: "one" },
          { scoreSource: "logprob" },
          { scoreSource: "logprob-min" },
        ],
        falsePositives: { predictions: 0 },
      },
    });
    const fewer = join(scratch(), "fewer.jsonl");
    expect((await dip("eval", ...args, "--limit", "2", "--out", fewer)).code).toBe(0);
    expect((await dip("compare", out, fewer)).code).toBe(2);
    expect((await dip("compare", out, fewer, "--common")).code).toBe(0);
  });
});
