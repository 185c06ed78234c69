import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { evaluatedImages } from "../../test/support/evaluated-images.js";
import { InputError } from "../base/index.js";
import { openResult, readResultFile, writeResultFile, type ResultHeaderInput } from "./evaluation-results.js";
import { evaluationFile } from "./evaluations.js";

const scratch = () => mkdtempSync(join(tmpdir(), "dip-results-"));
const header: ResultHeaderInput = {
  created: "2026-01-02T03:04:05.000Z",
  model: { path: "models/base", sha256: "m0" },
  data: { name: "plaza", fingerprint: "d0", images: 4 },
  decodings: ["greedy", "sampled"],
  settings: { prompt: "dip-r1", maxTokens: 256 },
  code: { version: "0.1.0", sha256: "c0" },
  versions: { node: "v20" },
};
const greedy = evaluatedImages({ seed: 1, images: 4 });
const sampled = evaluatedImages({ seed: 2, images: 4, responses: 3 });

async function written(): Promise<string> {
  const path = join(scratch(), "out", "result.jsonl");
  await writeResultFile(path, header, { greedy, sampled });
  return path;
}

describe("result files", () => {
  it("are read as they were written", async () => {
    const path = await written();
    const read = await readResultFile(path);
    expect(read.header).toMatchObject(header);
    expect(read).toMatchObject({ source: path, settings: header.settings, code: header.code });
    expect(read.sets.map(({ decoding }) => decoding)).toEqual(["greedy", "sampled"]);
    // What JSON cannot hold (an absent field that is undefined) is all that goes.
    expect(read.sets[0]!.images).toEqual(JSON.parse(JSON.stringify(greedy)));
    expect(read.sets[1]).toMatchObject({ set: "plaza", fingerprint: "d0" });
    expect((await openResult(path)).sets).toEqual(read.sets);
  });

  const broken: [string, (lines: string[]) => string[], RegExp][] = [
    ["no header", (lines) => lines.slice(1), /:1: not the header of a result file: "kind"/],
    [
      "another format",
      ([first, ...rest]) => [first!.replace('"format":1', '"format":9'), ...rest],
      /:1:.*"format"/,
    ],
    ["a torn line", (lines) => [...lines.slice(0, -1), lines.at(-1)!.slice(0, 50)], /:9: not JSON/],
    ["a missing line", (lines) => lines.slice(0, -1), /cut short: 3 of 4 images \(sampled\)/],
    ["an image twice", (lines) => [...lines, lines[1]!], /:10: image image-0 stands here twice \(greedy\)/],
    [
      "a record without matches",
      (lines) => lines.map((line, i) => (i === 2 ? line.replaceAll('"matches"', '"m"') : line)),
      /:3: not a record of an image: "responses.0.matches"/,
    ],
    ["nothing", () => [], /:1: not the header/],
  ];
  it.each(broken)("with %s are refused, with the line", async (_, change, message) => {
    const path = await written();
    writeFileSync(path, change(readFileSync(path, "utf8").trimEnd().split("\n")).join("\n"));
    await expect(readResultFile(path)).rejects.toThrow(message);
    await expect(readResultFile(path)).rejects.toBeInstanceOf(InputError);
  });
});

/** A run's folder as far as its evaluations go. */
function runWith(steps: readonly number[]): string {
  const run = join(scratch(), "run");
  mkdirSync(run);
  const recipe = {
    prompt: "dip-r1",
    seed: 7,
    data: { labels: ["person"] },
    evaluation: { maxTokens: 99, maxBoxRepeats: 4 },
  };
  const manifest = { format: 1, recipe, data: { "eval.plaza": "d0" }, code: header.code };
  writeFileSync(join(run, "manifest.json"), JSON.stringify(manifest));
  for (const step of steps) {
    const line = { step, set: "plaza", domain: "in", decoding: "greedy" };
    appendFileSync(join(run, "evaluations.jsonl"), JSON.stringify(line) + "\n");
    const path = evaluationFile(run, step, "plaza", "greedy");
    mkdirSync(dirname(path), { recursive: true });
    const images = evaluatedImages({ seed: step, images: 4 });
    writeFileSync(path, images.map((image) => JSON.stringify(image) + "\n").join(""));
  }
  return run;
}

describe("evaluations of a run", () => {
  it("are had by step, the last where none is named", async () => {
    const run = runWith([0, 40, 80]);
    const at = async (source: string) => {
      const { source: named, sets } = await openResult(source);
      return [named, sets[0]!.images[0]!.responses[0]!.answer.length] as const;
    };
    const answers = (seed: number) => evaluatedImages({ seed, images: 4 })[0]!.responses[0]!.answer.length;
    expect(await at(run)).toEqual([`${run}@80`, answers(80)]);
    expect(await at(`${run}@last`)).toEqual([`${run}@80`, answers(80)]);
    expect(await at(`${run}@first`)).toEqual([`${run}@0`, answers(0)]);
    expect(await at(`${run}@40`)).toEqual([`${run}@40`, answers(40)]);
    expect(await openResult(run)).toMatchObject({
      sets: [{ set: "plaza", decoding: "greedy", fingerprint: "d0" }],
      settings: { prompt: "dip-r1", labels: ["person"], maxTokens: 99, maxBoxRepeats: 4, seed: 7 },
      code: header.code,
    });
  });

  it("are asked for in vain by name of what was evaluated", async () => {
    const run = runWith([0, 80]);
    await expect(openResult(`${run}@40`)).rejects.toMatchObject({
      message: expect.stringContaining("step 40 was not evaluated") as string,
      hint: expect.stringContaining("Evaluated were: 0, 80") as string,
    });
    await expect(openResult(runWith([]))).rejects.toThrow(/has no evaluation yet/);
    await expect(openResult("/no/such@3")).rejects.toThrow(/neither a result file nor a run/);
    await expect(openResult(scratch())).rejects.toThrow(/neither a result file nor a run/);
  });
});
