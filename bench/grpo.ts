/** @file A GRPO step here and in TRL: the same architecture, images, number and length of responses. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { generateScene, writePng } from "../src/datasets/index.js";
import { createLocalEngine } from "../src/engines/local/engine.js";
import { loadPixels } from "../src/datasets/image-file.js";
import { writeBenchModel } from "./bench-model.js";

const IMAGES = 2;
const GROUP = 8;
const TOKENS = 256;
const SIDE = 224;
/** About as long as the peer's: 96 tokens with the image's 64. */
const QUESTION = "Detect every person";

interface StepTimes {
  readonly step: number;
  readonly generate: number;
  readonly train: number;
}

const median = (values: readonly number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)]!;

async function ours(folder: string, pictures: readonly string[], steps: number): Promise<StepTimes[]> {
  const engine = await createLocalEngine({ modelDir: folder });
  const { decodeImage } = await import("../src/datasets/image-file.js");
  const images = await Promise.all(pictures.map((path) => decodeImage(path)));
  const prompts = images.map((image) => ({
    chunks: engine.processor.encodePrompt({ text: QUESTION, images: [image] }),
  }));
  const times: StepTimes[] = [];
  for (let step = 0; step <= steps; step++) {
    const t0 = performance.now();
    const sampler = await engine.sampler();
    const groups = await sampler.sampleBatch(
      prompts,
      prompts.map((_, i) => ({
        n: GROUP,
        maxTokens: TOKENS,
        temperature: 1,
        seed: step * IMAGES + i,
        stop: [],
      })),
    );
    await sampler.close();
    const t1 = performance.now();
    // The peer's reward: the number of digits, here of number tokens (ids below 1000).
    const batch = groups.flatMap((rollouts, i) => {
      const rewards = rollouts.map(({ tokens }) => tokens.filter((id) => id < 1000).length);
      const mean = rewards.reduce((a, b) => a + b, 0) / GROUP;
      const std = Math.sqrt(rewards.reduce((a, b) => a + (b - mean) ** 2, 0) / (GROUP - 1));
      return rollouts.map(({ tokens, logprobs }, j) => ({
        prompt: prompts[i]!,
        tokens,
        weights: new Float32Array(tokens.length).fill(1 / (IMAGES * GROUP * TOKENS)),
        advantages: new Float32Array(tokens.length).fill((rewards[j]! - mean) / (std + 1e-4)),
        oldLogprobs: logprobs,
      }));
    });
    await engine.forwardBackward(batch, {
      kind: "policy",
      clipLow: 0.2,
      clipHigh: 0.2,
      klBeta: 0,
      klEstimator: "k3",
      temperature: 1,
    });
    await engine.optimStep({ learningRate: 1e-6, maxGradNorm: 1 });
    const t2 = performance.now();
    if (step > 0) times.push({ step: (t2 - t0) / 1000, generate: (t1 - t0) / 1000, train: (t2 - t1) / 1000 });
  }
  await engine.close();
  return times;
}

interface PeerReport {
  readonly step_s: number;
  readonly generate_s: number;
  readonly peak_mb: number;
  readonly versions: Readonly<Record<string, string>>;
}

async function peer(
  python: string,
  folder: string,
  pictures: readonly string[],
  steps: number,
): Promise<PeerReport> {
  const script = fileURLToPath(new URL("peers/trl_grpo.py", import.meta.url));
  const args = [
    script,
    folder,
    "--steps",
    String(steps + 1),
    ...pictures.flatMap((path) => ["--image", path]),
  ];
  const { stdout } = await promisify(execFile)(python, args, { maxBuffer: 2 ** 26 });
  return JSON.parse(stdout.trim().split("\n").at(-1)!) as PeerReport;
}

/** Runs both sides, one after the other, and prints times and their ratio. */
export async function benchGrpo(options: {
  readonly python?: string;
  readonly steps: number;
}): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "dip-bench-"));
  try {
    await writeBenchModel(folder);
    const pictures = [];
    for (let index = 0; index < IMAGES; index++) {
      const path = join(folder, `${index}.png`);
      await writePng(path, await loadPixels(generateScene({ seed: 1, index, width: SIDE, height: SIDE })));
      pictures.push(path);
    }
    console.log(`${cpus()[0]?.model ?? "unknown CPU"}, ${cpus().length} cores, Node ${process.version}`);
    console.log(
      `GRPO step: ${IMAGES} images x ${GROUP} responses x ${TOKENS} tokens, medians of ${options.steps}`,
    );
    const times = await ours(folder, pictures, options.steps);
    const step = median(times.map((t) => t.step));
    const generate = median(times.map((t) => t.generate));
    const train = median(times.map((t) => t.train));
    const peak = process.resourceUsage().maxRSS / 1024;
    console.log(
      `dip-r1  ${step.toFixed(2)} s a step (sampling ${generate.toFixed(2)} s, update ${train.toFixed(2)} s), peak ${peak.toFixed(0)} MB`,
    );
    if (options.python === undefined) {
      console.log("TRL     not run: give a Python that has it with --python");
      return;
    }
    const theirs = await peer(options.python, folder, pictures, options.steps);
    const versions = Object.entries(theirs.versions).map(([name, version]) => `${name} ${version}`);
    console.log(
      `TRL     ${theirs.step_s.toFixed(2)} s a step (generation ${theirs.generate_s.toFixed(2)} s), peak ${theirs.peak_mb} MB; ${versions.join(", ")}`,
    );
    console.log(`dip-r1 takes ${(step / theirs.step_s).toFixed(2)} of TRL's time`);
  } finally {
    await rm(folder, { recursive: true });
  }
}
