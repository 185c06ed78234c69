import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { packageRoot, InputError } from "../base/index.js";
import { examine, type DoctorOptions, type DoctorReport } from "./doctor.js";
import { readRealResponses, responseChecks } from "./doctor-responses.js";
import { defaultRewardConfig } from "../rewards/index.js";
import { parseRecipe } from "./recipe.js";

const folder = mkdtempSync(join(tmpdir(), "dip-doctor-"));
const write = (name: string, ...lines: unknown[]) => {
  const path = join(folder, name);
  writeFileSync(path, lines.map((line) => JSON.stringify(line) + "\n").join(""));
  return path;
};

const RECIPE = `
kind: grpo
preset: recommended
engine: {model: models/base}
data: {train: "scenes:plaza?count=12&width=112&height=112", eval: {night: "scenes:night?count=2"}}
prompt: dip-r1-short
grpo: {groupSize: 4, sampling: {maxTokens: 192}}
`;
const visit = (set: string[] = [], options: DoctorOptions = {}): Promise<DoctorReport> =>
  examine(parseRecipe(RECIPE, join(packageRoot, "r.yaml"), { set }), { samples: 6, ask: 0, ...options });
const found = ({ checks }: DoctorReport, name: string) => checks.find((one) => one.name === name)!;

describe("examine", () => {
  it("finds a sound recipe sound, with a word on every link of the chain", async () => {
    const report = await visit();
    expect(report.checks.filter(({ status }) => status === "fail" || status === "warn")).toEqual([]);
    expect(report.healthy).toBe(true);
    expect(report.checks.map(({ name }) => name)).toEqual([
      "training data", "data to judge on: night", "pictures decode", "labels are those asked for",
      "boxes are inside the pictures", "model folder", "prompt fits", "ground truth earns the maximum",
      "a wrong frame does not earn it", "responses fit the token budget", "objects are large enough to see",
      "real responses can be read", "rewards cannot be gamed", "group is large enough",
    ]); // prettier-ignore
    expect(found(report, "ground truth earns the maximum").found).toMatch(
      /format 1 and accuracy 1 on 6 samples/,
    );
    expect(found(report, "a wrong frame does not earn it").found).toMatch(
      /thousandths: accuracy 0\.\d\d on 6/,
    );
  });

  it("asks the model, and shows one response as it is scored", async () => {
    const report = await visit([], { ask: 2 });
    expect(found(report, "real responses can be read").found).toMatch(/^8 responses: strict \d/);
    expect(found(report, "real responses are in the right frame").status).toBe("pass");
    expect(report.example).toMatch(/response 0: <think>[^]*format [\d.]+: [^]*accuracy/);
  }, 120_000);

  it.each([
    ["data that is not there", "data.train=coco:nowhere.json", "training data", "fail", /no such file/],
    ["labels that no object has", "data.labels=[bicycle]", "labels are those asked for", "fail", /asked for bicycle; .*person \d/],
    ["a label too many", "data.labels=[person, bicycle]", "labels are those asked for", "warn", /bicycle/],
    ["a model that is not there", "engine.model=nowhere", "model folder", "fail", /nowhere/],
    ["responses cut off", "grpo.sampling.maxTokens=40", "responses fit the token budget", "fail", /would be cut off/],
    ["a prompt with no room", "grpo.sampling.maxTokens=1000", "prompt fits", "fail", /of 1024 positions/],
    ["rewards that pay for exploits", "rewards.look={kind: count-variance}", "rewards cannot be gamed", "warn", /own disagreement/],
    ["a group of two", "grpo.groupSize=2", "group is large enough", "warn", /2 responses/],
  ] as const)("finds %s", async (_, set, name, status, message) => {
    const report = await visit([set]);
    const one = found(report, name);
    expect(one.status).toBe(status);
    expect(one.found + (one.advice ?? "")).toMatch(message);
    expect(one.advice ?? "").not.toBe("");
    expect(report.healthy).toBe(status !== "fail");
  }); // prettier-ignore

  it("finds boxes in another unit and pictures of another size", async () => {
    const shares = write("shares.jsonl", ...[1, 2, 3].map((i) => ({
      id: `a${i}`, image: "x.png", width: 100, height: 100, objects: [{ bbox: [0.1, 0.2, 0.5, 0.9], label: "person" }],
    })));
    const report = await visit([`data.train=jsonl:${shares}`]);
    expect(found(report, "boxes are inside the pictures")).toMatchObject({ status: "fail", found: expect.stringContaining("two pixels") as string });
    expect(found(report, "pictures decode").status).toBe("fail");
    expect(report.healthy).toBe(false);
  }); // prettier-ignore
});

describe("real responses", () => {
  const say = (answer: string) => `<think>x</think><look>[]</look><answer>${answer}</answer>`;

  it("are read from groups, rollouts and bare strings", async () => {
    const path = write("responses.jsonl", { responses: [say("[]"), "x"] }, { text: say("[[1,2,3,4]]"), step: 1 }, "none");
    expect((await readRealResponses(path)).map(({ texts }) => texts.length)).toEqual([2, 1, 1]);
    const report = await visit([], { responses: await readRealResponses(path) });
    expect(found(report, "real responses can be read").found).toBe("4 responses: strict 2, repaired 0, truncated 0, none 2");
    expect(found(report, "real responses are in the right frame").status).toBe("skip");
    await expect(readRealResponses(write("bad.jsonl", { said: 1 }))).rejects.toThrow(InputError);
  }); // prettier-ignore

  it("fail where none can be read, where the frame is another, and where all earn the same", () => {
    const boxes = Array.from({ length: 9 }, (_, i) => ({ x1: 40 + 120 * i, y1: 60, x2: 120 + 120 * i, y2: 300 + 10 * i }));
    const size = { width: 1260, height: 700 };
    const truth = { size, objects: boxes.map((box) => ({ box, label: "person" })), ignore: [] };
    const thousandths = say(JSON.stringify(boxes.map(({ x1, y1, x2, y2 }) => [x1 / 1.26, y1 / 0.7, x2 / 1.26, y2 / 0.7].map(Math.round))));
    const judge = (...texts: string[]) =>
      responseChecks([{ id: "a", texts, truth, image: { width: 2520, height: 1400 } }], "absolute", defaultRewardConfig).checks;
    const [, frame, spread] = judge(thousandths, thousandths);
    expect(frame).toMatchObject({ status: "fail", found: expect.stringContaining("thousandths") as string });
    expect(spread).toMatchObject({ status: "fail" });
    expect(judge("people", "many")[0]).toMatchObject({ status: "fail", found: "2 responses: strict 0, repaired 0, truncated 0, none 2" });
    const right = say(JSON.stringify(boxes.map(({ x1, y1, x2, y2 }) => [x1, y1, x2, y2])));
    expect(judge(right, "many").map(({ status }) => status)).toEqual(["pass", "pass", "pass"]);
  }); // prettier-ignore
});
