/**
 * @file Routes of the page, in the address's hash: the server then needs no rewriting, and a saved address opens the
 * same view again. Pure but for {@link useRoute} and {@link navigate}.
 *
 *     #/                                   runs
 *     #/run/:id                            one run; `?tab=`, filters
 *     #/run/:id/group/:step/:sample        one image with its G responses
 *     #/run/:id/eval/:set/:image           one image of an evaluation
 *     #/compare?runs=a,b                   several runs beside each other
 *     #/detect                             a picture of one's own
 */
import { useEffect, useState } from "preact/hooks";

/** What is asked for beside the path; views keep their filters here. */
export type Query = Readonly<Record<string, string>>;

/** All runs of the folder. */
export interface RunsRoute {
  readonly view: "runs";
  readonly query: Query;
}
/** One run. */
export interface RunRoute {
  readonly view: "run";
  readonly id: string;
  readonly query: Query;
}
/** One group of a training step: `step` from 1, `sample` the image's id. */
export interface GroupRoute {
  readonly view: "group";
  readonly id: string;
  readonly step: number;
  readonly sample: string;
  readonly query: Query;
}
/** One image of an evaluation; the query may name `step` and `decoding`. */
export interface EvaluationRoute {
  readonly view: "evaluation";
  readonly id: string;
  readonly set: string;
  readonly image: string;
  readonly query: Query;
}
/** Runs side by side. */
export interface CompareRoute {
  readonly view: "compare";
  readonly runs: readonly string[];
  readonly query: Query;
}
/** Inference on a picture of one's own. */
export interface DetectRoute {
  readonly view: "detect";
  readonly query: Query;
}
/** No view has this address. */
export interface MissingRoute {
  readonly view: "missing";
  readonly path: string;
  readonly query: Query;
}

/** Where the page is. */
export type Route =
  RunsRoute | RunRoute | GroupRoute | EvaluationRoute | CompareRoute | DetectRoute | MissingRoute;

/** Decodes a segment; a torn escape stands for itself rather than break the page. */
function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** Splits a list kept in one query value; its members are escaped, so that a comma in a name is no separator. */
export function splitList(value: string | undefined): string[] {
  return value === undefined || value === "" ? [] : value.split(",").map(decode);
}

/** The counterpart of {@link splitList}. */
export function joinList(values: readonly string[]): string {
  return values.map((value) => encodeURIComponent(value)).join(",");
}

/** Reads an address's hash, with or without its `#`. */
export function parseRoute(hash: string): Route {
  const [path = "", search = ""] = hash.replace(/^#/, "").split(/\?(.*)/s);
  const query = Object.fromEntries(new URLSearchParams(search));
  const parts = path
    .split("/")
    .filter((part) => part !== "")
    .map(decode);
  const missing: MissingRoute = { view: "missing", path, query };
  const [head, id, kind, third, fourth, ...rest] = parts;
  if (rest.length > 0) return missing;
  if (head === undefined) return { view: "runs", query };
  if (id === undefined) {
    if (head === "compare") return { view: "compare", runs: splitList(query.runs), query };
    if (head === "detect") return { view: "detect", query };
    return missing;
  }
  if (head !== "run") return missing;
  if (kind === undefined) return { view: "run", id, query };
  if (third === undefined || fourth === undefined) return missing;
  if (kind === "group") {
    const step = Number(third);
    return Number.isInteger(step) && step >= 0 ? { view: "group", id, step, sample: fourth, query } : missing;
  }
  return kind === "eval" ? { view: "evaluation", id, set: third, image: fourth, query } : missing;
}

/** What changes in a query: a value, or `undefined` to take the key away. */
export type QueryChange = Readonly<Record<string, string | number | undefined>>;

/** A query as it stands after `?`; empty without values. */
function search(query: QueryChange): string {
  const kept = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  const text = new URLSearchParams(kept.map(([key, value]) => [key, String(value)])).toString();
  return text === "" ? "" : `?${text}`;
}

/** Addresses, for `href`: one function a view. */
export const href = {
  runs: (query: QueryChange = {}) => `#/${search(query)}`,
  run: (id: string, query: QueryChange = {}) => `#/run/${encodeURIComponent(id)}${search(query)}`,
  group: (id: string, step: number, sample: string, query: QueryChange = {}) =>
    `#/run/${encodeURIComponent(id)}/group/${step}/${encodeURIComponent(sample)}${search(query)}`,
  evaluation: (id: string, set: string, image: string, query: QueryChange = {}) =>
    `#/run/${encodeURIComponent(id)}/eval/${encodeURIComponent(set)}/${encodeURIComponent(image)}${search(query)}`,
  compare: (runs: readonly string[], query: QueryChange = {}) =>
    `#/compare${search({ ...query, runs: joinList(runs) })}`,
  detect: (query: QueryChange = {}) => `#/detect${search(query)}`,
};

/** The hash with some of its query changed; everything else stays. */
export function withQuery(hash: string, change: QueryChange): string {
  const [path = ""] = hash.replace(/^#/, "").split("?");
  return `#${path === "" ? "/" : path}${search({ ...parseRoute(hash).query, ...change })}`;
}

/**
 * Goes to an address.
 * @param options.replace Leaves no entry in the history: for filters and other settings of a view.
 */
export function navigate(address: string, { replace = false }: { readonly replace?: boolean } = {}): void {
  if (!replace) {
    location.hash = address;
    return;
  }
  history.replaceState(history.state, "", address);
  // replaceState tells nobody; the router listens to this event.
  window.dispatchEvent(new HashChangeEvent("hashchange"));
}

/** Changes the query of the present view in place. */
export function setQuery(change: QueryChange): void {
  navigate(withQuery(location.hash, change), { replace: true });
}

/** The present route; the component draws again when it changes. */
export function useRoute(): Route {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const changed = () => setHash(location.hash);
    window.addEventListener("hashchange", changed);
    return () => window.removeEventListener("hashchange", changed);
  }, []);
  return parseRoute(hash);
}
