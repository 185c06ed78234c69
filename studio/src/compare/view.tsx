/** @file Compare: several evaluations on the same images, side by side; its state is the address. */
import { useMemo, useState } from "preact/hooks";
import type { CompareChoices, Comparison } from "../../../src/server/studio/compare-api.js";
import { api, ApiError } from "../api.js";
import { useEvent } from "../events.js";
import { dateTime, fileName } from "../format.js";
import { href, setQuery, type CompareRoute } from "../router.js";
import { csv, downloadText } from "../ui/download.js";
import { Failure } from "../ui/failure.js";
import { useTitle } from "../ui/title.js";
import { useData } from "../ui/use-data.js";
import { Waiting } from "../ui/waiting.js";
import { compareQuery, readState, stateQuery, type CompareState } from "./compare-state.js";
import { EntryForm } from "./entry-form.js";
import { resultRows, sliceRows } from "./export-csv.js";
import { latexTable } from "./export-latex.js";
import { FigureCard } from "./figure-card.js";
import { overviewFigures, setFigures } from "./figure-list.js";
import { choiceWords, ImageList, imagesQuery, type ImageChoice } from "./image-list.js";
import { ResultView } from "./result-view.js";
import { comparisonFile } from "./save-html.js";
import { SliceView } from "./slice-view.js";
import "./compare.css";

const SOURCES: Readonly<Record<string, string>> = {
  order: "order of the answer",
  one: "1 for every box",
  logprob: "mean token probability",
  "logprob-min": "least token probability",
  consensus: "share of responses",
};

/** Nothing is chosen yet. */
function Choose({ runs }: Pick<CompareChoices, "runs">) {
  if (runs.length === 0)
    return (
      <div class="empty">
        <h2>No run has an evaluation yet</h2>
        <p class="muted">
          A run judges its sets before its first step and at its end. Once one has, it can be compared here
          with what it began from and with other runs.
        </p>
        <a class="button" href={href.runs()}>
          See the runs
        </a>
      </div>
    );
  return (
    <section class="card stack-s">
      <h2>What is to be compared?</h2>
      <p class="muted">
        Begin with a run: what it began from beside its last evaluation. Others can be added after.
      </p>
      <ul class="row">
        {runs.slice(0, 12).map(({ run, name, steps }) => (
          <li key={run}>
            <a class="button" href={href.compare([run])}>
              {run}
              {name === run ? "" : ` (${name})`}
              <span class="muted">
                {steps.length > 1 ? `step ${steps[0]} and ${steps.at(-1)}` : `step ${steps[0]}`}
              </span>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** What a reader must know of the numbers. */
function Notes({ comparison }: { readonly comparison: Comparison }) {
  const { notes, refused } = comparison;
  return (
    <>
      {refused.length > 0 && (
        <div class="notice notice-warn" role="status">
          <div class="stack-s">
            <strong>Not compared: {refused.map(({ set }) => set).join(", ")}</strong>
            <ul class="compare-list">
              {refused.map(({ set, message, hint }) => (
                <li key={set}>
                  {message}
                  {hint === undefined ? "" : `. ${hint.replace(" by --common", " (the box above)")}`}
                </li>
              ))}
            </ul>
          </div>
        </div>
      )}
      {notes.length > 0 && (
        <div class="notice">
          <div class="stack-s">
            <strong>Notes</strong>
            <ul class="compare-list">
              {notes.map((note) => (
                <li key={note}>{note}</li>
              ))}
            </ul>
          </div>
        </div>
      )}
    </>
  );
}

interface ShownProps {
  readonly state: CompareState;
  readonly comparison: Comparison;
  readonly onState: (state: CompareState) => void;
}

/** Names as they are shown: the reader's, else the suggested ones. */
function namesOf({ entries }: CompareState, comparison: Comparison): string[] {
  return comparison.entries.map(({ suggested }, k) => entries[k]?.name || suggested);
}

/** The comparison, once it is there. */
function Shown({ state, comparison, onState }: ShownProps) {
  const names = useMemo(() => namesOf(state, comparison), [state, comparison]);
  const [all, setAll] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<unknown>();
  const set = comparison.sets.find((one) => one.set === state.set) ?? comparison.sets[0]!;
  const [choice, setChoice] = useState<ImageChoice>({
    target: comparison.entries.length - 1,
    by: "f1",
    order: "change",
    image: "",
    offset: 0,
  });
  const target = Math.min(choice.target, comparison.entries.length - 1);
  const overview = useMemo(() => overviewFigures(comparison, names), [comparison, names]);
  const figures = useMemo(() => setFigures(comparison, set, names), [comparison, set, names]);
  const file = fileName("compare", ...names);
  const percent = Math.round(100 * comparison.level);
  const saveHtml = async () => {
    setBusy(true);
    setProblem(undefined);
    try {
      const current = { ...choice, target };
      // What is on the page: asked again, the server has it.
      const images = await api.compareImages(imagesQuery(state, set.set, current));
      const text = await comparisonFile({
        comparison,
        names,
        set: set.set,
        images,
        chosen: choiceWords(current, names, comparison.baseline),
        made: dateTime(new Date().toISOString()),
      });
      downloadText(`${file}.html`, text, "text/html");
    } catch (error) {
      setProblem(error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <Notes comparison={comparison} />
      <section class="card stack-s" aria-labelledby="compare-results">
        <div class="card-head">
          <h2 id="compare-results">Results</h2>
          <div class="row">
            <label class="check">
              <input type="checkbox" checked={all} onChange={() => setAll(!all)} />
              All metrics
            </label>
            <div class="row" role="group" aria-label="Save the comparison">
              <button
                type="button"
                class="button"
                onClick={() => downloadText(`${file}.csv`, csv(resultRows(comparison, names)), "text/csv")}
              >
                CSV
              </button>
              <button
                type="button"
                class="button"
                onClick={() =>
                  downloadText(`${file}-parts.csv`, csv(sliceRows(comparison, names)), "text/csv")
                }
              >
                CSV of parts
              </button>
              <button
                type="button"
                class="button"
                onClick={() => downloadText(`${file}.tex`, latexTable(comparison, names, all), "text/x-tex")}
              >
                LaTeX
              </button>
              <button type="button" class="button" disabled={busy} onClick={() => void saveHtml()}>
                {busy ? "Saving …" : "HTML"}
              </button>
            </div>
          </div>
        </div>
        {problem !== undefined && <Failure error={problem} />}
        <ResultView comparison={comparison} names={names} all={all} />
        <p class="small muted">
          Under each value its {percent}% bootstrap interval over images ({comparison.resamples} resamples)
          {names.length > 1 && (
            <>
              , then the difference from {names[comparison.baseline]}, paired by image: ▲ better and ▼ worse
              where its interval leaves out zero. ★ marks the best of a set
            </>
          )}
          . Counts are off by that many boxes an image. AP ranks boxes by “{comparison.scoreSource}” (
          {SOURCES[comparison.scoreSource]}).
        </p>
      </section>
      <div class="compare-figures">
        {overview.map((figure) => (
          <FigureCard key={figure.title} figure={figure} name="compare" />
        ))}
      </div>
      <div class="row compare-set">
        <h2 id="compare-set">One set</h2>
        <div class="segments compare-sets" role="group" aria-labelledby="compare-set">
          {comparison.sets.map((one) => (
            <button
              key={one.set}
              type="button"
              aria-pressed={one === set}
              onClick={() => {
                setChoice({ ...choice, offset: 0 });
                onState({ ...state, set: one.set });
              }}
            >
              {one.set}
            </button>
          ))}
        </div>
      </div>
      <div class="compare-figures">
        {figures.map((figure, i) => (
          <FigureCard key={`${set.set} ${i}`} figure={figure} name="compare" />
        ))}
      </div>
      <SliceView comparison={comparison} set={set} names={names} />
      <ImageList
        state={state}
        comparison={comparison}
        set={set.set}
        names={names}
        choice={{ ...choice, target }}
        onChoice={setChoice}
      />
    </>
  );
}

/** Asks for the comparison; keyed by what is asked, so that another one starts afresh. */
function Compared({
  state,
  onState,
  comparison,
  error,
  reload,
}: {
  readonly state: CompareState;
  readonly onState: (state: CompareState) => void;
  readonly comparison: Comparison | undefined;
  readonly error: unknown;
  readonly reload: () => void;
}) {
  if (error !== undefined) {
    const otherImages = error instanceof ApiError && error.hint?.includes("common=1") === true;
    return (
      <div class="stack-s">
        <Failure error={error} retry={reload} />
        {otherImages && !state.common && (
          <p>
            <button type="button" class="button" onClick={() => onState({ ...state, common: true })}>
              Compare the images that all have
            </button>
          </p>
        )}
      </div>
    );
  }
  if (comparison === undefined)
    return (
      <div class="card stack-s">
        <Waiting for="the comparison" />
        <p class="small muted">
          Answers are scored again and images resampled: this takes some seconds at first.
        </p>
      </div>
    );
  return <Shown state={state} comparison={comparison} onState={onState} />;
}

function Chosen({
  state,
  runs,
  missing,
}: {
  readonly state: CompareState;
  readonly runs: CompareChoices["runs"];
  readonly missing: readonly string[];
}) {
  const query = compareQuery(state);
  const { data, error, reload } = useData(JSON.stringify(query), (signal) => api.compare(query, signal));
  const onState = (next: CompareState) => setQuery(stateQuery(next));
  const decodings = (["greedy", "sampled"] as const).filter((one) =>
    runs.some(
      ({ run, sets }) => run === state.entries[0]!.run && sets.some(({ decoding }) => decoding === one),
    ),
  );
  return (
    <>
      {missing.length > 0 && (
        <div class="notice notice-warn" role="alert">
          <p>
            Not there, or not evaluated: <span class="mono">{missing.join(", ")}</span>. The address may be of
            another folder of runs.
          </p>
        </div>
      )}
      <section class="card stack" aria-labelledby="compare-chosen">
        <h2 id="compare-chosen">Compared</h2>
        <EntryForm
          state={state}
          runs={runs}
          suggested={data?.entries.map(({ suggested }) => suggested) ?? []}
          onState={onState}
        />
        <div class="row">
          <div class="segments" role="group" aria-label="Decoding">
            {decodings.map((one) => (
              <button
                key={one}
                type="button"
                aria-pressed={state.decoding === one}
                onClick={() => onState({ ...state, decoding: one, source: undefined })}
              >
                {one === "greedy" ? "Greedy" : "Sampled"}
              </button>
            ))}
          </div>
          <label class="field">
            <span>Scores of boxes, for AP</span>
            <select
              value={state.source ?? ""}
              onChange={(event) =>
                onState({
                  ...state,
                  source: (event.currentTarget.value || undefined) as CompareState["source"],
                })
              }
            >
              <option value="">
                automatic{data && state.source === undefined ? `: ${data.scoreSource}` : ""}
              </option>
              {(data?.scoreSources ?? (state.source === undefined ? [] : [state.source])).map((source) => (
                <option key={source} value={source}>
                  {source}: {SOURCES[source]}
                </option>
              ))}
            </select>
          </label>
          <label class="check">
            <input
              type="checkbox"
              checked={state.common}
              onChange={() => onState({ ...state, common: !state.common })}
            />
            Only images that all have
          </label>
        </div>
      </section>
      <Compared state={state} onState={onState} comparison={data} error={error} reload={reload} />
    </>
  );
}

/** The view. */
export default function CompareView({ route }: { readonly route: CompareRoute }) {
  useTitle("Compare");
  const { data, error, reload } = useData("compare entries", (signal) => api.compareChoices(signal));
  useEvent("evaluation", reload);
  const read = data && readState(route, data.runs);
  return (
    <div class="stack compare">
      <div class="stack-s">
        <h1>Compare</h1>
        <p class="muted">
          Evaluations on the same images side by side: numbers with intervals, differences paired by image.
        </p>
      </div>
      {error !== undefined && <Failure error={error} retry={reload} />}
      {data === undefined && error === undefined && <Waiting for="the evaluations" />}
      {data && read && read.state.entries.length === 0 && (
        <>
          {read.missing.length > 0 && (
            <div class="notice notice-warn" role="alert">
              <p>
                Not there, or not evaluated: <span class="mono">{read.missing.join(", ")}</span>.
              </p>
            </div>
          )}
          <Choose runs={data.runs} />
        </>
      )}
      {data && read && read.state.entries.length > 0 && (
        <Chosen state={read.state} runs={data.runs} missing={read.missing} />
      )}
    </div>
  );
}
