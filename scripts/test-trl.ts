/**
 * @file `npm run test:trl -- --python PATH`: TRL's real GRPOTrainer, three steps, with our rewards through the server; then
 * every reward and advantage that TRL logged is computed again by the library from the completions that TRL logged.
 *
 * By hand, because it needs TRL in a Python of its own (some minutes and 6 GB):
 *
 *     python3 -m venv ~/trl && ~/trl/bin/pip install torch torchvision transformers trl datasets accelerate pillow pandas rich
 *     npm run test:trl -- --python ~/trl/bin/python --model FOLDER
 *
 * A model of random weights says nothing that can be read, so all its rewards are equal; the small base model that ships,
 * a Qwen2.5-VL too, is trained after it, and there the rewards must differ.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { Command } from "commander";
import { InputError, packageRoot } from "../src/base/index.js";
import { convertDataset, openDataset } from "../src/datasets/index.js";
import { loadImageProcessorConfig } from "../src/qwen/index.js";
import { parseResponse } from "../src/response/index.js";
import { scoreGroup, truthFromSample } from "../src/rewards/index.js";
import { groupAdvantages } from "../src/rl/index.js";
import { presets, rewardsOf, type PresetName } from "../src/runs/index.js";
import { startRewardServer } from "../src/server/index.js";
import { renderTable } from "../src/study/table.js";

interface Options {
  readonly python?: string;
  readonly model: readonly string[];
  readonly steps: number;
  readonly group: number;
  readonly recipe: PresetName;
}

interface Row {
  readonly step: number;
  readonly id: string;
  readonly grade: string;
  readonly completion: string;
  readonly dip_r1: number;
  readonly advantage: number;
}

interface TrlReport {
  readonly rows: readonly Row[];
  readonly logs: readonly Readonly<Record<string, number | string>>[];
  readonly versions: Readonly<Record<string, string>>;
}

function assert(condition: boolean, message: string): void {
  if (!condition) throw new Error(`test:trl: ${message}`);
}

/** TRL keeps rewards in single precision. */
const near = (a: number, b: number, tolerance: number) =>
  Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b));

async function testModel(model: string, name: string, python: string, options: Options): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "dip-trl-"));
  const { rewards } = await rewardsOf(options.recipe);
  const resize = await loadImageProcessorConfig(model);
  const dataset = await openDataset("scenes:plaza?count=2&seed=7");
  const samples = [await dataset.at(0), await dataset.at(1)];
  const server = await startRewardServer({ rewards, samples, frame: "model", resize });
  try {
    const data = join(folder, "data");
    const file = join(data, "samples.jsonl");
    await convertDataset(dataset, {
      format: "trl",
      out: data,
      copyImages: true,
      absolutePaths: false,
      force: false,
      chat: { frame: "absolute", resize, prompt: "dip-r1-short" },
    });
    const { stdout } = await promisify(execFile)(
      python,
      [
        join(packageRoot, "scripts/trl_rewards.py"),
        model,
        file,
        join(folder, "out"),
        "--steps",
        String(options.steps),
        "--group",
        String(options.group),
      ],
      { cwd: data, maxBuffer: 2 ** 26, env: { ...process.env, DIP_R1_URL: server.url, DIP_R1_TOKEN: "" } },
    );
    const report = JSON.parse(stdout.trim().split("\n").at(-1)!) as TrlReport;

    // The truth as TRL's dataset has it: whole pixels of the picture that the model sees.
    const lines = (await readFile(file, "utf8")).trim().split("\n");
    const truths = new Map(
      (await openChat(file, lines.length)).map((sample) => {
        const line = lines
          .map((text) => JSON.parse(text) as Record<string, number | string>)
          .find(({ id }) => id === sample.id)!;
        const modelSize = { width: Number(line["model_width"]), height: Number(line["model_height"]) };
        return [sample.id, truthFromSample(sample, { frame: "model", modelSize })] as const;
      }),
    );

    assert(
      report.rows.length === options.steps * 2 * options.group,
      `${report.rows.length} completions logged`,
    );
    const table: string[][] = [
      [
        "step",
        "picture",
        "rewards by TRL",
        "rewards by the library",
        "advantages by TRL",
        "largest difference",
      ],
    ];
    let spread = 0;
    for (let step = 1; step <= options.steps; step++) {
      const ofStep = report.rows.filter((row) => row.step === step);
      const means: number[] = [];
      for (const id of new Set(ofStep.map((row) => row.id))) {
        const group = ofStep.filter((row) => row.id === id);
        assert(group.length === options.group, `step ${step}: ${group.length} responses to ${id}`);
        const truth = truths.get(id)!;
        const scores = scoreGroup(
          truth,
          group.map(({ completion }) => parseResponse(completion, truth.size)),
          rewards,
        ).responses;
        const totals = scores.map(({ total }) => total);
        const { advantages } = groupAdvantages([totals], { kind: "group" });
        const differences = group.flatMap((row, i) => [
          Math.abs(row.dip_r1 - totals[i]!),
          Math.abs(row.advantage - advantages[0]![i]!),
        ]);
        for (const [i, row] of group.entries()) {
          assert(
            row.grade === scores[i]!.grade,
            `step ${step}, ${id}: grade ${row.grade} is not ${scores[i]!.grade}`,
          );
          assert(
            near(row.dip_r1, totals[i]!, 1e-6),
            `step ${step}, ${id}: reward ${row.dip_r1} is not ${totals[i]}`,
          );
          assert(
            near(row.advantage, advantages[0]![i]!, 1e-4),
            `step ${step}, ${id}: advantage ${row.advantage} is not ${advantages[0]![i]}`,
          );
        }
        means.push(...totals);
        spread = Math.max(spread, Math.max(...totals) - Math.min(...totals));
        table.push([
          String(step),
          id,
          group.map((row) => row.dip_r1.toFixed(4)).join(" "),
          totals.map((total) => total.toFixed(4)).join(" "),
          group.map((row) => row.advantage.toFixed(3)).join(" "),
          Math.max(...differences).toExponential(1),
        ]);
      }
      const logged = Number(report.logs.find((entry) => entry["step"] === step)!["reward"]);
      const mean = means.reduce((sum, value) => sum + value, 0) / means.length;
      assert(
        near(logged, mean, 1e-6),
        `step ${step}: TRL logs a mean reward of ${logged}, the library gives ${mean}`,
      );
    }
    console.log(`${name}: ${report.rows.length} rewards in ${options.steps} steps, all equal`);
    console.log(renderTable(table, { align: ["right", "left"] }));
    const grades = [...new Set(report.rows.map(({ grade }) => grade))]
      .map((grade) => `${grade} ${report.rows.filter((row) => row.grade === grade).length}`)
      .join(", ");
    console.log(`grades: ${grades}; largest spread of a group's rewards ${spread.toFixed(3)}`);
    console.log(
      Object.entries(report.versions)
        .map(([library, version]) => `${library} ${version}`)
        .join(", "),
    );
    if (model === SHIPPED) assert(spread > 0, "all rewards are equal, so their equality shows nothing");
  } finally {
    await server.stop();
    await rm(folder, { recursive: true });
  }
}

async function openChat(file: string, count: number) {
  const dataset = await openDataset(`trl:${file}`);
  assert(dataset.length === count, `${dataset.length} samples of ${count}`);
  return Promise.all(Array.from({ length: count }, (_, i) => dataset.at(i)));
}

const SHIPPED = join(packageRoot, "models/base");
const TINY = join(packageRoot, "../shared/qwen/qwen2_5_vl/model");

await new Command("test:trl")
  .description("TRL's GRPOTrainer with the rewards of our server, and its logged rewards computed again")
  .option(
    "--python <path>",
    "a Python with TRL (default: the variable DIP_R1_TRL_PYTHON)",
    process.env["DIP_R1_TRL_PYTHON"],
  )
  .option("--model <folder...>", "Qwen2.5-VL models to train", [...(existsSync(TINY) ? [TINY] : []), SHIPPED])
  .option("--steps <n>", "optimiser steps", Number, 3)
  .option("--group <n>", "responses to a picture", Number, 4)
  .option("--recipe <preset>", `rewards: ${Object.keys(presets).join(" or ")}`, "paper")
  .action(async (options: Options) => {
    if (options.python === undefined)
      throw new InputError("no Python with TRL", { hint: "Give one with --python or DIP_R1_TRL_PYTHON." });
    for (const model of options.model)
      await testModel(
        model,
        model === SHIPPED ? "models/base" : model === TINY ? "a tiny Qwen2.5-VL of random weights" : model,
        options.python,
        options,
      );
  })
  .parseAsync();
