/** @file A run's folder as a report: table, curves, overlays before and after, and where the numbers come from. */
import { dirname, join } from "node:path";
import { stringify } from "yaml";
import { readJsonlTolerant, silentLogger, toError, writeFileAtomic, type Logger } from "../base/index.js";
import { loadPixels, type Sample } from "../datasets/index.js";
import type { Box } from "../geometry/box.js";
import { disagreement, type RewardConfig } from "../rewards/index.js";
import type { EvaluatedImage } from "../rl/index.js";
import {
  openEvaluationSets,
  readEvaluation,
  readManifest,
  type Decoding,
  type EvaluationLine,
  type RunManifest,
} from "../runs/index.js";
import { compareSet } from "./compare.js";
import type { Comparison } from "./comparison.js";
import { metricCharts } from "./metric-charts.js";
import { renderPanels, type HeatMap, type OverlayPanel } from "./overlay.js";
import { renderReport, type Chart, type ReportPicture } from "./report.js";

/** Options of {@link writeRunReport}. */
export interface RunReportOptions {
  /** Overlays of the in-domain set; the other sets get one each. @default 6 */
  readonly pictures?: number;
  readonly logger?: Logger;
}

/** What was written. */
export interface RunReport {
  /** report.html */
  readonly path: string;
  readonly comparison: Comparison;
  /** PNG files. */
  readonly overlays: readonly string[];
}

/** One evaluation, and when it was made. */
interface Judged {
  readonly line: EvaluationLine;
  readonly first: readonly EvaluatedImage[];
  readonly last: readonly EvaluatedImage[];
}

/** First and last evaluation of every set and decoding, cut to the images that both judged. */
async function firstAndLast(
  run: string,
): Promise<{ judged: Judged[]; trained: boolean; lines: EvaluationLine[] }> {
  const lines = (await readJsonlTolerant(join(run, "evaluations.jsonl"))) as EvaluationLine[];
  const end = Math.max(0, ...lines.map(({ step }) => step));
  const judged: Judged[] = [];
  for (const line of lines.filter(({ step }) => step === 0)) {
    const read = async (step: number) => (await readEvaluation(run, step, line.set, line.decoding)) ?? [];
    const [first, last] = [await read(0), await read(end)];
    const common = Math.min(first.length, last.length);
    if (common > 0) judged.push({ line, first: first.slice(0, common), last: last.slice(0, common) });
  }
  return { judged, trained: end > 0, lines };
}

/** F1 of the evaluations in between, where there were some. */
function evaluationCharts(lines: readonly EvaluationLine[]): Chart[] {
  const steps = [...new Set(lines.map(({ step }) => step))].sort((a, b) => a - b);
  if (steps.length < 3) return [];
  return (["greedy", "sampled"] as const).flatMap((decoding) => {
    const sets = [...new Set(lines.filter((line) => line.decoding === decoding).map(({ set }) => set))];
    const series = sets.map((set) => ({
      label: set,
      y: steps.map((step) => {
        const line = lines.find((one) => one.step === step && one.set === set && one.decoding === decoding);
        return (line as { f1?: number } | undefined)?.f1 ?? null;
      }),
    }));
    return series.length === 0 ? [] : [{ title: `Held-out F1, ${decoding}`, x: steps, series }];
  });
}

/** A picture with the first response to it, and what became of each of its boxes, drawn on it. */
export function panelOf(title: string, image: OverlayPanel["image"], judged: EvaluatedImage): OverlayPanel {
  const [response] = judged.responses;
  const { objects, ignore } = judged.truth;
  if (response === undefined) return { title, image };
  const { truePositives, predictions, truths } = response.at50;
  return {
    title,
    caption: `${truePositives} of ${truths} found, ${predictions - truePositives} false alarms (${response.grade})`,
    image,
    truth: objects.map(({ box }) => box),
    ignore,
    look: response.look,
    answers: response.answer.map(({ box }, i) => {
      const match = response.matches[i]!;
      return { box, verdict: match >= 0 ? "hit" : match === -2 ? "ignored" : "miss" };
    }),
  };
}

/** Where sampled responses to one image disagree (design, 4.4); nothing where there are not two. */
export function heatOf(
  size: { readonly width: number; readonly height: number },
  answers: readonly (readonly Box<"image">[])[],
  look: RewardConfig["look"],
): HeatMap | undefined {
  if (answers.length < 2) return undefined;
  const where = disagreement<"image">(size, answers, {
    cells: look.cells,
    occupancy: look.kind === "occupancy-variance",
  });
  const { columns, rows, cell } = where.grid;
  return { columns, rows, cell, values: where.values };
}

/** Pictures of a set: those whose answers changed most, for the better or the worse, so that neither is hidden. */
async function picturesOf(
  set: string,
  judged: readonly Judged[],
  samples: AsyncIterable<Sample>,
  rewards: RewardConfig,
  count: number,
): Promise<{ name: string; picture: ReportPicture }[]> {
  const of = (decoding: Decoding) =>
    judged.find(({ line }) => line.set === set && line.decoding === decoding);
  const greedy = of("greedy");
  if (greedy === undefined) return [];
  const found = (image: EvaluatedImage) => {
    const { truePositives, predictions, truths } = image.responses[0]!.at50;
    return predictions + truths === 0 ? 1 : (2 * truePositives) / (predictions + truths);
  };
  const changes = greedy.first.map((image, i) => ({ i, change: found(greedy.last[i]!) - found(image) }));
  const ranked = changes.toSorted((a, b) => b.change - a.change);
  // Alternately the most improved and the most worsened.
  const chosen: number[] = [];
  const total = Math.min(count, ranked.length);
  for (let k = 0; k < total; k++) chosen.push((k % 2 === 0 ? ranked.shift() : ranked.pop())!.i);
  const wanted = new Set(chosen.map((i) => greedy.first[i]!.id));
  const pictures: { name: string; picture: ReportPicture }[] = [];
  for await (const sample of samples) {
    if (!wanted.delete(sample.id)) continue;
    const i = greedy.first.findIndex(({ id }) => id === sample.id);
    const image = await loadPixels(sample);
    const sampled = of("sampled");
    const group = sampled?.first.find(({ id }) => id === sample.id);
    const heat = heatOf(
      sample,
      (group?.responses ?? []).map(({ answer }) => answer.map(({ box }) => box)),
      rewards.look,
    );
    const png = await renderPanels([
      panelOf("before", image, greedy.first[i]!),
      panelOf("after", image, greedy.last[i]!),
      ...(heat
        ? [{ title: `disagreement of ${group!.responses.length} responses, before`, image, heat }]
        : []),
    ]);
    const caption = `${set}, ${sample.id}: F1 ${found(greedy.first[i]!).toFixed(2)} before, ${found(greedy.last[i]!).toFixed(2)} after`;
    pictures.push({
      name: (sample.id.startsWith(set) ? sample.id : `${set}-${sample.id}`).replaceAll(/[^\w.-]+/g, "_"),
      picture: { png, caption },
    });
    if (wanted.size === 0) break;
  }
  return pictures;
}

function factsOf(manifest: RunManifest, steps: number, seconds: number): [string, string][] {
  return [
    ["recipe", manifest.source.path],
    ...(manifest.source.set.length > 0 ? [["set", manifest.source.set.join("  ")] as [string, string]] : []),
    ["seed", String(manifest.seed)],
    ["steps", `${steps} in ${(seconds / 60).toFixed(1)} minutes of training`],
    ["state", manifest.state],
    ["started", manifest.created],
    ...(manifest.resumed.length > 0
      ? [["resumed at steps", manifest.resumed.join(", ")] as [string, string]]
      : []),
    ["base model", `sha256 ${manifest.model}`],
    ...Object.entries(manifest.data).map(([name, hash]): [string, string] => [
      `data ${name}`,
      `sha256 ${hash}`,
    ]),
    ["code", `dip-r1 ${manifest.code.version}, sha256 ${manifest.code.sha256}`],
    ...Object.entries(manifest.versions),
  ];
}

/**
 * Writes `report.html` and `overlays/*.png` into a run's folder.
 * @throws InputError where the folder holds no run.
 * @example const { comparison } = await writeRunReport("runs/start"); console.log(comparisonTable(comparison));
 */
export async function writeRunReport(run: string, options: RunReportOptions = {}): Promise<RunReport> {
  const { pictures = 6, logger = silentLogger } = options;
  const manifest = await readManifest(run);
  const { recipe } = manifest;
  const metrics = (await readJsonlTolerant(join(run, "metrics.jsonl"))) as Record<string, unknown>[];
  const { judged, trained, lines } = await firstAndLast(run);
  const comparison: Comparison = {
    policies: trained ? ["before", "after"] : ["base"],
    scoreSource: "order",
    rows: judged.map(({ line, first, last }) =>
      compareSet(
        {
          set: line.set,
          domain: line.domain,
          decoding: line.decoding,
          policies: trained ? [first, last] : [first],
        },
        { seed: manifest.seed },
      ),
    ),
  };
  const gallery: { name: string; picture: ReportPicture }[] = [];
  try {
    const { path } = manifest.source;
    const { sets } = await openEvaluationSets({ recipe, folder: dirname(path), path });
    for (const set of trained ? sets : []) {
      const count = set.domain === "in" ? pictures : Math.min(1, pictures);
      gallery.push(...(await picturesOf(set.name, judged, set.samples(), recipe.rewards, count)));
    }
  } catch (error) {
    logger.warn(`no pictures in the report: ${toError(error).message}`);
  }
  const overlays: string[] = [];
  for (const { name, picture } of gallery) {
    const path = join(run, "overlays", `${name}.png`);
    await writeFileAtomic(path, picture.png);
    overlays.push(path);
  }
  const last = metrics.at(-1) as { step?: number; trainedSeconds?: number } | undefined;
  const [steps, seconds] = [last?.step ?? 0, last?.trainedSeconds ?? 0];
  const how = recipe.kind === "grpo" ? `GRPO${recipe.preset ? `, preset ${recipe.preset}` : ""}` : "SFT";
  const page = await renderReport({
    title: `${manifest.name}: ${recipe.kind === "grpo" ? "DIP-R1" : "SFT"}`,
    summary: `${how}, seed ${manifest.seed}: ${steps} steps in ${(seconds / 60).toFixed(1)} minutes of training.`,
    comparison: comparison.rows.length > 0 ? comparison : undefined,
    charts: [...evaluationCharts(lines), ...(metrics.length > 0 ? metricCharts(metrics) : [])],
    pictures: gallery.map(({ picture }) => picture),
    facts: factsOf(manifest, steps, seconds),
    recipe: stringify(recipe),
  });
  const path = join(run, "report.html");
  await writeFileAtomic(path, page);
  return { path, comparison, overlays };
}
