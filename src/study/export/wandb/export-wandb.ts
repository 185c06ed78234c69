/** @file `dip-r1 export wandb`: a run as an offline W&B run, which `wandb sync` uploads. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { silentLogger, writeFolderAtomic, type Logger } from "../../../base/index.js";
import type { RunState } from "../../../runs/index.js";
import { createEvaluationPictures } from "../evaluation-pictures.js";
import { scanRollouts } from "../rollout-groups.js";
import { readRunRecord, runKey, type RunRecord } from "../run-record.js";
import { wandbImage, wandbTable, type WandbMedia } from "./media.js";
import { wandbLog } from "./wandb-log.js";
import { encodeWandbRecords, type WandbRecord } from "./wandb-proto.js";

/** Options of {@link exportWandb}. */
export interface WandbExportOptions {
  /** Folder that offline runs are put in. @default wandb/ in the run's folder */
  readonly out?: string;
  /** @default "dip-r1" */
  readonly project?: string;
  /** User or team. @default whoever syncs */
  readonly entity?: string;
  readonly group?: string;
  readonly tags?: readonly string[];
  /** Images of the in-domain set at each evaluation; the other sets get one each; 0 = none. @default 4 */
  readonly images?: number;
  /** Steps between two whose first group is kept as a table, from step 1; 0 = none. @default 10 */
  readonly rolloutsEvery?: number;
  readonly logger?: Logger;
}

/** What was written. */
export interface WandbExport {
  /** The offline run's folder: `wandb sync` takes it. */
  readonly path: string;
  readonly id: string;
  /** Rows of the history. */
  readonly rows: number;
  readonly files: number;
}

/** YYYYMMDD_HHMMSS, UTC. */
const stamp = (seconds: number): string =>
  new Date(1000 * seconds).toISOString().slice(0, 19).replaceAll(/[-:]/g, "").replace("T", "_");

/** A run that was killed says `running` for ever. */
const EXIT_CODES: Readonly<Record<RunState, number>> = { done: 0, stopped: 0, failed: 1, running: 1 };

/** Rows by step: W&B keeps one row a step, so training and evaluations of a step share theirs. */
function rowsOf(record: RunRecord): Map<number, Record<string, unknown>> {
  const rows = new Map<number, Record<string, unknown>>();
  for (const { step, time, values } of record.points)
    rows.set(step, {
      ...rows.get(step),
      ...values,
      _step: step,
      _timestamp: time,
      _runtime: time - record.started,
    });
  return rows;
}

async function mediaOf(
  record: RunRecord,
  { images = 4, rolloutsEvery = 10, logger = silentLogger }: WandbExportOptions,
): Promise<(WandbMedia & { step: number; key: string })[]> {
  const media: (WandbMedia & { step: number; key: string })[] = [];
  if (images > 0) {
    const pictures = createEvaluationPictures(record.path, record.manifest, { count: images, logger });
    for (const line of record.evaluations)
      for (const picture of await pictures.of(line))
        media.push({ ...wandbImage(picture), step: picture.step, key: `eval/${picture.name}` });
  }
  if (rolloutsEvery > 0) {
    const steps = new Set(record.points.map(({ step }) => step));
    const { groups } = await scanRollouts(join(record.path, "rollouts.jsonl"), {
      wanted: (step) => (step - 1) % rolloutsEvery === 0 && steps.has(step),
      upTo: Math.max(...steps),
    });
    const key = "rollouts/first_group";
    for (const group of groups) media.push({ ...wandbTable(key, group), step: group.step, key });
  }
  return media;
}

/** The recipe, and under `run` where its numbers come from. */
function configOf({ manifest }: RunRecord): Record<string, unknown> {
  const { recipe, data, model, code, versions, created, state } = manifest;
  return { ...recipe, run: { data, model, code, versions, created, state } };
}

/**
 * Writes an offline run, whole or not at all.
 * @throws InputError where the folder is no run or has no metrics.
 * @example const { path } = await exportWandb("runs/start"); // wandb sync <path>
 */
export async function exportWandb(run: string, options: WandbExportOptions = {}): Promise<WandbExport> {
  const { out = join(run, "wandb"), project = "dip-r1", entity, group, tags = [] } = options;
  const record = await readRunRecord(run);
  const { manifest, started, ended } = record;
  const id = runKey(manifest);
  const rows = rowsOf(record);
  const media = await mediaOf(record, options);
  for (const { step, key, value } of media) rows.set(step, { ...rows.get(step), [key]: value });
  const history = [...rows].sort(([a], [b]) => a - b);
  const summary = Object.assign({}, ...history.map(([, row]) => row)) as Record<string, unknown>;
  const records: WandbRecord[] = [
    { header: { producer: `dip-r1 ${manifest.code.version}` } },
    {
      run: {
        id,
        project,
        ...(entity !== undefined && { entity }),
        ...(group !== undefined && { group }),
        name: manifest.name,
        tags,
        notes: `dip-r1 run, seed ${manifest.seed}, state: ${manifest.state}`,
        config: configOf(record),
        started,
      },
    },
    ...history.map(([step, row]): WandbRecord => ({ history: row, step })),
    ...(media.length > 0 ? [{ media: media.map(({ path }) => path) }] : []),
    { summary },
    { exit: { code: EXIT_CODES[manifest.state], seconds: ended - started } },
  ];
  const path = join(out, `offline-run-${stamp(started)}-${id}`);
  await writeFolderAtomic(path, async (folder) => {
    for (const { path: name, content } of media) {
      const file = join(folder, "files", name);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
    }
    await writeFile(join(folder, `run-${id}.wandb`), wandbLog(encodeWandbRecords(id, records)));
  });
  return { path, id, rows: history.length, files: media.length };
}
