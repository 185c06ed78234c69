import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import {
  EXPORT_RUN_STARTED,
  exportManifest,
  exportMetrics,
  writeExportRun,
} from "../../../../test/support/export-run.js";
import {
  startMlflowServer,
  type MlflowServer,
  type MlflowServerOptions,
} from "../../../../test/support/mlflow-server.js";
import type { RunPoint } from "../run-record.js";
import { metricBatches, mlflowKey, paramBatches } from "./batches.js";
import { createMlflowClient } from "./client.js";
import { exportMlflow, type MlflowExportOptions } from "./export-mlflow.js";

let server: MlflowServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

/** A server, and exports to it that do not wait between tries. */
async function open(options: MlflowServerOptions = {}, environment: Record<string, string> = {}) {
  const started = await startMlflowServer(options);
  server = started;
  const waits: number[] = [];
  const client = createMlflowClient({
    trackingUri: started.url,
    environment,
    sleep: (milliseconds) => {
      waits.push(milliseconds);
      return Promise.resolve();
    },
  });
  const send = (run: string, more: Partial<MlflowExportOptions> = {}) =>
    exportMlflow(run, { client, artifacts: false, ...more });
  return { ...started, waits, send };
}

describe("exportMlflow", () => {
  it("makes a run with every number at its step and time, settings, status and files", async () => {
    const run = writeExportRun({ state: "stopped" });
    mkdirSync(join(run, "overlays"));
    writeFileSync(join(run, "overlays", "a.png"), "picture");
    const { runs, send, artifacts } = await open();
    const result = await send(run, { artifacts: true });
    expect(result).toMatchObject({ runId: "run1", experimentId: "1", resumed: false, artifacts: 2 });
    const kept = runs.get("run1")!;
    expect(kept.metrics.filter(({ key }) => key === "f1")).toEqual(
      [1, 2, 3].map((step) => ({
        key: "f1",
        value: 0.5 + step / 8,
        step,
        timestamp: 1000 * (EXPORT_RUN_STARTED + 2 * step),
      })),
    );
    expect(kept.metrics.filter(({ key }) => key === "eval/night/greedy/f1")).toHaveLength(2);
    expect(kept.params.get("grpo.kl.beta")).toBe("0.04");
    expect(kept.info).toMatchObject({ status: "KILLED", end_time: 1000 * (EXPORT_RUN_STARTED + 6) });
    expect([...artifacts.keys()]).toEqual([
      "1/run1/artifacts/manifest.json",
      "1/run1/artifacts/overlays/a.png",
    ]);
    expect(artifacts.get("1/run1/artifacts/overlays/a.png")!.toString()).toBe("picture");
  });

  it("sends what is new when a run has grown, into the same run", async () => {
    const run = writeExportRun({ state: "running" });
    const { runs, send } = await open();
    const first = await send(run);
    expect(runs.get("run1")!.info.status).toBe("RUNNING");
    const line = JSON.stringify(exportMetrics(4));
    appendFileSync(join(run, "metrics.jsonl"), `${line}\n${line.slice(0, 20)}`);
    writeFileSync(join(run, "manifest.json"), JSON.stringify(exportManifest({ state: "done" })));
    const second = await send(run);
    expect(second).toMatchObject({ runId: first.runId, resumed: true, metrics: 9 });
    expect(runs.size).toBe(1);
    expect(runs.get("run1")!.metrics.filter(({ key }) => key === "f1").map(({ step }) => step)).toEqual([1, 2, 3, 4]); // prettier-ignore
    expect(runs.get("run1")!.info.status).toBe("FINISHED");
    expect(await send(run, { runId: "run1" })).toMatchObject({ metrics: 0, resumed: true });
  });

  it("does not write into a run of the server's that holds another one", async () => {
    const { send } = await open();
    const { runId } = await send(writeExportRun());
    const other = writeExportRun();
    writeFileSync(join(other, "manifest.json"), JSON.stringify({ ...exportManifest(), name: "other" }));
    await expect(send(other, { runId })).rejects.toThrow(/holds another run's numbers/);
    await expect(send(other, { runId: "nowhere" })).rejects.toThrow(/not found/);
  });

  it("tries again where that may help, as long as the server asks", async () => {
    let failures = 0;
    const { send, waits, runs } = await open({
      fault: (call) =>
        call === "POST runs/log-batch" && failures++ < 2
          ? { status: 429, headers: { "retry-after": "7" } }
          : undefined,
    });
    await send(writeExportRun());
    expect(waits).toEqual([7000, 7000]);
    expect(runs.size).toBe(1);
  });

  it("does not make a run twice: what may have been taken is found by the next export", async () => {
    let failed = false;
    const { send, runs, calls } = await open({
      fault: (call) => {
        if (call !== "POST runs/create" || failed) return undefined;
        failed = true;
        return { status: 502, after: true };
      },
    });
    const run = writeExportRun();
    await expect(send(run)).rejects.toThrow(/status 502/);
    expect(calls.filter((call) => call === "POST runs/create")).toHaveLength(1);
    expect(await send(run)).toMatchObject({ runId: "run1", resumed: true });
    expect(runs.get("run1")!.metrics.length).toBeGreaterThan(0);
  });

  it("goes on where it was cut off", async () => {
    const run = writeExportRun();
    // Two thousand numbers: several calls.
    const wide = Object.fromEntries(Array.from({ length: 700 }, (_, i) => [`n${i}`, i]));
    for (const step of [4, 5, 6])
      appendFileSync(join(run, "metrics.jsonl"), JSON.stringify({ ...exportMetrics(step), wide }) + "\n");
    let batches = 0;
    const { send, runs } = await open({
      fault: (call) => (call === "POST runs/log-batch" && ++batches === 4 ? { status: 400 } : undefined),
    });
    await expect(send(run)).rejects.toThrow(/status 400/);
    await send(run);
    const keys = runs.get("run1")!.metrics.map(({ key, step }) => `${key} ${step}`);
    expect(new Set(keys).size).toBe(keys.length);
    expect(keys.filter((key) => key.startsWith("wide/"))).toHaveLength(2100);
  });

  it("takes the token from the environment and shows it nowhere", async () => {
    const { send, authorizations } = await open(
      { fault: () => ({ status: 403 }) },
      { MLFLOW_TRACKING_TOKEN: "very-secret" },
    );
    const error = (await send(writeExportRun()).catch((thrown: unknown) => thrown)) as Error;
    expect([...authorizations]).toEqual(["Bearer very-secret"]);
    expect(error.message).toMatch(/status 403: out of order/);
    expect(JSON.stringify(error) + error.stack).not.toContain("very-secret");
  });

  it("says where artifacts are kept when the server does not take them", async () => {
    const { send } = await open({ artifactRoot: "s3://bucket/1" });
    const warnings: string[] = [];
    const logger = { warn: (text: string) => warnings.push(text) } as unknown as NonNullable<MlflowExportOptions["logger"]>; // prettier-ignore
    expect(await send(writeExportRun(), { artifacts: true, logger })).toMatchObject({ artifacts: 0 });
    expect(warnings[0]).toContain("s3://bucket/1");
  });
});

describe("createMlflowClient", () => {
  it.each([
    ["", /no MLflow server is named/],
    ["sqlite:///mlflow.db", /neither http/],
    ["databricks", /neither http/],
    ["http://user:secret@host", /must not hold a user/],
  ])("refuses the address %j", (trackingUri, message) => {
    expect(() => createMlflowClient({ trackingUri, environment: {} })).toThrow(message);
  });

  it("takes address, user and password from the environment", async () => {
    const seen: unknown[] = [];
    const client = createMlflowClient({
      environment: {
        MLFLOW_TRACKING_URI: "http://host:1/mlflow/",
        MLFLOW_TRACKING_USERNAME: "u",
        MLFLOW_TRACKING_PASSWORD: "p",
      },
      fetch: (url, init) => {
        seen.push([url, (init!.headers as Record<string, string>)["authorization"]]);
        return Promise.resolve(new Response("{}"));
      },
    });
    await client.call("GET", "runs/get", { run_id: "a b" });
    expect(seen).toEqual([["http://host:1/mlflow/api/2.0/mlflow/runs/get?run_id=a+b", "Basic dTpw"]]);
  });
});

describe("metricBatches", () => {
  const point = (step: number, size: number): RunPoint => ({
    key: `train ${step}`,
    step,
    time: step,
    values: Object.fromEntries(Array.from({ length: size }, (_, i) => [`k${i}`, i])),
  });

  it("keeps points whole where they fit, and loses none where they do not", () => {
    const points = [point(1, 600), point(2, 399), point(3, 1), point(4, 2500)];
    const batches = metricBatches(points);
    expect(batches.map(({ metrics, points: done }) => [metrics.length, done])).toEqual([
      [999, 2],
      [1, 3],
      [999, 3],
      [999, 3],
      [502, 4],
    ]);
    expect(metricBatches(points, 2).flatMap(({ metrics }) => metrics)).toHaveLength(2501);
    expect(metricBatches(points, 9)).toEqual([]);
  });
});

describe("names and values", () => {
  it("are those that MLflow takes", () => {
    expect(mlflowKey("eval/crowd human/greedy/f1")).toBe("eval/crowd human/greedy/f1");
    expect(mlflowKey("eval/../ä//x?")).toBe("eval/_/_/_/x_");
    const [batch] = paramBatches({ long: "x".repeat(7000), on: false });
    expect(batch!.map(({ value }) => value.length)).toEqual([6000, 5]);
    const many = Object.fromEntries(Array.from({ length: 205 }, (_, i) => [`p${i}`, i]));
    expect(paramBatches(many).map(({ length }) => length)).toEqual([100, 100, 5]);
  });
});
