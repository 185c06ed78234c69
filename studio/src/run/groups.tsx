/** @file The groups of a run: which ones, in which order, page by page; each leads to its Group view. */
import { useEffect, useState } from "preact/hooks";
import type { GroupPage, GroupsQuery, GroupSummary, RunDetail } from "../../../src/server/studio/api.js";
import { api } from "../api.js";
import { useEvent } from "../events.js";
import { count, number, score } from "../format.js";
import {
  failureKinds,
  failureWords,
  filterOf,
  filterQuery,
  isFiltered,
  type GroupFailure,
} from "../group/group-filter.js";
import { href, setQuery, type Query, type QueryChange } from "../router.js";
import { Failure } from "../ui/failure.js";
import { Pager } from "../ui/pager.js";
import { useData } from "../ui/use-data.js";
import { Waiting } from "../ui/waiting.js";
import { SelectField } from "../ui/select-field.js";

const PAGE = 25;

/** Orders that answer a question; the address may hold others. */
const SORTS: Readonly<Record<string, string>> = {
  "": "Latest step first",
  step: "Earliest step first",
  reward: "Lowest reward first",
  "-reward": "Highest reward first",
  "-spread": "Widest spread first",
  "-objects": "Most crowded first",
  objects: "Least crowded first",
  f1: "Lowest F1 first",
  "-f1": "Highest F1 first",
};

/** A number that is taken when it is finished, not at each key. */
function NumberField({
  label,
  value,
  hint,
  onValue,
}: {
  readonly label: string;
  readonly value: number | undefined;
  readonly hint: number | undefined;
  readonly onValue: (value: number | undefined) => void;
}) {
  return (
    <label class="field number-field">
      <span>{label}</span>
      <input
        type="number"
        step="any"
        value={value ?? ""}
        placeholder={hint === undefined ? undefined : String(Number(hint.toFixed(2)))}
        onChange={({ currentTarget }) =>
          onValue(currentTarget.value === "" ? undefined : Number(currentTarget.value))
        }
      />
    </label>
  );
}

/** Controls of the filter. */
function Filter({
  filter,
  page,
  change,
}: {
  readonly filter: GroupsQuery;
  readonly page: GroupPage | undefined;
  readonly change: (part: Partial<GroupsQuery>) => void;
}) {
  const ranges = page?.ranges;
  const failures = page?.failures ?? {};
  const chosen = filter.failure ?? [];
  const toggle = (kind: GroupFailure) =>
    change({ failure: chosen.includes(kind) ? chosen.filter((one) => one !== kind) : [...chosen, kind] });
  const field = (
    key: "fromStep" | "toStep" | "minReward" | "maxReward" | "minObjects" | "maxObjects",
    label: string,
  ) => {
    const range = key.endsWith("Step")
      ? ranges?.step
      : key.endsWith("Reward")
        ? ranges?.reward
        : ranges?.objects;
    const low = key.startsWith("from") || key.startsWith("min");
    return (
      <NumberField
        label={label}
        value={filter[key]}
        hint={range?.[low ? 0 : 1]}
        onValue={(value) => change({ [key]: value })}
      />
    );
  };
  return (
    <form class="card stack-s" role="search" aria-label="Groups" onSubmit={(event) => event.preventDefault()}>
      <div class="row filter-fields">
        {field("fromStep", "From step")}
        {field("toStep", "To step")}
        {field("minReward", "Reward from")}
        {field("maxReward", "Reward to")}
        {field("minObjects", "Objects from")}
        {field("maxObjects", "Objects to")}
        <label class="field">
          <span>Picture</span>
          <input
            type="search"
            placeholder="part of its id"
            value={filter.sample ?? ""}
            onChange={({ currentTarget }) => change({ sample: currentTarget.value || undefined })}
          />
        </label>
        <SelectField
          label="Order"
          value={filter.sort ?? ""}
          choices={Object.entries(SORTS)}
          onValue={(sort) => change({ sort: (sort || undefined) as GroupsQuery["sort"] })}
        />
      </div>
      <fieldset class="plain-fieldset row failures">
        <legend class="small muted">With a response that …</legend>
        {failureKinds
          .filter((kind) => (failures[kind] ?? 0) > 0 || chosen.includes(kind))
          .map((kind) => (
            <button
              key={kind}
              type="button"
              class="button chip"
              aria-pressed={chosen.includes(kind)}
              onClick={() => toggle(kind)}
            >
              {failureWords[kind]} <span class="muted">{(failures[kind] ?? 0).toLocaleString("en-US")}</span>
            </button>
          ))}
        {page && Object.keys(failures).length === 0 && (
          <span class="small muted">Nothing fails in this run.</span>
        )}
      </fieldset>
    </form>
  );
}

/** Mean, ends and spread of a group's rewards on one line. */
function RewardSpan({
  reward,
  ends,
}: {
  readonly reward: GroupSummary["reward"];
  readonly ends: readonly [number, number];
}) {
  const [low, high] = ends;
  const at = (value: number) => 100 * Math.min(1, Math.max(0, (value - low) / (high - low || 1)));
  return (
    <svg class="reward-span" viewBox="0 0 100 12" preserveAspectRatio="none" aria-hidden="true">
      <path d="M0 6H100" stroke="var(--line)" stroke-width="2" vector-effect="non-scaling-stroke" />
      <path
        d={`M${at(reward.min)} 6H${at(reward.max)}`}
        stroke="var(--accent)"
        stroke-opacity="0.55"
        stroke-width="5"
        vector-effect="non-scaling-stroke"
      />
      <path
        d={`M${at(reward.mean)} 1V11`}
        stroke="var(--ink)"
        stroke-width="2"
        vector-effect="non-scaling-stroke"
      />
    </svg>
  );
}

function Rows({
  page,
  id,
  query,
}: {
  readonly page: GroupPage;
  readonly id: string;
  readonly query: QueryChange;
}) {
  const lows = page.groups.map(({ reward }) => reward.min);
  const highs = page.groups.map(({ reward }) => reward.max);
  const ends = [Math.min(0, ...lows), Math.max(1, ...highs)] as const;
  return (
    <div class="table-box" tabIndex={0} role="region" aria-label="List of groups">
      <table class="table groups-table">
        <thead>
          <tr>
            <th scope="col">Picture</th>
            <th scope="col" class="number">
              Step
            </th>
            <th scope="col" class="number">
              Objects
            </th>
            <th scope="col" class="number">
              Mean reward
            </th>
            <th scope="col">Lowest to highest</th>
            <th scope="col" class="number">
              Spread
            </th>
            <th scope="col" class="number">
              F1
            </th>
            <th scope="col">What fails</th>
          </tr>
        </thead>
        <tbody>
          {page.groups.map((group) => (
            <tr key={`${group.step} ${group.sample}`}>
              <th scope="row">
                <a href={href.group(id, group.step, group.sample, query)}>{group.sample}</a>
              </th>
              <td class="number">{group.step}</td>
              <td class="number">{group.objects}</td>
              <td class="number">
                <strong>{number(group.reward.mean)}</strong>
              </td>
              <td>
                <span class="row reward-cell">
                  <RewardSpan reward={group.reward} ends={ends} />
                  <span class="muted nowrap">
                    {number(group.reward.min)} to {number(group.reward.max)}
                  </span>
                </span>
              </td>
              <td class="number">{number(group.reward.std)}</td>
              <td class="number">{score(group.f1)}</td>
              <td>
                <span class="row failure-list">
                  {group.zeroVariance && <span class="badge badge-warn">all earn the same</span>}
                  {failureKinds.map((kind) => {
                    const times = kind === "zero-variance" ? 0 : (group.failures[kind] ?? 0);
                    return times === 0 ? null : (
                      <span key={kind} class="badge" title={`${times} of ${group.responses} responses`}>
                        {times}× {failureWords[kind]}
                      </span>
                    );
                  })}
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The list with its filter. */
export function Groups({ run, query }: { readonly run: RunDetail; readonly query: Query }) {
  const filter = filterOf(query);
  const offset = Math.max(0, Math.floor(Number(query.offset ?? 0)) || 0);
  const asked = JSON.stringify([filter, offset]);
  const { data, error, reload } = useData(`groups ${run.id} ${asked}`, (signal) =>
    api.groups(run.id, { ...filter, offset, limit: PAGE }, signal),
  );
  // Between two pages the last one stays: a list that vanishes cannot be read.
  const [page, setPage] = useState<GroupPage>();
  useEffect(() => {
    if (data) setPage(data);
  }, [data]);
  const [total, setTotal] = useState<number>();
  useEvent("groups", (event) => {
    if (event.id === run.id) setTotal(event.total);
  });
  useEffect(() => setTotal(undefined), [data]);
  const more = page && total !== undefined ? total - page.total : 0;
  const change = (part: Partial<GroupsQuery>) =>
    setQuery({ ...filterQuery({ ...filter, ...part }), offset: undefined });
  return (
    <section class="stack" aria-labelledby="groups-title">
      <div class="row row-between">
        <h2 id="groups-title">Groups</h2>
        <div class="row">
          {more !== 0 && (
            <button type="button" class="button" onClick={reload}>
              {more > 0 ? `Show ${count(more, "new group")}` : "Load again"}
            </button>
          )}
          {isFiltered(filter) && (
            <button
              type="button"
              class="button"
              onClick={() => setQuery({ ...filterQuery({}), offset: undefined })}
            >
              Clear the filter
            </button>
          )}
        </div>
      </div>
      <p class="small muted">
        A group is one picture of a step with all the responses to it. Open one to see what the model looked
        at, what it answered, and what each response earned.
      </p>
      <Filter filter={filter} page={page} change={change} />
      {error !== undefined && <Failure error={error} retry={reload} />}
      {!page && error === undefined && <Waiting for="the groups" />}
      {page && page.total === 0 && (
        <div class="empty">
          <p>
            {run.kind === "sft"
              ? "SFT learns from a teacher's answers: there are no groups of responses to look at."
              : run.status === "training"
                ? "The first group is still being sampled."
                : "This run kept no responses."}
          </p>
        </div>
      )}
      {page && page.total > 0 && page.matching === 0 && (
        <div class="empty">
          <p>None of the {count(page.total, "group")} passes the filter.</p>
        </div>
      )}
      {page && page.matching > 0 && (
        <div class="card stack">
          <Rows page={page} id={run.id} query={filterQuery(filter)} />
          <Pager
            offset={page.offset}
            size={PAGE}
            total={page.matching}
            word="group"
            onPage={(to) => setQuery({ offset: to === 0 ? undefined : to })}
          />
        </div>
      )}
    </section>
  );
}
