/** @file Routes about runs: the list, one run, metrics, alarms, the difference of two. */
import type { MetricColumns, RunList, StudioInfo } from "./api.js";
import { diffConfigs } from "./diff.js";
import { json, numberOf, textOf, type StudioRoute } from "./route.js";

/** A folder as an argument of a command line. */
const argument = (path: string): string => (/^[\w./@%+=:,-]+$/.test(path) ? path : `'${path.replaceAll("'", String.raw`'\''`)}'`); // prettier-ignore

/** The routes. */
export const runRoutes: readonly StudioRoute[] = [
  {
    method: "GET",
    path: "/api/studio",
    handle(_call, { version, folder }) {
      const info: StudioInfo = {
        version,
        runs: folder,
        firstRun: `dip-r1 start --out ${argument(`${folder.replace(/\/+$/, "")}/start`)}`,
      };
      return json(info);
    },
  },
  {
    method: "GET",
    path: "/api/runs",
    async handle(_call, { store }) {
      const { runs, problems } = await store.look();
      const list: RunList = {
        runs: runs
          .map((run) => run.summary())
          .sort((a, b) =>
            a.created === b.created ? (a.id < b.id ? -1 : 1) : a.created < b.created ? 1 : -1,
          ),
        problems,
      };
      return json(list);
    },
  },
  {
    method: "GET",
    path: "/api/runs/:id",
    handle: async ({ params }, { store }) => json(await (await store.get(params["id"]!)).detail()),
  },
  {
    method: "GET",
    path: "/api/diff",
    async handle({ query }, { store }) {
      const [a, b] = [textOf(query, "a"), textOf(query, "b")];
      return json(diffConfigs(await store.get(a), await store.get(b)));
    },
  },
  {
    method: "GET",
    path: "/api/runs/:id/metrics",
    async handle({ params, query }, { store }) {
      const { metrics } = await store.get(params["id"]!);
      const from = numberOf(query, "from", { min: 0, integer: true }) ?? 0;
      const epoch = numberOf(query, "epoch", { min: 0, integer: true });
      const keys = query.get("keys")?.split(",");
      const same = epoch === undefined || epoch === metrics.tail.epoch;
      const start = same ? Math.min(from, metrics.steps.length) : 0;
      const columns: MetricColumns = metrics.slice(start, keys);
      return json(columns);
    },
  },
  {
    method: "GET",
    path: "/api/runs/:id/alarms",
    handle: async ({ params }, { store }) => json((await store.get(params["id"]!)).alarms()),
  },
];
