/** @file As much of an MLflow server as exports speak to, on loopback: keeps what it is sent, holds to MLflow's limits, and fails as it is told. */
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

interface Tag {
  readonly key: string;
  readonly value: string;
}

/** A run as the server has it. */
export interface KeptRun {
  readonly info: {
    run_id: string;
    experiment_id: string;
    artifact_uri: string;
    status: string;
    end_time?: number;
  };
  readonly metrics: { key: string; value: number; timestamp: number; step: number }[];
  readonly params: Map<string, string>;
  readonly tags: Map<string, string>;
}

/** A running server. */
export interface MlflowServer {
  readonly url: string;
  readonly runs: Map<string, KeptRun>;
  /** Requests, in order: `POST runs/create`. */
  readonly calls: string[];
  readonly authorizations: Set<string | undefined>;
  readonly artifacts: Map<string, Buffer>;
  close(): Promise<void>;
}

/** Options of {@link startMlflowServer}. */
export interface MlflowServerOptions {
  /** An answer in place of the server's own; `after` = what was asked is done all the same. */
  readonly fault?: (
    call: string,
    index: number,
  ) =>
    | { readonly status: number; readonly headers?: Record<string, string>; readonly after?: boolean }
    | undefined;
  /** Where runs keep artifacts. @default mlflow-artifacts:/1/ID/artifacts */
  readonly artifactRoot?: string;
}

class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Starts a server on a free port. */
export async function startMlflowServer(options: MlflowServerOptions = {}): Promise<MlflowServer> {
  const experiments = new Map<string, string>();
  const runs: MlflowServer["runs"] = new Map();
  const calls: string[] = [];
  const authorizations: MlflowServer["authorizations"] = new Set();
  const artifacts: MlflowServer["artifacts"] = new Map();

  const runOf = (id: unknown): KeptRun => {
    const run = runs.get(String(id));
    if (run === undefined)
      throw new Refusal(404, "RESOURCE_DOES_NOT_EXIST", `Run with id=${String(id)} not found`);
    return run;
  };
  const told = ({ info, tags }: KeptRun) => ({
    info,
    data: { tags: [...tags].map(([key, value]) => ({ key, value })) },
  });
  const handlers: Record<string, (body: Record<string, unknown>) => unknown> = {
    "GET experiments/get-by-name": ({ experiment_name: name }) => {
      const id = experiments.get(String(name));
      if (id === undefined) throw new Refusal(404, "RESOURCE_DOES_NOT_EXIST", "no such experiment");
      return { experiment: { experiment_id: id, name, lifecycle_stage: "active" } };
    },
    "POST experiments/create": ({ name }) => {
      if (experiments.has(String(name))) throw new Refusal(400, "RESOURCE_ALREADY_EXISTS", "exists");
      experiments.set(String(name), String(experiments.size + 1));
      return { experiment_id: experiments.get(String(name)) };
    },
    "POST runs/search": ({ experiment_ids: ids, filter }) => {
      const [, key, value] = /^tags\."([^"]+)" = '([^']+)'$/.exec(String(filter))!;
      const found = [...runs.values()].filter(
        ({ info, tags }) => (ids as string[]).includes(info.experiment_id) && tags.get(key!) === value,
      );
      return found.length === 0 ? {} : { runs: found.map(told) };
    },
    "POST runs/create": ({ experiment_id, tags }) => {
      const id = `run${runs.size + 1}`;
      const artifact_uri = options.artifactRoot ?? `mlflow-artifacts:/1/${id}/artifacts`;
      const run: KeptRun = {
        info: { run_id: id, experiment_id: String(experiment_id), artifact_uri, status: "RUNNING" },
        metrics: [],
        params: new Map(),
        tags: new Map((tags as Tag[]).map(({ key, value }) => [key, value])),
      };
      runs.set(id, run);
      return { run: told(run) };
    },
    "GET runs/get": ({ run_id: id }) => ({ run: told(runOf(id)) }),
    "POST runs/log-batch": ({ run_id: id, metrics = [], params = [], tags = [] }) => {
      const run = runOf(id);
      const [m, p, t] = [metrics as KeptRun["metrics"], params as Tag[], tags as Tag[]];
      if (m.length > 1000 || p.length > 100 || t.length > 100 || m.length + p.length + t.length > 1000)
        throw new Refusal(400, "INVALID_PARAMETER_VALUE", "A batch logging request can contain at most ...");
      for (const { key } of [...m, ...p])
        if (!/^[\w\-.:/ ]{1,250}$/.test(key))
          throw new Refusal(400, "INVALID_PARAMETER_VALUE", `Invalid name ${key}`);
      for (const { key, value } of p) {
        if ((run.params.get(key) ?? value) !== value)
          throw new Refusal(400, "INVALID_PARAMETER_VALUE", "Changing param values is not allowed");
        run.params.set(key, value);
      }
      run.metrics.push(...m);
      for (const { key, value } of t) run.tags.set(key, value);
      return {};
    },
    "POST runs/set-tag": ({ run_id: id, key, value }) => {
      runOf(id).tags.set(String(key), String(value));
      return {};
    },
    "POST runs/update": ({ run_id: id, status, end_time }) => {
      Object.assign(runOf(id).info, { status, end_time });
      return {};
    },
  };

  const server = createServer((request, response) => {
    void (async () => {
      const body = await bodyOf(request);
      const url = new URL(request.url!, "http://localhost");
      authorizations.add(request.headers.authorization);
      const artifact = url.pathname.split("/api/2.0/mlflow-artifacts/artifacts/")[1];
      const call = `${request.method} ${artifact === undefined ? url.pathname.replace("/api/2.0/mlflow/", "") : "artifact"}`;
      const fault = options.fault?.(call, calls.length);
      calls.push(call);
      const answer = (status: number, value: object, headers: Record<string, string> = {}) =>
        response
          .writeHead(status, { "content-type": "application/json", ...headers })
          .end(JSON.stringify(value));
      if (fault !== undefined && fault.after !== true)
        return answer(fault.status, { error_code: "INTERNAL_ERROR", message: "out of order" }, fault.headers);
      try {
        if (artifact !== undefined) artifacts.set(decodeURIComponent(artifact), body);
        const input = body.length > 0 && artifact === undefined ? body.toString() : undefined;
        const parameters =
          input === undefined ? Object.fromEntries(url.searchParams) : (JSON.parse(input) as object);
        const value = artifact === undefined ? handlers[call]!(parameters as Record<string, unknown>) : {};
        if (fault !== undefined) return answer(fault.status, { message: "out of order" }, fault.headers);
        return answer(200, value as object);
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        return answer(error.status, { error_code: error.code, message: error.message });
      }
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    runs,
    calls,
    authorizations,
    artifacts,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
