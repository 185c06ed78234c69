/** @file `dip-r1 eval-detections`: the official numbers of ground truth and detection files, without a model. */
import { join } from "node:path";
import { Command, Option } from "commander";
import { InputError } from "../base/errors.js";
import { numberOption, type CliContext } from "./context.js";
import {
  detectionMetrics,
  type DetectionMetric,
  type Evaluated,
  type MetricOptions,
} from "./eval-detections-metrics.js";

interface EvalDetectionsOptions extends MetricOptions {
  readonly metric: DetectionMetric;
  readonly gt: string;
  readonly dt: string;
  readonly plots?: string;
  readonly json?: boolean;
}

/** The flag of each metric option, for errors. */
const flags: Readonly<Record<keyof MetricOptions, string>> = {
  maxDets: "--max-dets",
  boxes: "--boxes",
  dtKey: "--dt-key",
  beforeFirst: "--before-first",
  iou: "--iou",
  sequences: "--sequences",
  ignore: "--ignore",
  year: "--year",
};

/** @throws InputError for an option that this metric does not take: it would change nothing, silently. */
function checkOptions(options: EvalDetectionsOptions): void {
  const taken: readonly (keyof MetricOptions)[] = detectionMetrics[options.metric].options;
  for (const key of Object.keys(flags) as (keyof MetricOptions)[]) {
    if (options[key] === undefined || taken.includes(key)) continue;
    throw new InputError(`${flags[key]} is no option of --metric ${options.metric}`, {
      hint: `It takes ${taken.map((name) => flags[name]).join(", ")}.`,
    });
  }
}

async function writePlots(
  folder: string,
  metric: string,
  { curves, format, numbers }: Evaluated,
): Promise<string[]> {
  const { writeFileAtomic } = await import("../base/index.js");
  const plots = await import("../study/curve-plots.js");
  const known = curves.flatMap((one) => (one.curve === null ? [] : [{ ...one, curve: one.curve }]));
  const legend = (label: string, name: string | undefined) => {
    const value = name === undefined ? undefined : numbers[name];
    return value === undefined || value === null || name === undefined
      ? label
      : `${label}${name === label ? "" : `, ${name}`}  ${format(value)}`;
  };
  const figures = {
    "precision-recall": plots.precisionRecallPlot(
      `${metric}: precision and recall`,
      known.map(({ label, precision, curve }) => ({
        label: legend(label, precision),
        x: curve.recall,
        y: curve.precision,
      })),
    ),
    "miss-rate": plots.missRatePlot(
      `${metric}: miss rate and false positives per image`,
      known.map(({ label, missRate, curve }) => ({
        label: legend(label, missRate),
        x: curve.fppi,
        y: curve.recall.map((recall) => 1 - recall),
      })),
    ),
  };
  const written: string[] = [];
  for (const [name, plot] of Object.entries(figures)) {
    const path = join(folder, name);
    await writeFileAtomic(`${path}.png`, await plots.renderCurvesPng(plot));
    await writeFileAtomic(`${path}.svg`, plots.renderCurvesSvg(plot));
    written.push(`${path}.png`, `${path}.svg`);
  }
  return written;
}

async function evalDetections(options: EvalDetectionsOptions, context: CliContext): Promise<void> {
  checkOptions(options);
  const { codeFingerprint, fingerprintPath } = await import("../base/index.js");
  const { metric, gt, dt } = options;
  const evaluated = await detectionMetrics[metric].evaluate(gt, dt, options);
  if (options.json === true) {
    const files: Record<string, { path: string; sha256: string }> = {};
    for (const [name, path] of Object.entries({ gt, dt, ...evaluated.files }))
      files[name] = { path, sha256: await fingerprintPath(path) };
    const { numbers, bounds, counts, options: chosen, notes } = evaluated;
    const versions = { dipR1: await codeFingerprint(), node: process.version };
    await context.print(
      JSON.stringify({ metric, numbers, bounds, counts, options: chosen, notes, files, versions }),
    );
  } else {
    const { benchmarkTable } = await import("./benchmark-table.js");
    await context.print(benchmarkTable(evaluated, evaluated.format));
    for (const note of evaluated.notes) context.logger.warn(note);
  }
  if (options.plots !== undefined) {
    const written = await writePlots(options.plots, metric, evaluated);
    context.logger.info(`${written.length} figures in ${options.plots}`);
  }
}

/** The command. */
export function evalDetectionsCommand(context: CliContext): Command {
  return new Command("eval-detections")
    .description("a benchmark's own numbers for detections in its own files (no model needed)")
    .addOption(
      new Option("--metric <name>", "whose numbers")
        .choices(Object.keys(detectionMetrics))
        .makeOptionMandatory(),
    )
    .requiredOption(
      "--gt <path>",
      "ground truth: COCO json, annotation_val.odgt, val_gt.json, UAVDT's folder, val_bbox.txt",
    )
    .requiredOption("--dt <path>", "detections, in the form that the official tool reads")
    .option("--plots <folder>", "draw precision-recall and miss-rate curves there, as PNG and SVG")
    .option("--json", "one JSON object on stdout, nothing else")
    .option(
      "--max-dets <n>",
      "coco: a further limit beside 1, 10, 100 (default 500); citypersons: best detections of an image (default 1000)",
      numberOption("--max-dets", { min: 1, integer: true }),
    )
    .addOption(
      new Option("--boxes <which>", "crowdhuman: which box of a person (default full)").choices([
        "full",
        "visible",
        "head",
      ]),
    )
    .option("--dt-key <field>", "crowdhuman: the field of a detection that holds its box")
    .addOption(
      new Option(
        "--before-first <rule>",
        "citypersons: recall before the first false positive's reference; official takes the last (default), corrected 0",
      ).choices(["official", "corrected"]),
    )
    .option(
      "--iou <threshold>",
      "uavdt: IoU from which a pair matches (default 0.7)",
      numberOption("--iou", { min: 0, max: 1 }),
    )
    .option("--sequences <names>", "uavdt: only these, separated by commas", (text) => text.split(","))
    .option("--ignore <file>", "widerpedestrian: ignored areas (default: the file beside --gt)")
    .option("--year <year>", "widerpedestrian: 2018 or 2019 (default: told from the columns)", (text) => {
      if (text !== "2018" && text !== "2019") throw new InputError(`--year ${text}: must be 2018 or 2019`);
      return text === "2018" ? 2018 : 2019;
    })
    .action((options: EvalDetectionsOptions) => evalDetections(options, context));
}
