/** @file The paths of Compare (compare-api.ts): queries read and checked, the work handed to its thread. */
import { scoreSources, type ScoreSource } from "../../metrics/scores.js";
import { imageMetrics, type ImageMetric, type ImageOrder } from "../../study/image-changes.js";
import { HttpError } from "../http-error.js";
import { compareChoices, compareSources } from "./compare-sources.js";
import { createCompareThread, type CompareThread } from "./compare-thread.js";
import { json, numberOf, textOf, wordOf, type StudioReply, type StudioRoute } from "./route.js";
import type { RunStore } from "./run-store.js";
import type { Studio } from "./studio.js";

/** What Compare's answers are made from. */
export interface CompareContext {
  readonly runs: Pick<RunStore, "look" | "get">;
  readonly thread: CompareThread;
}

const names = <T extends string>(of: Readonly<Record<T, unknown>>) => Object.keys(of) as T[];
const orders: readonly ImageOrder[] = ["gain", "loss", "change", "worst", "judged"];

/** What /compare and /compare/images have in common. */
async function commonOf(query: URLSearchParams, { runs }: CompareContext) {
  const sources = await compareSources(runs, query.getAll("entry"));
  const last = sources.length - 1;
  const common = wordOf(query, "common", ["0", "1"]) === "1";
  return {
    sources,
    decoding: wordOf(query, "decoding", ["greedy", "sampled"]) ?? "greedy",
    baseline: numberOf(query, "baseline", { min: 0, max: last, integer: true }) ?? 0,
    common,
  } as const;
}

/** Words for the page where the library's hint is one for the command line. */
function forThePage(error: unknown, common: boolean): unknown {
  if (!(error instanceof Error) || !("hint" in error) || typeof error.hint !== "string") return error;
  if (common || !error.hint.includes("--common")) return error;
  return new HttpError("bad-request", error.message, {
    hint: "Judge them on the same images of one dataset, or compare the images that all have (common=1).",
    cause: error,
  });
}

const threads = new WeakMap<Studio, CompareThread>();

function contextOf(studio: Studio): CompareContext {
  let thread = threads.get(studio);
  if (thread === undefined) threads.set(studio, (thread = createCompareThread()));
  return { runs: studio.store, thread };
}

/** Ends a studio's thread, where it was ever started. */
export async function closeCompare(studio: Studio): Promise<void> {
  await threads.get(studio)?.close();
}

/** GET /api/compare/entries */
export async function compareEntriesReply({ runs }: CompareContext): Promise<StudioReply> {
  return json(await compareChoices(runs));
}

/** GET /api/compare */
export async function compareReply(
  query: URLSearchParams,
  context: CompareContext,
  signal?: AbortSignal,
): Promise<StudioReply> {
  const common = await commonOf(query, context);
  const set = query.get("set") ?? "";
  const scoreSource = wordOf<ScoreSource>(query, "source", names(scoreSources));
  try {
    return json(
      await context.thread.ask(
        {
          kind: "compare",
          ...common,
          ...(set !== "" && { set }),
          ...(scoreSource !== undefined && { scoreSource }),
        },
        signal,
      ),
    );
  } catch (error) {
    throw forThePage(error, common.common);
  }
}

/** GET /api/compare/images */
export async function compareImagesReply(
  query: URLSearchParams,
  context: CompareContext,
  signal?: AbortSignal,
): Promise<StudioReply> {
  const common = await commonOf(query, context);
  const last = common.sources.length - 1;
  const image = query.get("image") ?? "";
  try {
    return json(
      await context.thread.ask(
        {
          kind: "images",
          ...common,
          set: textOf(query, "set"),
          target: numberOf(query, "target", { min: 0, max: last, integer: true }) ?? last,
          by: wordOf<ImageMetric>(query, "by", names(imageMetrics)) ?? "f1",
          order: wordOf<ImageOrder>(query, "order", orders) ?? "change",
          ...(image !== "" && { image }),
          offset: numberOf(query, "offset", { min: 0, integer: true }) ?? 0,
          limit: numberOf(query, "limit", { min: 1, max: 100, integer: true }) ?? 12,
        },
        signal,
      ),
    );
  } catch (error) {
    throw forThePage(error, common.common);
  }
}

/** The paths. */
export const compareRoutes: readonly StudioRoute[] = [
  {
    method: "GET",
    path: "/api/compare/entries",
    handle: (_call, studio) => compareEntriesReply(contextOf(studio)),
  },
  {
    method: "GET",
    path: "/api/compare",
    handle: ({ query, signal }, studio) => compareReply(query, contextOf(studio), signal),
  },
  {
    method: "GET",
    path: "/api/compare/images",
    handle: ({ query, signal }, studio) => compareImagesReply(query, contextOf(studio), signal),
  },
];
