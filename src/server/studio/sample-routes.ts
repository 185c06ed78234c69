/** @file Routes about what was trained and judged on: groups, evaluations, pictures. */
import { HttpError } from "../http-error.js";
import type { Decoding } from "./api.js";
import { groupDetail } from "./group-detail.js";
import { failureKinds } from "./group-index.js";
import { groupSorts, listGroups } from "./group-list.js";
import { json, numberOf, textOf, wordOf, type StudioRoute } from "./route.js";

const DECODINGS = ["greedy", "sampled"] as const satisfies readonly Decoding[];
const FAILURES = [...failureKinds, "zero-variance"] as const;
const IMAGE_SORTS = ["order", "objects", "-objects", "f1", "-f1", "change", "-change"] as const;

function decodingOf(query: URLSearchParams): Decoding {
  const decoding = wordOf(query, "decoding", DECODINGS);
  if (decoding === undefined) throw new HttpError("bad-request", "decoding is missing in the query");
  return decoding;
}

const whole = { min: 0, integer: true } as const;
const pageOf = (query: URLSearchParams) => ({
  offset: numberOf(query, "offset", whole),
  limit: numberOf(query, "limit", { min: 1, max: 500, integer: true }),
});

/** The routes. */
export const sampleRoutes: readonly StudioRoute[] = [
  {
    method: "GET",
    path: "/api/runs/:id/groups",
    async handle({ params, query }, { store }) {
      const { groups } = await store.get(params["id"]!);
      await groups.tail.refresh();
      const failure = query.getAll("failure").map((word) => {
        const kind = FAILURES.find((one) => one === word);
        if (kind === undefined)
          throw new HttpError("bad-request", `failure=${word}: not one of ${FAILURES.join(", ")}`);
        return kind;
      });
      return json(
        listGroups(groups, {
          fromStep: numberOf(query, "fromStep", whole),
          toStep: numberOf(query, "toStep", whole),
          sample: query.get("sample") ?? undefined,
          minReward: numberOf(query, "minReward"),
          maxReward: numberOf(query, "maxReward"),
          minObjects: numberOf(query, "minObjects", whole),
          maxObjects: numberOf(query, "maxObjects", whole),
          failure,
          sort: wordOf(query, "sort", groupSorts),
          ...pageOf(query),
        }),
      );
    },
  },
  {
    method: "GET",
    path: "/api/runs/:id/group",
    async handle({ params, query }, { store }) {
      const step = numberOf(query, "step", whole);
      if (step === undefined) throw new HttpError("bad-request", "step is missing in the query");
      return json(await groupDetail(await store.get(params["id"]!), step, textOf(query, "sample")));
    },
  },
  {
    method: "GET",
    path: "/api/runs/:id/evaluations",
    handle: async ({ params }, studio) =>
      json(await studio.evaluations(await studio.store.get(params["id"]!)).index()),
  },
  {
    method: "GET",
    path: "/api/runs/:id/evaluations/images",
    async handle({ params, query }, studio) {
      const run = await studio.store.get(params["id"]!);
      return json(
        await studio.evaluations(run).images({
          set: textOf(query, "set"),
          decoding: decodingOf(query),
          image: query.get("image") ?? undefined,
          minObjects: numberOf(query, "minObjects", whole),
          maxObjects: numberOf(query, "maxObjects", whole),
          sort: wordOf(query, "sort", IMAGE_SORTS),
          ...pageOf(query),
        }),
      );
    },
  },
  {
    method: "GET",
    path: "/api/runs/:id/evaluations/image",
    async handle({ params, query }, studio) {
      const run = await studio.store.get(params["id"]!);
      return json(
        await studio
          .evaluations(run)
          .history(textOf(query, "set"), decodingOf(query), textOf(query, "image")),
      );
    },
  },
  {
    method: "GET",
    path: "/api/runs/:id/image",
    async handle({ params, query }, { store, pictures }) {
      const run = await store.get(params["id"]!);
      const picture = await pictures.picture(run, textOf(query, "set"), textOf(query, "sample"));
      return { kind: "bytes", ...picture };
    },
  },
];
