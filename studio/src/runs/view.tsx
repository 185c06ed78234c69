/** @file All runs of the folder. */
import { useEffect, useState } from "preact/hooks";
import type { RunId } from "../../../src/server/studio/api.js";
import { api } from "../api.js";
import { count } from "../format.js";
import { href, joinList, setQuery, splitList, type RunsRoute } from "../router.js";
import { Command } from "../ui/command.js";
import { Failure } from "../ui/failure.js";
import { STATUSES, statusWord } from "../ui/status.js";
import { useTitle } from "../ui/title.js";
import { useData } from "../ui/use-data.js";
import { useRuns } from "../ui/use-runs.js";
import { Waiting } from "../ui/waiting.js";
import { DiffCard } from "./diff-card.js";
import { filterOf, listRuns, SORTS } from "./list.js";
import { RunRow } from "./run-row.js";
import "./runs.css";
import { SelectField } from "../ui/select-field.js";

/** The time, every half minute: "5 min ago" gets old. */
function useNow(): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 30_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** There is no run yet. */
function Empty() {
  const studio = useData("studio", (signal) => api.studio(signal));
  return (
    <div class="empty card">
      <h2>No runs yet</h2>
      <p>
        {studio.data ? (
          <>
            There is no run in <code>{studio.data.runs}</code>.
          </>
        ) : (
          "There is no run in this folder."
        )}{" "}
        Start one in a terminal; it appears here as soon as it begins, and updates by itself.
      </p>
      <Command>{studio.data?.firstRun ?? "dip-r1 start"}</Command>
      <p class="small muted">
        It takes some minutes on a laptop: a small model learns to find people in drawn scenes.
      </p>
    </div>
  );
}

/** What can be done with the runs that are chosen. */
function ChosenBar({ chosen, onClear }: { readonly chosen: readonly RunId[]; readonly onClear: () => void }) {
  const [a, b] = chosen;
  const [first, ...others] = chosen;
  return (
    <div class="chosen-bar" role="region" aria-label="Chosen runs">
      <strong role="status">{count(chosen.length, "run")} chosen</strong>
      <div class="row">
        <button
          type="button"
          class="button"
          disabled={chosen.length !== 2}
          title={chosen.length === 2 ? undefined : "Choose two runs"}
          onClick={() => {
            setQuery({ diff: joinList([a!, b!]) });
            window.scrollTo(0, 0);
          }}
        >
          What differs
        </button>
        <a class="button" href={href.run(first!, { with: joinList(others) })}>
          {chosen.length === 1 ? "Curves" : "Overlay curves"}
        </a>
        <a class="button button-primary" href={href.compare(chosen)}>
          Compare results
        </a>
        <button type="button" class="button button-plain" onClick={onClear}>
          Clear
        </button>
      </div>
    </div>
  );
}

/** The list with its filters, and what can be done with several. */
export default function RunsView({ route }: { readonly route: RunsRoute }) {
  useTitle("Runs");
  const { data, error, reload } = useRuns();
  const [chosen, setChosen] = useState<readonly RunId[]>([]);
  const now = useNow();
  const filter = filterOf(route.query);
  const runs = data ? listRuns(data.runs, filter) : [];
  const here = chosen.filter((id) => data?.runs.some((run) => run.id === id));
  const [a, b] = splitList(route.query.diff);
  const training = data?.runs.filter(({ status }) => status === "training").length ?? 0;
  return (
    <div class="stack">
      <div class="page-head">
        <div>
          <h1>Runs</h1>
          {data && data.runs.length > 0 && (
            <p class="muted small">
              {count(data.runs.length, "run")}
              {training > 0 ? `, ${training} training` : ""}
            </p>
          )}
        </div>
        {data && data.runs.length > 0 && (
          <form class="row" role="search" aria-label="Runs" onSubmit={(event) => event.preventDefault()}>
            <label class="field">
              <span>Find</span>
              <input
                type="search"
                placeholder="name, preset, model, seed"
                value={filter.text}
                onInput={({ currentTarget }) => setQuery({ q: currentTarget.value })}
              />
            </label>
            <SelectField
              label="State"
              value={filter.status}
              choices={[["", "Any"], ...STATUSES.map((status) => [status, statusWord(status)] as const)]}
              onValue={(status) => setQuery({ status })}
            />
            <SelectField
              label="Kind"
              value={filter.kind}
              choices={[
                ["", "Any"],
                ["grpo", "GRPO"],
                ["sft", "SFT"],
              ]}
              onValue={(kind) => setQuery({ kind })}
            />
            <SelectField
              label="Order"
              value={filter.sort}
              choices={Object.entries(SORTS)}
              onValue={(sort) => setQuery({ sort: sort === "newest" ? undefined : sort })}
            />
          </form>
        )}
      </div>
      {error !== undefined && <Failure error={error} retry={reload} />}
      {!data && error === undefined && <Waiting for="the runs" />}
      {a !== undefined && b !== undefined && (
        <DiffCard a={a} b={b} onClose={() => setQuery({ diff: undefined })} />
      )}
      {data?.problems.map(({ id, message }) => (
        <div key={id} class="notice notice-warn small">
          <p>
            <strong>{id}</strong> cannot be read: {message}
          </p>
        </div>
      ))}
      {data && data.runs.length === 0 && <Empty />}
      {data && data.runs.length > 0 && runs.length === 0 && (
        <div class="empty">
          <p>None of the {count(data.runs.length, "run")} matches.</p>
          <button
            type="button"
            class="button"
            onClick={() => setQuery({ q: undefined, status: undefined, kind: undefined })}
          >
            Show all
          </button>
        </div>
      )}
      <ul class="stack runs-list" aria-label="Runs">
        {runs.map((run) => (
          <RunRow
            key={run.id}
            run={run}
            now={now}
            chosen={here.includes(run.id)}
            onChoose={(yes) => setChosen(yes ? [...here, run.id] : here.filter((id) => id !== run.id))}
          />
        ))}
      </ul>
      {here.length > 0 && <ChosenBar chosen={here} onClear={() => setChosen([])} />}
    </div>
  );
}
