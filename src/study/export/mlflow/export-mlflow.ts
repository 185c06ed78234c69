/**
 * @file `dip-r1 export mlflow`: a run to an MLflow server. A tag on the server's run says how much of it is there, so that
 * an export that was cut off, or made while the run trained, goes on where it ended.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { InputError, silentLogger, type Logger } from "../../../base/index.js";
import type { RunState } from "../../../runs/index.js";
import { readRunRecord, runKey, type RunRecord } from "../run-record.js";
import { metricBatches, paramBatches } from "./batches.js";
import { MlflowError, type MlflowClient } from "./client.js";

/** Options of {@link exportMlflow}. */
export interface MlflowExportOptions {
  readonly client: MlflowClient;
  /** Made where there is none. @default "dip-r1" */
  readonly experiment?: string;
  /** A run of the server's to go on with. @default the one that this run was exported to before, else a new one */
  readonly runId?: string;
  /** Keep manifest.json, report.html and overlays with the run, where the server keeps artifacts itself. @default true */
  readonly artifacts?: boolean;
  readonly logger?: Logger;
}

/** What the server has now. */
export interface MlflowExport {
  readonly runId: string;
  readonly experimentId: string;
  /** The run's page. */
  readonly url: string;
  /** Sent this time. */
  readonly metrics: number;
  readonly params: number;
  readonly artifacts: number;
  /** Whether the server knew the run already. */
  readonly resumed: boolean;
}

interface MlflowRun {
  readonly info: { readonly run_id: string; readonly experiment_id: string; readonly artifact_uri?: string };
  readonly data?: { readonly tags?: readonly { readonly key: string; readonly value: string }[] };
}

/** Names the run of ours that a run of the server's holds. */
const KEY_TAG = "dip-r1.run";
/** How many of the run's points (steps and evaluations, in order) the server has. */
const POINTS_TAG = "dip-r1.points";

const STATUS: Readonly<Record<RunState, string>> = {
  running: "RUNNING",
  done: "FINISHED",
  stopped: "KILLED",
  failed: "FAILED",
};

async function experimentId(client: MlflowClient, name: string): Promise<string> {
  const byName = async () => {
    const { experiment } = await client.call<{
      experiment: { experiment_id: string; lifecycle_stage?: string };
    }>("GET", "experiments/get-by-name", { experiment_name: name });
    if (experiment.lifecycle_stage === "deleted")
      throw new InputError(`the experiment "${name}" was deleted on the server`, {
        hint: "Restore it there, or name another by --experiment.",
      });
    return experiment.experiment_id;
  };
  try {
    return await byName();
  } catch (error) {
    if (!(error instanceof MlflowError) || error.code !== "RESOURCE_DOES_NOT_EXIST") throw error;
  }
  try {
    const made = await client.call<{ experiment_id: string }>("POST", "experiments/create", { name });
    return made.experiment_id;
  } catch (error) {
    // Somebody else was faster, or the first of two tries had been taken.
    if (error instanceof MlflowError && error.code === "RESOURCE_ALREADY_EXISTS") return byName();
    throw error;
  }
}

/** The server's run of this key, or a new one. */
async function openRun(
  client: MlflowClient,
  record: RunRecord,
  { experiment = "dip-r1", runId }: MlflowExportOptions,
): Promise<{ run: MlflowRun; resumed: boolean }> {
  const key = runKey(record.manifest);
  if (runId !== undefined) {
    const { run } = await client.call<{ run: MlflowRun }>("GET", "runs/get", { run_id: runId });
    const other = run.data?.tags?.find((tag) => tag.key === KEY_TAG)?.value;
    if (other !== undefined && other !== key)
      throw new InputError(`run ${runId} on the server holds another run's numbers`, {
        hint: "Leave out --run-id: the right run is found, or a new one made.",
      });
    return { run, resumed: true };
  }
  const experiment_id = await experimentId(client, experiment);
  const { runs = [] } = await client.call<{ runs?: MlflowRun[] }>("POST", "runs/search", {
    experiment_ids: [experiment_id],
    filter: `tags."${KEY_TAG}" = '${key}'`,
    max_results: 1,
  });
  if (runs[0] !== undefined) return { run: runs[0], resumed: true };
  const { manifest, started } = record;
  const start = {
    experiment_id,
    run_name: manifest.name,
    start_time: Math.round(1000 * started),
    tags: [
      { key: KEY_TAG, value: key },
      { key: "mlflow.source.name", value: `dip-r1 ${manifest.code.version}` },
      { key: "dip-r1.model", value: manifest.model },
    ],
  };
  const { run } = await client.call<{ run: MlflowRun }>("POST", "runs/create", start, "once");
  return { run, resumed: false };
}

const TYPES: Readonly<Record<string, string>> = {
  json: "application/json",
  html: "text/html",
  png: "image/png",
};

/** @returns files that were kept */
async function putArtifacts(
  client: MlflowClient,
  run: MlflowRun,
  folder: string,
  logger: Logger,
): Promise<number> {
  const uri = run.info.artifact_uri ?? "";
  const root = /^mlflow-artifacts:(?:\/\/[^/]*)?\/*(.+)$/.exec(uri)?.[1];
  if (root === undefined) {
    logger.warn(`no artifacts: the server does not take them itself, they are kept at ${uri}`);
    return 0;
  }
  const overlays = (await readdir(join(folder, "overlays")).catch(() => []))
    .filter((name) => name.endsWith(".png"))
    .map((name) => `overlays/${name}`);
  let kept = 0;
  for (const name of ["manifest.json", "report.html", ...overlays]) {
    const content = await readFile(join(folder, name)).catch(() => undefined);
    if (content === undefined) continue;
    await client.putArtifact(`${root}/${name}`, content, TYPES[name.split(".").at(-1)!]!);
    kept++;
  }
  return kept;
}

/**
 * Sends a run to an MLflow server; done twice, the second time sends what is new.
 * @throws InputError where the folder is no run or has no metrics; MlflowError where the server refuses.
 * @example await exportMlflow("runs/start", { client: createMlflowClient({ trackingUri: "http://127.0.0.1:5000" }) })
 */
export async function exportMlflow(folder: string, options: MlflowExportOptions): Promise<MlflowExport> {
  const { client, artifacts = true, logger = silentLogger } = options;
  const record = await readRunRecord(folder);
  const { manifest } = record;
  const { run, resumed } = await openRun(client, record, options);
  const { run_id, experiment_id } = run.info;
  const known = Number(run.data?.tags?.find(({ key }) => key === POINTS_TAG)?.value ?? 0);
  const from = Number.isInteger(known) && known > 0 ? known : 0;
  // Params are the same every time, and MLflow takes the same twice.
  const params = paramBatches(record.params);
  for (const batch of params) await client.call("POST", "runs/log-batch", { run_id, params: batch });
  let sent = 0;
  for (const { metrics, points } of metricBatches(record.points, from)) {
    const tags = [{ key: POINTS_TAG, value: String(points) }];
    await client.call("POST", "runs/log-batch", { run_id, metrics, tags });
    sent += metrics.length;
  }
  if (run.data?.tags?.some(({ key }) => key === KEY_TAG) !== true && resumed)
    await client.call("POST", "runs/set-tag", { run_id, key: KEY_TAG, value: runKey(manifest) });
  const kept = artifacts ? await putArtifacts(client, run, folder, logger) : 0;
  await client.call("POST", "runs/update", {
    run_id,
    status: STATUS[manifest.state],
    ...(manifest.state !== "running" && { end_time: Math.round(1000 * record.ended) }),
  });
  return {
    runId: run_id,
    experimentId: experiment_id,
    url: `${client.trackingUri}/#/experiments/${experiment_id}/runs/${run_id}`,
    metrics: sent,
    params: params.flat().length,
    artifacts: kept,
    resumed,
  };
}
