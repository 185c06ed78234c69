/** @file Which groups one walks through: where this one stands among them, its neighbours, and the filter itself. */
import { useState } from "preact/hooks";
import type { GroupDetail, GroupsQuery } from "../../../src/server/studio/api.js";
import { href, setQuery } from "../router.js";
import {
  failureKinds,
  failureWords,
  filterInWords,
  filterQuery,
  isFiltered,
  type GroupFailure,
} from "./group-filter.js";
import type { Neighbours } from "./use-neighbours.js";

function Step({
  to,
  run,
  filter,
  children,
}: {
  readonly to: Neighbours["previous"];
  readonly run: string;
  readonly filter: GroupsQuery;
  readonly children: string;
}) {
  if (to === null || to === undefined)
    return (
      <span class="button" aria-disabled="true">
        {children}
      </span>
    );
  return (
    <a class="button" href={href.group(run, to.step, to.sample, filterQuery(filter))}>
      {children}
    </a>
  );
}

function NumberField({
  label,
  value,
  step,
  onValue,
}: {
  readonly label: string;
  readonly value: number | undefined;
  readonly step: string;
  readonly onValue: (value: number | undefined) => void;
}) {
  return (
    <label class="field">
      <span>{label}</span>
      <input
        type="number"
        step={step}
        value={value ?? ""}
        onChange={(event) => {
          const text = event.currentTarget.value;
          onValue(text === "" ? undefined : Number(text));
        }}
      />
    </label>
  );
}

/** Neighbours on one line, the filter folded below it. */
export function FilterBar({
  detail,
  filter,
  neighbours,
}: {
  readonly detail: GroupDetail;
  readonly filter: GroupsQuery;
  readonly neighbours: Neighbours;
}) {
  const [open, setOpen] = useState(false);
  const words = filterInWords(filter);
  const change = (part: Partial<GroupsQuery>) => setQuery(filterQuery({ ...filter, ...part }));
  const { previous, next, place } = neighbours;
  const toggle = (kind: GroupFailure) => {
    const now = filter.failure ?? [];
    change({ failure: now.includes(kind) ? now.filter((one) => one !== kind) : [...now, kind] });
  };
  return (
    <div class="stack-s">
      <nav class="row" aria-label="Groups">
        <Step to={previous} run={detail.run} filter={filter}>
          ← Previous
        </Step>
        <Step to={next} run={detail.run} filter={filter}>
          Next →
        </Step>
        <button type="button" class="button" aria-expanded={open} onClick={() => setOpen(!open)}>
          Filter{isFiltered(filter) ? " (on)" : ""}
        </button>
        <span class="small muted grow" role="status">
          {place !== null && place !== undefined
            ? `${(place.offset + 1).toLocaleString("en")} of ${place.matching.toLocaleString("en")} groups`
            : isFiltered(filter)
              ? "this group is not among those filtered for"
              : ""}
          {words === "" ? "" : ` · ${words}`}
        </span>
      </nav>
      {open && (
        <div class="card group-filter">
          <div class="row">
            <NumberField label="Reward from" step="0.05" value={filter.minReward} onValue={(minReward) => change({ minReward })} />
            <NumberField label="Reward to" step="0.05" value={filter.maxReward} onValue={(maxReward) => change({ maxReward })} />
            <NumberField label="Objects from" step="1" value={filter.minObjects} onValue={(minObjects) => change({ minObjects })} />
            <NumberField label="Objects to" step="1" value={filter.maxObjects} onValue={(maxObjects) => change({ maxObjects })} />
            <label class="field">
              <span>Order</span>
              <select
                value={filter.sort ?? ""}
                onChange={(event) =>
                  change({ sort: (event.currentTarget.value || undefined) as GroupsQuery["sort"] })
                }
              >
                <option value="">of training, latest first</option>
                <option value="step">of training, earliest first</option>
                <option value="reward">lowest reward first</option>
                <option value="-reward">highest reward first</option>
                <option value="-spread">widest spread first</option>
                <option value="-objects">most objects first</option>
                <option value="objects">fewest objects first</option>
                <option value="f1">lowest F1 first</option>
                <option value="-f1">highest F1 first</option>
              </select>
            </label>
          </div>
          <fieldset class="group-failures">
            <legend class="small muted">At least one response</legend>
            {failureKinds.map((kind) => (
              <label key={kind} class="check">
                <input
                  type="checkbox"
                  checked={filter.failure?.includes(kind) === true}
                  onChange={() => toggle(kind)}
                />
                {failureWords[kind]}
              </label>
            ))}
          </fieldset>
          <p>
            <button
              type="button"
              class="button"
              disabled={!isFiltered(filter)}
              onClick={() => setQuery(filterQuery({}))}
            >
              Clear the filter
            </button>
          </p>
        </div>
      )}
    </div>
  ); // prettier-ignore
}
