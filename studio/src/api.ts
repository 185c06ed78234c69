/**
 * @file The page's side of the wire: one typed function a path of src/server/studio/api.ts. Whatever goes wrong becomes
 * an {@link ApiError} with words and what to do.
 */
import type {
  AlarmReport,
  ApiFailure,
  ConfigDiff,
  Decoding,
  DetectEvent,
  DetectRequest,
  EvaluationHistory,
  EvaluationImages,
  EvaluationImagesQuery,
  EvaluationIndex,
  GroupDetail,
  GroupPage,
  GroupsQuery,
  MetricColumns,
  MetricsQuery,
  ModelList,
  RunDetail,
  RunId,
  RunList,
  StudioInfo,
} from "../../src/server/studio/api.js";
import type {
  CompareChoices,
  CompareImages,
  CompareImagesQuery,
  CompareQuery,
  Comparison,
} from "../../src/server/studio/compare-api.js";

/** A request that did not succeed. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** Of the answer; 0 where there was none. */
  readonly status: number;
  readonly code: string;
  /** What to do. */
  readonly hint?: string;
  constructor(message: string, details: { status: number; code: string; hint?: string; cause?: unknown }) {
    super(message, { cause: details.cause });
    this.status = details.status;
    this.code = details.code;
    this.hint = details.hint;
  }
}

/** Values of a query; a list is given key by key, `undefined` not at all. */
type ApiQuery = Readonly<Record<string, string | number | readonly string[] | undefined>>;

/** Address of a path of the API, relative to the page, so that it also works behind a proxy's path. */
export function apiUrl(path: string, query: object = {}): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query as ApiQuery))
    if (typeof value === "object") for (const one of value) search.append(key, one);
    else if (value !== undefined && value !== "") search.set(key, String(value));
  const text = search.toString();
  return `./api${path}${text === "" ? "" : `?${text}`}`;
}

/** The address of a picture whose path an answer holds (`/api/runs/...`). */
export function pictureUrl(path: string): string {
  return `.${path.startsWith("/") ? "" : "/"}${path}`;
}

/** Reads why a request was refused; another server's answer, or none at all, is put in words of our own. */
async function refusal(response: Response): Promise<ApiError> {
  const { status } = response;
  try {
    const { error } = (await response.json()) as ApiFailure;
    return new ApiError(error.message, { status, code: error.code, hint: error.hint });
  } catch {
    return new ApiError(`The server answered ${status} ${response.statusText}`.trim(), {
      status,
      code: "HTTP",
      hint: "Look at the terminal in which `dip-r1 studio` runs.",
    });
  }
}

async function request(url: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (error) {
    // Whoever aborted knows why.
    if (init.signal?.aborted === true) throw error;
    throw new ApiError("The studio's server does not answer", {
      status: 0,
      code: "OFFLINE",
      hint: "Start it again with `dip-r1 studio`; the page comes back by itself.",
      cause: error,
    });
  }
  if (!response.ok) throw await refusal(response);
  return response;
}

async function get<T>(path: string, query: object = {}, signal?: AbortSignal): Promise<T> {
  const response = await request(apiUrl(path, query), { signal, headers: { accept: "application/json" } });
  return (await response.json()) as T;
}

const ofRun = (id: RunId) => `/runs/${encodeURIComponent(id)}`;

/** Splits a stream of NDJSON into its objects as they come. */
async function* lines<T>(body: ReadableStream<Uint8Array>): AsyncGenerator<T> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (;;) {
      const { done, value } = await reader.read();
      rest += done ? decoder.decode() : decoder.decode(value, { stream: true });
      const parts = rest.split("\n");
      rest = done ? "" : parts.pop()!;
      for (const part of parts) if (part.trim() !== "") yield JSON.parse(part) as T;
      if (done) return;
    }
  } finally {
    // Leaving early ends the work at the server too.
    await reader.cancel();
  }
}

/** Everything the page can ask for. Errors are {@link ApiError}; an aborted request throws its signal's reason. */
export const api = {
  studio: (signal?: AbortSignal) => get<StudioInfo>("/studio", {}, signal),
  runs: (signal?: AbortSignal) => get<RunList>("/runs", {}, signal),
  run: (id: RunId, signal?: AbortSignal) => get<RunDetail>(ofRun(id), {}, signal),
  diff: (a: RunId, b: RunId, signal?: AbortSignal) => get<ConfigDiff>("/diff", { a, b }, signal),
  metrics: (id: RunId, query: MetricsQuery = {}, signal?: AbortSignal) =>
    get<MetricColumns>(`${ofRun(id)}/metrics`, query, signal),
  alarms: (id: RunId, signal?: AbortSignal) => get<AlarmReport>(`${ofRun(id)}/alarms`, {}, signal),
  groups: (id: RunId, query: GroupsQuery = {}, signal?: AbortSignal) =>
    get<GroupPage>(`${ofRun(id)}/groups`, query, signal),
  group: (id: RunId, step: number, sample: string, signal?: AbortSignal) =>
    get<GroupDetail>(`${ofRun(id)}/group`, { step, sample }, signal),
  evaluations: (id: RunId, signal?: AbortSignal) =>
    get<EvaluationIndex>(`${ofRun(id)}/evaluations`, {}, signal),
  evaluationImages: (id: RunId, query: EvaluationImagesQuery, signal?: AbortSignal) =>
    get<EvaluationImages>(`${ofRun(id)}/evaluations/images`, query, signal),
  evaluationImage: (
    id: RunId,
    query: { readonly set: string; readonly decoding: Decoding; readonly image: string },
    signal?: AbortSignal,
  ) => get<EvaluationHistory>(`${ofRun(id)}/evaluations/image`, query, signal),
  compareChoices: (signal?: AbortSignal) => get<CompareChoices>("/compare/entries", {}, signal),
  compare: (query: CompareQuery, signal?: AbortSignal) => get<Comparison>("/compare", query, signal),
  compareImages: (query: CompareImagesQuery, signal?: AbortSignal) =>
    get<CompareImages>("/compare/images", query, signal),
  models: (signal?: AbortSignal) => get<ModelList>("/models", {}, signal),
  /** Events as they come; leaving the loop, or aborting, ends the work. */
  async *detect(body: DetectRequest, signal?: AbortSignal): AsyncGenerator<DetectEvent> {
    const response = await request(apiUrl("/detect"), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal,
    });
    yield* lines<DetectEvent>(response.body!);
  },
};
