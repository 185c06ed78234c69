/** @file Choosing what is compared: runs and steps, their names, which one is the baseline. */
import type { CompareChoices } from "../../../src/server/studio/compare-api.js";
import { entryLook, signShapes } from "./entry-look.js";
import {
  entryId,
  isComparable,
  movedEntry,
  nextEntry,
  withoutEntry,
  type CompareState,
} from "./compare-state.js";

/** The most that stand side by side; the server says the same. */
const MOST = 8;

/** The sign of an entry in plots. */
export function EntrySign({ at }: { readonly at: number }) {
  const { colour, dash, sign } = entryLook(at);
  return (
    <svg class="compare-sign" width="34" height="16" viewBox="0 0 34 16" aria-hidden="true">
      <path
        d="M1 8H33"
        stroke={`var(${colour})`}
        stroke-width="2"
        stroke-dasharray={dash.join(" ") || undefined}
      />
      {signShapes(sign, 17, 8, { size: 5, colour: `var(${colour})`, ground: "var(--card)" }).map(
        (shape, i) =>
          shape.kind === "text" ? null : (
            <path
              key={i}
              d={(shape.kind === "line" ? shape.pieces : [shape.points])
                .map((points) => points.map(([x, y], p) => `${p === 0 ? "M" : "L"}${x} ${y}`).join(""))
                .join("")}
              fill={shape.kind === "area" ? shape.fill : "none"}
              stroke={shape.kind === "line" ? shape.stroke : undefined}
              stroke-width={shape.kind === "line" ? shape.width : undefined}
            />
          ),
      )}
    </svg>
  );
}

/** Properties of {@link EntryForm}. */
export interface EntryFormProps {
  readonly state: CompareState;
  readonly runs: CompareChoices["runs"];
  /** Names as they are shown where none is given. */
  readonly suggested: readonly string[];
  readonly onState: (state: CompareState) => void;
}

/** The list of entries. */
export function EntryForm({ state, runs, suggested, onState }: EntryFormProps) {
  const { entries, baseline, decoding } = state;
  const change = (at: number, entry: Partial<CompareState["entries"][number]>) =>
    onState({ ...state, entries: entries.map((one, k) => (k === at ? { ...one, ...entry } : one)) });
  const first = runs.find(({ run }) => run === entries[0]?.run);
  const next = nextEntry(state, runs);
  const taken = new Set(entries.map(entryId));
  return (
    <fieldset class="compare-entries">
      <legend class="sr-only">What is compared</legend>
      <ol class="stack-s">
        {entries.map((entry, k) => {
          const run = runs.find((one) => one.run === entry.run);
          const label = suggested[k] ?? entryId(entry);
          return (
            <li key={k} class="compare-entry">
              <EntrySign at={k} />
              <label class="field">
                <span>Name {k + 1}</span>
                <input
                  type="text"
                  value={entry.name}
                  placeholder={label}
                  maxLength={60}
                  autocomplete="off"
                  onChange={(event) => change(k, { name: event.currentTarget.value.trim() })}
                />
              </label>
              <label class="field compare-run">
                <span>Run {k + 1}</span>
                <select
                  value={entry.run}
                  onChange={(event) => {
                    const id = event.currentTarget.value;
                    const to = runs.find((one) => one.run === id);
                    const step =
                      to?.steps.toReversed().find((one) => !taken.has(entryId({ run: id, step: one }))) ??
                      to?.steps.at(-1);
                    if (step !== undefined) change(k, { run: id, step });
                  }}
                >
                  {runs.map((one) => (
                    <option key={one.run} value={one.run}>
                      {one.run}
                      {one.name === one.run ? "" : ` (${one.name})`}
                      {first !== undefined && !isComparable(first, one, decoding) ? ": other data" : ""}
                    </option>
                  ))}
                </select>
              </label>
              <label class="field">
                <span>Step {k + 1}</span>
                <select
                  value={String(entry.step)}
                  onChange={(event) => change(k, { step: Number(event.currentTarget.value) })}
                >
                  {(run?.steps ?? [entry.step]).map((step, i, all) => (
                    <option
                      key={step}
                      value={String(step)}
                      disabled={step !== entry.step && taken.has(entryId({ run: entry.run, step }))}
                    >
                      {step}
                      {step === 0 ? " (base)" : i === all.length - 1 ? " (last)" : ""}
                    </option>
                  ))}
                </select>
              </label>
              <div class="row compare-entry-tools">
                <label class="check">
                  <input
                    type="radio"
                    name="compare-baseline"
                    checked={baseline === k}
                    onChange={() => onState({ ...state, baseline: k })}
                  />
                  Baseline<span class="sr-only"> is {entry.name || label}</span>
                </label>
                <button
                  type="button"
                  class="button button-plain button-icon"
                  disabled={k === 0}
                  aria-label={`Move ${entry.name || label} up`}
                  title="Move up"
                  onClick={() => onState(movedEntry(state, k, -1))}
                >
                  ↑
                </button>
                <button
                  type="button"
                  class="button button-plain button-icon"
                  disabled={k === entries.length - 1}
                  aria-label={`Move ${entry.name || label} down`}
                  title="Move down"
                  onClick={() => onState(movedEntry(state, k, 1))}
                >
                  ↓
                </button>
                <button
                  type="button"
                  class="button button-plain button-icon"
                  aria-label={`Take ${entry.name || label} away`}
                  title="Take away"
                  onClick={() => onState(withoutEntry(state, k))}
                >
                  ×
                </button>
              </div>
            </li>
          );
        })}
      </ol>
      <button
        type="button"
        class="button"
        disabled={next === undefined || entries.length >= MOST}
        onClick={() => next && onState({ ...state, entries: [...entries, { ...next, name: "" }] })}
      >
        Add an evaluation
      </button>
    </fieldset>
  );
}
