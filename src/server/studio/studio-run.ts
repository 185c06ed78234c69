/** @file One run as the studio holds it: what its files say so far, each read on only when asked and only as far as it grew. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { findAlarms } from "./alarms.js";
import type { AlarmReport, RunDetail, RunId, RunSummary } from "./api.js";
import { createEvaluationRows, headlinesOf, type EvaluationRows } from "./evaluation-rows.js";
import { createGroupIndex, type GroupIndex } from "./group-index.js";
import { readStudioManifest, type ReadManifest, type StudioManifest } from "./manifest.js";
import { createMetricRows, type MetricRows } from "./metric-rows.js";
import { runStatus } from "./run-status.js";
import { locateInside, readInside } from "./safe-file.js";
import { createTokenIndex, type TokenIndex } from "./token-index.js";

/** A run. */
export interface StudioRun {
  readonly id: RunId;
  /** Its real folder. */
  readonly path: string;
  readonly manifest: StudioManifest;
  /** The recipe exactly as manifest.json has it. */
  readonly recipe: Readonly<Record<string, unknown>>;
  readonly metrics: MetricRows;
  readonly evaluations: EvaluationRows;
  /** Index of rollouts.jsonl; empty until it is first refreshed. */
  readonly groups: GroupIndex;
  /** Index of tokens.jsonl; empty until it is first refreshed. */
  readonly tokens: TokenIndex;
  /** Reads on: manifest, lock, metrics, evaluations. True where anything changed. @throws InputError for a manifest that is none */
  refresh(): Promise<boolean>;
  summary(): RunSummary;
  detail(): Promise<RunDetail>;
  alarms(): AlarmReport;
}

const SPARKS = 60;

/** Means of up to 60 stretches of a column. */
function sparklineOf(key: string, { steps, columns }: MetricRows): RunSummary["sparkline"] {
  const column = columns.get(key);
  if (column === undefined) return { key, steps: [], values: [] };
  const count = Math.min(SPARKS, column.length);
  const at = (i: number) => Math.floor((i * column.length) / count);
  return {
    key,
    steps: Array.from({ length: count }, (_, i) => steps[at(i + 1) - 1]!),
    values: Array.from({ length: count }, (_, i) => {
      const known = column.slice(at(i), at(i + 1)).filter((value) => value !== null);
      return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
    }),
  };
}

/** What may be compared of two runs beside their recipes. */
export function fingerprintsOf({ model, code, data }: StudioManifest): Record<string, string> {
  return {
    model,
    code: code.sha256,
    ...Object.fromEntries(Object.entries(data).map(([name, hash]) => [`data.${name}`, hash])),
  };
}

/** Opens a run; the first {@link StudioRun.refresh} has been done. @throws InputError for a manifest that is none */
export async function openStudioRun(id: RunId, path: string): Promise<StudioRun> {
  let read: ReadManifest = await readStudioManifest(path);
  let manifestStamp = "";
  let folderStamp = "";
  let lock: string | undefined;
  let hasModel = false;
  let alarms: { readonly rows: string; readonly report: AlarmReport } | undefined;
  const metrics = createMetricRows(path);
  const evaluations = createEvaluationRows(path);
  const groups = createGroupIndex(path);
  const tokens = createTokenIndex(path);
  const kind = () => read.manifest.recipe.kind;

  const readAlarms = (): AlarmReport => {
    const rows = `${metrics.tail.epoch} ${metrics.steps.length} ${evaluations.tail.epoch} ${evaluations.rows.length}`;
    if (alarms?.rows !== rows)
      alarms = {
        rows,
        report: findAlarms({
          kind: kind(),
          steps: metrics.steps,
          columns: metrics.columns,
          evaluations: evaluations.rows,
          weights: read.manifest.recipe.rewards.weights,
        }),
      };
    return alarms.report;
  };

  async function refreshManifest(): Promise<boolean> {
    const { mtimeMs, size, ino } = await stat(join(path, "manifest.json"));
    const stamp = `${ino} ${size} ${mtimeMs}`;
    if (stamp === manifestStamp) return false;
    read = await readStudioManifest(path);
    manifestStamp = stamp;
    hasModel = (await locateInside(path, ["model", "config.json"]).catch(() => undefined)) !== undefined;
    return true;
  }

  /** Whoever takes the folder makes the file, and removes it at the end: the folder's own time tells of both. */
  async function refreshLock(): Promise<void> {
    const { mtimeMs, ctimeMs } = await stat(path);
    const stamp = `${mtimeMs} ${ctimeMs}`;
    if (stamp === folderStamp && lock === undefined) return;
    folderStamp = stamp;
    lock = (await readInside(path, ["lock.json"]).catch(() => undefined))?.toString("utf8");
  }

  const status = () => runStatus(read.manifest, lock);

  const run: StudioRun = {
    id,
    path,
    get manifest() {
      return read.manifest;
    },
    get recipe() {
      return read.recipe;
    },
    metrics,
    evaluations,
    groups,
    tokens,
    async refresh() {
      const before = status();
      await refreshLock();
      const changed = await Promise.all([
        refreshManifest(),
        metrics.tail.refresh(),
        evaluations.tail.refresh(),
      ]);
      return changed.includes(true) || status() !== before;
    },
    summary() {
      const { manifest } = read;
      const { recipe } = manifest;
      const limits = recipe.kind === "grpo" ? recipe.grpo : recipe.sft;
      const found = readAlarms().alarms;
      return {
        id,
        name: manifest.name,
        kind: recipe.kind,
        ...(recipe.preset !== undefined && { preset: recipe.preset }),
        seed: manifest.seed,
        status: status(),
        ...(manifest.error !== undefined && { error: manifest.error }),
        created: manifest.created,
        updated: manifest.updated,
        step: metrics.steps.at(-1) ?? 0,
        steps: limits?.steps ?? 0,
        ...(limits?.minutes !== undefined && { minutes: limits.minutes }),
        trainedSeconds: metrics.columns.get("trainedSeconds")?.at(-1) ?? 0,
        resumed: manifest.resumed,
        engine: recipe.engine.kind,
        model: recipe.engine.model,
        headlines: headlinesOf(evaluations.rows),
        sparkline: sparklineOf(recipe.kind === "grpo" ? "reward.mean" : "loss", metrics),
        alarms: {
          serious: found.filter(({ severity }) => severity === "serious").length,
          warning: found.filter(({ severity }) => severity === "warning").length,
        },
        hasModel,
      };
    },
    async detail() {
      const { manifest, recipe } = read;
      return {
        ...run.summary(),
        recipe,
        labels: manifest.recipe.data.labels,
        prompt: manifest.recipe.prompt,
        rewards: manifest.recipe.rewards,
        source: { path: manifest.source.path, set: manifest.source.set },
        fingerprints: fingerprintsOf(manifest),
        versions: { "dip-r1": manifest.code.version, ...manifest.versions },
        evaluations: evaluations.rows,
        counts: {
          metrics: metrics.steps.length,
          rollouts: groups.rollouts,
          groups: groups.length,
          tokens: (await locateInside(path, ["tokens.jsonl"])) !== undefined,
        },
        metricKeys: [...metrics.columns.keys()],
      };
    },
    alarms: readAlarms,
  };
  await run.refresh();
  return run;
}
