/** @file Official metrics here and in the official tools, on made sets of the benchmarks' sizes: seconds, memory, and whether they agree. */
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { toError } from "../src/base/errors.js";
import { writeCityPersonsSet, writeCocoSet, writeCrowdHumanSet } from "./metrics-sets.js";

/** Options of {@link benchMetrics}. */
export interface BenchMetricsOptions {
  /** A Python with numpy, pycocotools and faster-coco-eval (and tqdm for CrowdHuman's). */
  readonly python?: string;
  /** Checkout of Purkialo/CrowdDet. */
  readonly crowdhuman?: string;
  /** Checkout of cvgroup-njust/CityPersons. */
  readonly citypersons?: string;
  /** Runs of each side, of which the median is taken; pycocotools runs once. */
  readonly repeat: number;
  /** COCO images. */
  readonly images: number;
}

interface Run {
  readonly seconds: number;
  readonly cpu: number;
  readonly peakMb: number;
  readonly numbers: Readonly<Record<string, number | null>>;
}

const run = promisify(execFile);
const script = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Runs a side several times, each in a process of its own; the run of median time. */
async function median(repeat: number, command: string, args: readonly string[]): Promise<Run> {
  const runs: Run[] = [];
  for (let i = 0; i < repeat; i++) {
    const { stdout } = await run(command, args, { maxBuffer: 2 ** 26 });
    runs.push(JSON.parse(stdout.trim().split("\n").at(-1)!) as Run);
  }
  return runs.toSorted((a, b) => a.seconds - b.seconds)[Math.floor((runs.length - 1) / 2)]!;
}

const ours = (repeat: number, metric: string, gt: string, dt: string) =>
  median(repeat, process.execPath, ["--import", "tsx", script("metrics-ours.ts"), metric, gt, dt]);

const said = (name: string, { seconds, cpu, peakMb }: Run) =>
  `  ${name.padEnd(18)} ${seconds.toFixed(2).padStart(7)} s (CPU ${cpu.toFixed(1)} s), peak ${peakMb.toFixed(0)} MB`;

/** How far the numbers are apart. */
function largestDifference(a: Run, b: Run): number {
  const names = Object.keys(b.numbers);
  return Math.max(...names.map((name) => Math.abs((a.numbers[name] ?? -1) - (b.numbers[name] ?? -1))));
}

async function beside(
  own: Run,
  name: string,
  repeat: number,
  python: string,
  args: readonly string[],
): Promise<void> {
  try {
    const theirs = await median(repeat, python, [script("peers/metrics_eval.py"), ...args]);
    console.log(said(name, theirs));
    console.log(
      `    dip-r1 is ${(theirs.seconds / own.seconds).toFixed(1)} times as fast (${(theirs.cpu / own.cpu).toFixed(1)} by CPU time) and takes ${(own.peakMb / theirs.peakMb).toFixed(2)} of its memory; ` +
        `numbers differ by at most ${largestDifference(own, theirs).toExponential(1)}`,
    );
  } catch (error) {
    // One peer that is not installed must not hide the others.
    console.log(`  ${name.padEnd(18)} not run: ${toError(error).message.trim().split("\n").at(-1)}`);
  }
}

/** Makes the sets, runs both sides one after the other, and prints times, peaks and ratios. */
export async function benchMetrics(options: BenchMetricsOptions): Promise<void> {
  const { python, repeat, images } = options;
  const folder = await mkdtemp(join(tmpdir(), "dip-bench-metrics-"));
  const paths = (name: string) => ({ gt: join(folder, `${name}-gt`), dt: join(folder, `${name}-dt`) });
  try {
    console.log(`${cpus()[0]?.model ?? "unknown CPU"}, ${cpus().length} cores, Node ${process.version}`);
    console.log(`files to numbers, in processes of their own; medians of ${repeat}`);
    const coco = paths("coco");
    await writeCocoSet(coco, { images, truths: 30, detections: 60 });
    console.log(`COCO: ${images} images x 30 truths x 60 detections`);
    const onCoco = await ours(repeat, "coco", coco.gt, coco.dt);
    console.log(said("dip-r1", onCoco));
    if (python !== undefined) {
      await beside(onCoco, "faster-coco-eval", repeat, python, ["faster-coco-eval", coco.gt, coco.dt]);
      await beside(onCoco, "pycocotools", 1, python, ["pycocotools", coco.gt, coco.dt]);
    }
    const sets = [
      {
        metric: "crowdhuman",
        title: "CrowdHuman: 4370 images x 23 truths x 50 detections",
        make: writeCrowdHumanSet,
        shape: { images: 4370, truths: 23, detections: 50 },
        checkout: options.crowdhuman,
      },
      {
        metric: "citypersons",
        title: "CityPersons: 500 images x 12 truths x 50 detections",
        make: writeCityPersonsSet,
        shape: { images: 500, truths: 12, detections: 50 },
        checkout: options.citypersons,
      },
    ];
    for (const { metric, title, make, shape, checkout } of sets) {
      const { gt, dt } = paths(metric);
      await make({ gt, dt }, shape);
      console.log(title);
      const own = await ours(repeat, metric, gt, dt);
      console.log(said("dip-r1", own));
      if (python !== undefined && checkout !== undefined)
        await beside(own, "official", 1, python, [metric, gt, dt, checkout]);
    }
    if (python === undefined)
      console.log("peers not run: give a Python with pycocotools and faster-coco-eval with --python");
    else if (options.crowdhuman === undefined || options.citypersons === undefined)
      console.log("official evaluators: give checkouts with --crowdhuman and --citypersons");
  } finally {
    await rm(folder, { recursive: true });
  }
}
