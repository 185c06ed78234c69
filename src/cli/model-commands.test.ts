import { existsSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fixture, fixtureJson } from "../../test/qwen-fixture.js";
import { createLogger, silentLogger } from "../base/index.js";
import { loadTokenizer, readSafetensors } from "../qwen/index.js";
import { runCli } from "./program.js";

const model = fixture("model");
const scratch = () => mkdtempSync(join(tmpdir(), "dip-cli-"));

/** Runs a command in this process; what it prints and what it logs. */
async function dip(...args: string[]) {
  const lines: string[] = [];
  let log = "";
  const stream = { write: (text: string) => (log += text) };
  const logger = process.env["DIP_DEBUG"]
    ? createLogger()
    : { ...silentLogger, info: (text: string) => stream.write(text + "\n") };
  const code = await runCli(args, {
    logger,
    print: (line) => {
      lines.push(line);
      return Promise.resolve();
    },
  });
  return { code, lines, log, json: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe("dip-r1 logprobs", () => {
  it("equals Hugging Face on the goldens, from pictures and words", async () => {
    const golden = await readSafetensors(fixture("golden/text.safetensors"));
    const { scalars } = fixtureJson<{ scalars: Record<string, number> }>("golden/manifest.json");
    const tokenizer = await loadTokenizer(model);
    const numbers = (name: string) =>
      Array.from(golden.get(name)!.data as ArrayLike<number | bigint>, Number);
    const cases = ["a", "b", "c"].map((name) => {
      const ids = numbers(`${name}.input_ids`);
      const length = scalars[`${name}.prompt_length`]!;
      // The user's words stand between the picture and the end of the turn; the golden completion ends in <|im_end|>.
      const [, asked] = /<\|vision_end\|>(.*?)<\|im_end\|>/s.exec(tokenizer.decode(ids.slice(0, length)))!;
      const tokens = ids.slice(length, -1);
      return { name, tokens, prompt: asked!, completion: tokenizer.decode(tokens) };
    });
    const input = join(scratch(), "input.jsonl");
    writeFileSync(
      input,
      cases
        .map(({ name, prompt, completion }) => {
          const image = fixture(`images/${name}.png`);
          return JSON.stringify({ image, prompt, completion }) + "\n";
        })
        .join(""),
    );
    const { code, json } = await dip("logprobs", "--model", model, "--input", input, "--json");
    expect(code).toBe(0);
    const lines = json() as { tokens: number[]; logprobs: number[] }[];
    expect(lines).toHaveLength(3);
    for (const [i, { name, tokens }] of cases.entries()) {
      expect(Object.keys(lines[i]!)).toEqual(["tokens", "logprobs"]);
      expect(lines[i]!.tokens).toEqual(tokens);
      const expected = numbers(`${name}.completion_logprobs`);
      for (const [t, value] of lines[i]!.logprobs.entries())
        expect(Math.abs(value - expected[t]!)).toBeLessThan(2e-5);
    }
  });

  it("names the line that does not fit", async () => {
    const input = join(scratch(), "input.jsonl");
    writeFileSync(input, '{"image":"a.png","prompt":"p"}\n');
    expect((await dip("logprobs", "--model", model, "--input", input)).code).toBe(2);
    writeFileSync(input, '{"image":"missing.png","prompt":"p","completion":"c"}\n');
    expect((await dip("logprobs", "--model", model, "--input", input)).code).toBe(2);
  });
});

describe("dip-r1 detect", () => {
  it("writes boxes and an overlay for each picture", async () => {
    const out = scratch();
    const pictures = ["a", "b"].map((name) => fixture(`images/${name}.png`));
    const args = ["--model", model, "--out", out, "--max-tokens", "8", "--json"];
    const { code, json } = await dip("detect", ...pictures, pictures[0]!, ...args);
    expect(code).toBe(0);
    expect(json()).toHaveLength(3);
    expect(json()[0]).toMatchObject({
      image: pictures[0],
      width: 140,
      height: 84,
      stopReason: "length",
      boxes: [],
    });
    expect(readdirSync(out).sort()).toEqual(["a-2.json", "a-2.png", "a.json", "a.png", "b.json", "b.png"]);
    expect(JSON.parse(readFileSync(join(out, "b.json"), "utf8"))).toEqual(json()[1]);
  });

  it.each([
    ["a picture that is not there", ["/no.png", "--model", model, "--out", "x"]],
    ["a model that is not there", [fixture("images/a.png"), "--model", "/no", "--out", "x"]],
    ["a device that is none", [fixture("images/a.png"), "--model", model, "--out", "x", "--device", "gpu"]],
    ["a prompt that is none", [fixture("images/a.png"), "--model", model, "--out", "x", "--prompt", "no"]],
    ["a length that is none", [fixture("images/a.png"), "--model", model, "--out", "x", "--max-tokens", "0"]],
  ])("exits with 2 for %s", async (_, args) => {
    expect((await dip("detect", ...args)).code).toBe(2);
  });
});

describe("dip-r1 eval", () => {
  it("prints one object with summaries and intervals", async () => {
    const args = ["--model", model, "--data", "scenes:plaza?count=3", "--max-tokens", "6", "--samples", "2"];
    const { code, json } = await dip("eval", ...args, "--limit", "2", "--json");
    expect(code).toBe(0);
    expect(json()).toHaveLength(1);
    expect(json()[0]).toMatchObject({
      data: { name: "plaza", images: 2 },
      prompt: "dip-r1",
      greedy: { images: 2, responses: 2, f1: 0, intervals: { f1: { value: 0 } } },
      sampled: { samples: 2, responses: 4 },
    });
    expect((await dip("eval", "--model", model, "--data", "scenes:moon")).code).toBe(2);
  });
});

describe("dip-r1 train", () => {
  it("trains, resumes and reports", async () => {
    const folder = scratch();
    const recipe = join(folder, "tiny.yaml");
    writeFileSync(
      recipe,
      `kind: sft
name: tiny
engine: {model: "${model}"}
prompt: dip-r1-short
data: {train: "scenes:plaza?count=8", eval: {plaza: "scenes:plaza?count=2&seed=5", fog: "scenes:fog?count=1"}}
evaluation: {images: 2, samples: 2, maxTokens: 6}
sft: {steps: 1, batchSize: 2}
`,
    );
    const out = join(folder, "run");
    const first = await dip("train", recipe, "--out", out);
    expect(first.code).toBe(0);
    expect(first.lines.join("\n")).toMatch(/plaza \(in-domain, greedy, 2 images\)\n {2}before/);
    expect(existsSync(join(out, "report.html"))).toBe(true);
    expect(readdirSync(join(out, "overlays"))).toHaveLength(3);
    expect((await dip("train", recipe, "--out", out)).code).toBe(2);
    const more = await dip("train", recipe, "--out", out, "--resume", "--set", "sft.steps=2");
    expect(more).toMatchObject({ code: 0, log: expect.stringContaining("after step 1") as string });
    expect((await dip("train", recipe, "--set", "sft.stepz=2")).code).toBe(2);
    // The result opens as a model of its own.
    const args = ["--data", "scenes:plaza?count=1", "--max-tokens", "4", "--json"];
    const result = await dip("eval", "--model", join(out, "model"), ...args);
    expect(result.code).toBe(0);
    // So does the run, which means its result, and a checkpoint, which knows what it was trained to be asked as well.
    const run = await dip("eval", "--model", out, ...args);
    const checkpoint = await dip("eval", "--model", join(out, "checkpoints", "step-000002"), ...args);
    for (const { json } of [run, checkpoint])
      expect(json()).toMatchObject([{ prompt: "dip-r1-short", greedy: result.json()[0]!["greedy"] }]);
  });
});

describe("dip-r1 data", () => {
  it("writes what it can read again, and says what is in it", async () => {
    const out = join(scratch(), "set");
    expect((await dip("data", "generate", "scenes:aerial?count=3", "--out", out)).code).toBe(0);
    const inspect = await dip("data", "inspect", join(out, "samples.jsonl"), "--json");
    expect(inspect.json()).toMatchObject([{ images: 3, sizes: { "112x112": 3 } }]);
    const pictures = join(out, "look");
    const draw = ["data", "inspect", "scenes:fog?count=4", "--pictures", pictures];
    expect((await dip(...draw, "--limit", "2")).code).toBe(0);
    expect(readdirSync(pictures)).toHaveLength(2);
    expect((await dip(...draw, "--limit", "0")).code).toBe(2);
  });
});
