/** @file What is compared, as the address holds it: entries with their names, set, decoding, baseline. Pure. */
import type { ScoreSource } from "../../../src/metrics/index.js";
import type { Decoding } from "../../../src/server/studio/api.js";
import type { CompareChoices, CompareQuery } from "../../../src/server/studio/compare-api.js";
import { joinList, splitList, type CompareRoute, type QueryChange } from "../router.js";

/** One entry: an evaluation, and the name it goes by where the reader gave one. */
export interface EntryState {
  readonly run: string;
  readonly step: number;
  /** Empty: the suggested one. */
  readonly name: string;
}

/** What the address says. */
export interface CompareState {
  readonly entries: readonly EntryState[];
  readonly decoding: Decoding;
  /** Of the slices, plots and images. */
  readonly set?: string;
  /** Place in `entries`. */
  readonly baseline: number;
  readonly source?: ScoreSource;
  readonly common: boolean;
}

type Runs = CompareChoices["runs"];

/** `RUN`, `RUN@STEP`, `RUN@first`, `RUN@last` as an evaluation that is there. */
function entryOf(text: string, runs: Runs): Omit<EntryState, "name"> | undefined {
  // A run's name may itself look like one with a step.
  const whole = runs.some(({ run }) => run === text);
  const [, named, at = "last"] = (whole ? null : /^(.+)@(\d+|first|last)$/s.exec(text)) ?? [undefined, text];
  const run = runs.find((one) => one.run === named);
  if (run === undefined) return undefined;
  const step = at === "last" ? run.steps.at(-1) : at === "first" ? run.steps[0] : Number(at);
  return step !== undefined && run.steps.includes(step) ? { run: run.run, step } : undefined;
}

/**
 * Entries of an address. Runs without a step stand for their last evaluation, and the first of them brings what it began
 * from: `#/compare?runs=a,b` is base, a, b.
 * @returns also those that are not there.
 */
export function entriesOf(
  texts: readonly string[],
  runs: Runs,
): { readonly entries: Omit<EntryState, "name">[]; readonly missing: string[] } {
  const plain = texts.length > 0 && texts.every((text) => runs.some(({ run }) => run === text));
  const first = plain ? runs.find(({ run }) => run === texts[0])! : undefined;
  const begun = first !== undefined && first.steps.length > 1 ? [`${first.run}@first`] : [];
  const entries: Omit<EntryState, "name">[] = [];
  const missing: string[] = [];
  for (const text of [...begun, ...texts]) {
    const entry = entryOf(text, runs);
    if (entry === undefined) missing.push(text);
    else if (!entries.some(({ run, step }) => run === entry.run && step === entry.step)) entries.push(entry);
  }
  return { entries, missing };
}

/** What the address says, as far as it is there. */
export function readState(
  { runs: texts, query }: CompareRoute,
  runs: Runs,
): { readonly state: CompareState; readonly missing: readonly string[] } {
  const { entries, missing } = entriesOf(texts, runs);
  const names = splitNames(query.names);
  const baseline = Number(query.baseline ?? 0);
  return {
    missing,
    state: {
      entries: entries.map((entry, k) => ({ ...entry, name: names[k] ?? "" })),
      decoding: query.decoding === "sampled" ? "sampled" : "greedy",
      ...(query.set !== undefined && { set: query.set }),
      baseline: Number.isInteger(baseline) && baseline >= 0 && baseline < entries.length ? baseline : 0,
      ...(query.source !== undefined && { source: query.source as ScoreSource }),
      common: query.common === "1",
    },
  };
}

// An empty name has its place in the list.
const splitNames = (value: string | undefined): string[] =>
  value === undefined ? [] : value.split(",").flatMap((part) => (part === "" ? [""] : splitList(part)));

/** Entries as the address and the server name them. */
export const entryId = ({ run, step }: Pick<EntryState, "run" | "step">): string => `${run}@${step}`;

/** The state as a query of the address. */
export function stateQuery(state: CompareState): QueryChange {
  const { entries, decoding, set, baseline, source, common } = state;
  return {
    runs: joinList(entries.map(entryId)),
    names: entries.some(({ name }) => name !== "") ? joinList(entries.map(({ name }) => name)) : undefined,
    decoding: decoding === "greedy" ? undefined : decoding,
    set,
    baseline: baseline === 0 ? undefined : baseline,
    source,
    common: common ? "1" : undefined,
  };
}

/** What the server is asked. Names and the set shown do not change the numbers. */
export function compareQuery({ entries, decoding, baseline, source, common }: CompareState): CompareQuery {
  return {
    entry: entries.map(entryId),
    decoding,
    baseline,
    ...(source !== undefined && { source }),
    ...(common && { common: "1" }),
  };
}

/** Takes an entry away; the baseline stays with its entry. */
export function withoutEntry(state: CompareState, at: number): CompareState {
  const { baseline } = state;
  return {
    ...state,
    entries: state.entries.filter((_, k) => k !== at),
    baseline: baseline === at ? 0 : baseline > at ? baseline - 1 : baseline,
  };
}

/** Moves an entry one place up or down. */
export function movedEntry(state: CompareState, at: number, by: -1 | 1): CompareState {
  const to = at + by;
  if (to < 0 || to >= state.entries.length) return state;
  const entries = [...state.entries];
  [entries[at], entries[to]] = [entries[to]!, entries[at]!];
  const { baseline } = state;
  return { ...state, entries, baseline: baseline === at ? to : baseline === to ? at : baseline };
}

/** Whether two evaluations were made on the same data: at least one set of this decoding with an equal fingerprint. */
export function isComparable(a: Runs[number], b: Runs[number], decoding: Decoding): boolean {
  return a.sets.some((one) =>
    b.sets.some(
      (other) =>
        one.decoding === decoding &&
        other.decoding === decoding &&
        one.set === other.set &&
        one.fingerprint === other.fingerprint,
    ),
  );
}

/** A next entry to begin with: the first evaluation that is not there yet and can stand beside the others. */
export function nextEntry(state: CompareState, runs: Runs): Omit<EntryState, "name"> | undefined {
  const first = runs.find(({ run }) => run === state.entries[0]?.run);
  const taken = new Set(state.entries.map(entryId));
  const fitting = runs.filter((run) => first === undefined || isComparable(first, run, state.decoding));
  for (const { run, steps } of fitting)
    for (const step of [steps.at(-1)!, ...steps])
      if (!taken.has(entryId({ run, step }))) return { run, step };
  return undefined;
}
