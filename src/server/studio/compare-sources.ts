/** @file Which evaluations there are to compare, and those that a query names, checked before the thread opens them. */
import { readdir, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { evaluationFile } from "../../runs/evaluations.js";
import { HttpError } from "../http-error.js";
import type { EvaluationRow } from "./api.js";
import type { ChoiceSet, CompareChoices, CompareEntry } from "./compare-api.js";
import type { CompareSource } from "./compare-work.js";
import type { RunStore } from "./run-store.js";
import { locateInside } from "./safe-file.js";
import type { StudioRun } from "./studio-run.js";

/** Most entries of a comparison: a table of more columns is nobody's, and each costs seconds. */
export const MOST_ENTRIES = 8;

const byNumber = (a: number, b: number) => a - b;

const unique = <T>(values: readonly T[]): T[] => [...new Set(values)];

/** Names of the files below a run's `evaluations`, by folder; folders and files behind links are not read. */
async function keptFiles(run: string): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const folder = await locateInside(run, ["evaluations"]).catch(() => undefined);
  if (folder === undefined) return new Map();
  const steps = await readdir(folder, { withFileTypes: true });
  return new Map(
    await Promise.all(
      steps
        .filter((entry) => entry.isDirectory())
        .map(async ({ name }) => [name, new Set(await readdir(join(folder, name)))] as const),
    ),
  );
}

const placeOf = (run: StudioRun, { step, set, decoding }: EvaluationRow): readonly string[] =>
  relative(run.path, evaluationFile(run.path, step, set, decoding)).split(sep);

/** Finished evaluations whose responses are kept. */
async function keptRows(run: StudioRun): Promise<EvaluationRow[]> {
  const files = await keptFiles(run.path);
  return run.evaluations.rows.filter((row) => {
    const [, folder, file] = placeOf(run, row);
    return files.get(folder!)?.has(file!) === true;
  });
}

/** What can be compared, newest run first. */
export async function compareChoices(store: Pick<RunStore, "look">): Promise<CompareChoices> {
  const { runs } = await store.look();
  const choices = await Promise.all(
    runs.map(async (run) => {
      const rows = await keptRows(run);
      const { name, kind, status, created } = run.summary();
      const sets = new Map<string, EvaluationRow[]>();
      for (const row of rows) {
        const key = `${row.decoding} ${row.set}`;
        sets.set(key, [...(sets.get(key) ?? []), row]);
      }
      return {
        created,
        choice: {
          run: run.id,
          name,
          kind,
          status,
          steps: unique(rows.map(({ step }) => step)).toSorted(byNumber),
          sets: [...sets.values()].map((own): ChoiceSet => {
            const { set, domain, decoding } = own[0]!;
            return {
              set,
              domain,
              decoding,
              fingerprint: run.manifest.data[`eval.${set}`] ?? "",
              steps: unique(own.map(({ step }) => step)).toSorted(byNumber),
            };
          }),
        },
      };
    }),
  );
  return {
    runs: choices
      .filter(({ choice }) => choice.steps.length > 0)
      .toSorted((a, b) => (a.created < b.created ? 1 : a.created > b.created ? -1 : 0))
      .map(({ choice }) => choice),
  };
}

/** The run that an entry names; where the whole text is a run's name, that is meant. @throws HttpError `not-found` */
async function runOf(store: Pick<RunStore, "get">, text: string) {
  const { run, at } = parseEntry(text);
  try {
    return { run: await store.get(run), at };
  } catch (error) {
    if (run === text) throw error;
    const whole = await store.get(text).catch(() => undefined);
    if (whole === undefined) throw error;
    return { run: whole, at: "last" };
  }
}

/** `RUN@STEP` taken apart; a run's name may hold an @ itself. */
export function parseEntry(text: string): { readonly run: string; readonly at: string } {
  const [, run, at] = /^(.+)@(\d+|first|last)$/s.exec(text) ?? [];
  return run === undefined ? { run: text, at: "last" } : { run, at: at! };
}

const METHODS = { grpo: "DIP-R1", sft: "SFT" } as const;

/** Names to begin with: `base` before the first step, else the method; where two are alike, with what tells them apart. */
export function suggestNames(
  entries: readonly Pick<CompareEntry, "run" | "step" | "kind">[],
  lastSteps: readonly number[],
): string[] {
  const plain = entries.map(({ step, kind }, k) =>
    step === 0 ? "base" : step === lastSteps[k] ? METHODS[kind] : `${METHODS[kind]} at ${step}`,
  );
  return plain.map((name, k) => {
    if (plain.filter((other) => other === name).length === 1) return name;
    const { run } = entries[k]!;
    return `${name} (${run})`;
  });
}

/**
 * The evaluations that a query names.
 * @throws HttpError for runs and steps that are not there, for one named twice, and for links that leave a run
 */
export async function compareSources(
  store: Pick<RunStore, "get">,
  entries: readonly string[],
): Promise<CompareSource[]> {
  if (entries.length === 0)
    throw new HttpError("bad-request", "there is nothing to compare", {
      hint: "Name at least one evaluation: entry=RUN@STEP.",
    });
  if (entries.length > MOST_ENTRIES)
    throw new HttpError(
      "limit-exceeded",
      `${entries.length} entries are more than the ${MOST_ENTRIES} that stand side by side`,
    );
  const found = await Promise.all(
    entries.map(async (text) => {
      const { run, at } = await runOf(store, text);
      const { id } = run;
      const rows = await keptRows(run);
      const steps = unique(rows.map(({ step }) => step)).toSorted(byNumber);
      if (steps.length === 0)
        throw new HttpError("bad-request", `${id}: has no evaluation yet`, {
          hint: "A run judges its sets before the first step, every evaluation.every steps and at its end.",
        });
      const step = at === "last" ? steps.at(-1)! : at === "first" ? steps[0]! : Number(at);
      if (!steps.includes(step))
        throw new HttpError("bad-request", `${id}: step ${at} was not evaluated`, {
          hint: `Evaluated were: ${steps.join(", ")}.`,
        });
      const own = rows.filter((row) => row.step === step);
      const stamps = await Promise.all(
        own.map(async (row) => {
          const path = await locateInside(run.path, placeOf(run, row));
          if (path === undefined) return "";
          const { size, mtimeMs, ino } = await stat(path);
          return `${row.set} ${row.decoding} ${size} ${mtimeMs} ${ino}`;
        }),
      );
      const { name, kind, seed } = run.summary();
      const entry = { id: `${id}@${step}`, run: id, step, runName: name, kind, seed };
      const domains: Record<string, "in" | "out"> = {};
      for (const { set, domain } of own) domains[set] = domain;
      return {
        entry,
        last: steps.at(-1)!,
        path: run.path,
        signature: `${id}@${step} ${stamps.join(";")}`,
        domains,
      };
    }),
  );
  const ids = found.map(({ entry }) => entry.id);
  const twice = ids.find((id, k) => ids.indexOf(id) !== k);
  if (twice !== undefined)
    throw new HttpError("bad-request", `${twice} is named twice`, { hint: "Name each evaluation once." });
  const names = suggestNames(
    found.map(({ entry }) => entry),
    found.map(({ last }) => last),
  );
  return found.map(({ entry, path, signature, domains }, k): CompareSource => ({
    entry: { ...entry, suggested: names[k]! },
    path,
    signature,
    domains,
  }));
}
