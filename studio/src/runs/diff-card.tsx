/** @file Two configurations, what differs. */
import type { RunId } from "../../../src/server/studio/api.js";
import { api } from "../api.js";
import { count, leaf } from "../format.js";
import { href } from "../router.js";
import { Failure } from "../ui/failure.js";
import { useData } from "../ui/use-data.js";
import { Waiting } from "../ui/waiting.js";
import { foldChanges, type ChangeRow } from "./fold-changes.js";

/** One side's value. */
function Side({ value }: { readonly value: unknown }) {
  if (value === undefined)
    return (
      <td class="muted">
        <i>not there</i>
      </td>
    );
  const text = leaf(value);
  // Of a fingerprint the beginning tells; the rest is there on hover.
  if (/^[0-9a-f]{64}$/.test(text))
    return (
      <td class="mono" title={text}>
        {text.slice(0, 12)}…
      </td>
    );
  return <td class="mono">{text}</td>;
}

function Table({
  caption,
  rows,
  folds = false,
  a,
  b,
}: {
  readonly caption: string;
  readonly rows: readonly { readonly path: string; readonly a?: unknown; readonly b?: unknown }[];
  /** Whether a part that one side lacks is one row. */
  readonly folds?: boolean;
  readonly a: string;
  readonly b: string;
}) {
  const shown: readonly ChangeRow[] = folds ? foldChanges(rows) : rows;
  return (
    <div class="table-box" tabIndex={0} role="region" aria-label={caption}>
      <table class="table diff-table">
        <caption class="sr-only">{caption}</caption>
        <thead>
          <tr>
            <th scope="col">{caption}</th>
            <th scope="col">{a}</th>
            <th scope="col">{b}</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((row) => (
            <tr key={row.path} class={row.folded === undefined ? undefined : "diff-folded"}>
              <th scope="row" class="mono">
                {row.path}
                {row.folded !== undefined && <span class="muted small"> {count(row.folded, "setting")}</span>}
              </th>
              <Side value={row.a} />
              <Side value={row.b} />
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The differences of two runs' recipes, and of what they ran on. */
export function DiffCard({
  a,
  b,
  onClose,
}: {
  readonly a: RunId;
  readonly b: RunId;
  readonly onClose: () => void;
}) {
  const { data, error, reload } = useData(`diff ${a}\n${b}`, (signal) => api.diff(a, b, signal));
  return (
    <section class="card stack" aria-labelledby="diff-title">
      <div class="card-head">
        <h2 id="diff-title">
          What differs between <a href={href.run(a)}>{a}</a> and <a href={href.run(b)}>{b}</a>
        </h2>
        <button type="button" class="button" onClick={onClose}>
          Close
        </button>
      </div>
      {error !== undefined && <Failure error={error} retry={reload} />}
      {!data && error === undefined && <Waiting for="both configurations" />}
      {data && (
        <>
          {data.changes.length === 0 ? (
            <p>The recipes are the same, all {count(data.same, "setting")} of them.</p>
          ) : (
            <>
              <Table caption="Recipe" folds rows={data.changes} a={a} b={b} />
              <p class="small muted">{count(data.same, "other setting")} are the same.</p>
            </>
          )}
          {data.facts.length > 0 && (
            <Table caption="Model, data, code, versions" rows={data.facts} a={a} b={b} />
          )}
        </>
      )}
    </section>
  );
}
