/**
 * @file What the evaluations say, before and after, with bootstrap intervals over images (those of Compare, between the
 * run's first and last evaluation), all evaluations in between, and the images that they judged.
 */
import { useState } from "preact/hooks";
import type {
  Decoding,
  EvaluationImagesQuery,
  EvaluationRow,
  RunDetail,
} from "../../../src/server/studio/api.js";
import type { CompareMetric, CompareNumber, Comparison } from "../../../src/server/studio/compare-api.js";
import { api } from "../api.js";
import { count, number, percent, score, signed } from "../format.js";
import { href } from "../router.js";
import { Failure } from "../ui/failure.js";
import { Pager } from "../ui/pager.js";
import { useData } from "../ui/use-data.js";
import { Waiting } from "../ui/waiting.js";
import { SelectField } from "../ui/select-field.js";

/** A number and its interval. */
function Interval({ number: { value, low, high } }: { readonly number: CompareNumber }) {
  return (
    <>
      {score(value)}
      {low !== null && high !== null && (
        <span class="interval muted">
          {" "}
          {score(low)} to {score(high)}
        </span>
      )}
    </>
  );
}

/** Whether an interval keeps clear of no change, and in words which way. */
function verdict(change: CompareNumber, better: CompareMetric["better"]): { word: string; tone: string } {
  const { low, high } = change;
  if (low === null || high === null || better === "none") return { word: "", tone: "muted" };
  if (low <= 0 && high >= 0) return { word: "not clear", tone: "muted" };
  const up = low > 0 === (better === "up");
  return up ? { word: "better", tone: "delta-up" } : { word: "worse", tone: "delta-down" };
}

function BeforeAfter({ comparison }: { readonly comparison: Comparison }) {
  const [before, after] = comparison.entries;
  const level = Math.round(100 * comparison.level);
  return (
    <>
      <div class="evaluation-sets">
        {comparison.sets.map((set) => (
          <div key={set.set} class="card">
            <div class="card-head">
              <h3>{set.set}</h3>
              <span class="small muted">
                {set.domain === "in" ? "in domain" : "out of domain"}, {count(set.images, "image")},{" "}
                {count(set.objects, "object")}
              </span>
            </div>
            <div class="table-box" tabIndex={0} role="region" aria-label={`${set.set}, before and after`}>
              <table class="table">
                <thead>
                  <tr>
                    <th scope="col">Metric</th>
                    <th scope="col" class="number">
                      Step {before?.step}
                    </th>
                    <th scope="col" class="number">
                      Step {after?.step}
                    </th>
                    <th scope="col" class="number">
                      Change
                    </th>
                    <th scope="col" />
                  </tr>
                </thead>
                <tbody>
                  {set.metrics.map(({ key, title, better, values, changes }) => {
                    const change = changes[1];
                    const said = change && verdict(change, better);
                    return (
                      <tr key={key}>
                        <th scope="row">{title}</th>
                        <td class="number">{values[0] && <Interval number={values[0]} />}</td>
                        <td class="number">{values[1] && <Interval number={values[1]} />}</td>
                        <td class={`number ${said?.tone ?? ""}`}>
                          {change && (
                            <>
                              {signed(change.value)}
                              {change.low !== null && change.high !== null && (
                                <span class="interval">
                                  {" "}
                                  {signed(change.low)} to {signed(change.high)}
                                </span>
                              )}
                            </>
                          )}
                        </td>
                        <td class={`small nowrap ${said?.tone ?? ""}`}>{said?.word}</td>
                      </tr>
                    );
                  })}
                </tbody>
              </table>
            </div>
          </div>
        ))}
      </div>
      {comparison.refused.map(({ set, message, hint }) => (
        <p key={set} class="notice notice-warn small">
          {set}: {message} {hint}
        </p>
      ))}
      <p class="small muted">
        Intervals hold {level}% of {comparison.resamples.toLocaleString("en-US")} bootstrap resamples of the
        images; changes are paired by image. Boxes are ranked by {comparison.scoreSource}. “Not clear” = the
        interval of the change holds 0.
        {comparison.notes.length > 0 && ` ${comparison.notes.join(" ")}`}
      </p>
    </>
  );
}

/** Intervals between the first and the last evaluation, where there are two. */
function Intervals({ run, decoding }: { readonly run: RunDetail; readonly decoding: Decoding }) {
  const steps = [
    ...new Set(run.evaluations.filter((row) => row.decoding === decoding).map(({ step }) => step)),
  ];
  const { data, error, reload } = useData(`intervals ${run.id} ${decoding} ${steps.join()}`, (signal) =>
    steps.length < 2
      ? Promise.resolve(undefined)
      : api.compare({ entry: [`${run.id}@first`, `${run.id}@last`], decoding }, signal),
  );
  if (steps.length < 2) return null;
  if (error !== undefined) return <Failure error={error} retry={reload} />;
  return data ? <BeforeAfter comparison={data} /> : <Waiting for="the intervals" />;
}

/** Every evaluation, as recorded. */
function AllRows({ rows }: { readonly rows: readonly EvaluationRow[] }) {
  return (
    <div class="table-box" tabIndex={0} role="region" aria-label="All evaluations">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Set</th>
            <th scope="col" class="number">
              Step
            </th>
            <th scope="col" class="number">
              Images
            </th>
            <th scope="col" class="number">
              Precision
            </th>
            <th scope="col" class="number">
              Recall
            </th>
            <th scope="col" class="number">
              F1
            </th>
            <th scope="col" class="number">
              F1 at 0.75
            </th>
            <th scope="col" class="number">
              AP50
            </th>
            <th scope="col" class="number">
              AP
            </th>
            <th scope="col" class="number">
              Count error
            </th>
            <th scope="col" class="number">
              Well formed
            </th>
            <th scope="col" class="number">
              Tokens
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={`${row.set} ${row.step}`}>
              <th scope="row">{row.set}</th>
              <td class="number">{row.step}</td>
              <td class="number">{row.images}</td>
              <td class="number">{score(row.precision)}</td>
              <td class="number">{score(row.recall)}</td>
              <td class="number">
                <strong>{score(row.f1)}</strong>
              </td>
              <td class="number">{score(row.at75?.f1)}</td>
              <td class="number">{score(row.ap50)}</td>
              <td class="number">{score(row.ap)}</td>
              <td class="number">{number(row.counting?.mae)}</td>
              <td class="number">{percent(row.strictShare)}</td>
              <td class="number">{number(row.meanTokens)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const PAGE = 12;
type ImageSort = NonNullable<EvaluationImagesQuery["sort"]>;
const IMAGE_SORTS: Readonly<Partial<Record<ImageSort, string>>> = {
  order: "As judged",
  "-change": "Largest gain",
  change: "Largest loss",
  f1: "Worst now",
  "-f1": "Best now",
  "-objects": "Most crowded",
};

/** Images of one set, each a way into its view. */
function Images({
  run,
  sets,
  decoding,
}: {
  readonly run: RunDetail;
  readonly sets: readonly string[];
  readonly decoding: Decoding;
}) {
  const [chosen, setChosen] = useState(sets[0]!);
  const set = sets.includes(chosen) ? chosen : sets[0]!;
  const [sort, setSort] = useState<ImageSort>("order");
  const [offset, setOffset] = useState(0);
  const { data, error, reload } = useData(`images ${run.id} ${set} ${decoding} ${sort} ${offset}`, (signal) =>
    api.evaluationImages(run.id, { set, decoding, sort, offset, limit: PAGE }, signal),
  );
  return (
    <div class="card stack">
      <div class="row row-between">
        <h3>Images</h3>
        <div class="row">
          <SelectField
            label="Set"
            value={set}
            choices={sets.map((name) => [name, name])}
            onValue={(name) => {
              setChosen(name);
              setOffset(0);
            }}
          />
          <SelectField
            label="Order"
            value={sort}
            choices={Object.entries(IMAGE_SORTS)}
            onValue={(key) => {
              setSort(key as ImageSort);
              setOffset(0);
            }}
          />
        </div>
      </div>
      {error !== undefined && <Failure error={error} retry={reload} />}
      {!data && error === undefined && <Waiting for="the images" />}
      {data && (
        <>
          <div class="table-box" tabIndex={0} role="region" aria-label={`Images of ${set}`}>
            <table class="table">
              <thead>
                <tr>
                  <th scope="col">Image</th>
                  <th scope="col" class="number">
                    Objects
                  </th>
                  {data.steps.map((step) => (
                    <th key={step} scope="col" class="number">
                      F1 at step {step}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {data.images.map(({ id, objects, f1 }) => (
                  <tr key={id}>
                    <th scope="row">
                      <a class="nowrap" href={href.evaluation(run.id, set, id, { decoding })}>
                        {id}
                      </a>
                    </th>
                    <td class="number">{objects}</td>
                    {f1.map((value, i) => (
                      <td key={data.steps[i]} class="number">
                        {score(value)}
                      </td>
                    ))}
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          <Pager offset={data.offset} size={PAGE} total={data.matching} word="image" onPage={setOffset} />
        </>
      )}
    </div>
  );
}

/** Evaluations of one decoding at a time. */
export function Evaluations({ run }: { readonly run: RunDetail }) {
  const decodings = (["greedy", "sampled"] as const).filter((decoding) =>
    run.evaluations.some((row) => row.decoding === decoding),
  );
  const [chosen, setChosen] = useState<Decoding>("greedy");
  const decoding = decodings.includes(chosen) ? chosen : decodings[0];
  if (decoding === undefined)
    return (
      <div class="empty">
        <h2>Not evaluated</h2>
        <p>
          {run.status === "training"
            ? "The evaluation before training has not ended yet; it appears here when it has."
            : "This run has no evaluation. Give its recipe sets under data.eval."}
        </p>
      </div>
    );
  const rows = run.evaluations.filter((row) => row.decoding === decoding);
  const sets = [...new Set(rows.map(({ set }) => set))];
  const ordered = sets.flatMap((set) =>
    rows.filter((row) => row.set === set).toSorted((a, b) => a.step - b.step),
  );
  return (
    <section class="stack" aria-labelledby="evaluations-title">
      <div class="row row-between">
        <h2 id="evaluations-title">Evaluations</h2>
        <div class="row">
          {decodings.length > 1 && (
            <fieldset class="segments plain-fieldset">
              <legend class="sr-only">Decoding</legend>
              {decodings.map((value) => (
                <label key={value}>
                  <input
                    type="radio"
                    name="decoding"
                    checked={decoding === value}
                    onChange={() => setChosen(value)}
                  />
                  {value === "greedy" ? "Greedy" : "Sampled"}
                </label>
              ))}
            </fieldset>
          )}
          <a class="button" href={href.compare([run.id])}>
            Open in Compare
          </a>
        </div>
      </div>
      <Intervals run={run} decoding={decoding} />
      <div class="card">
        <div class="card-head">
          <h3>All evaluations</h3>
        </div>
        <AllRows rows={ordered} />
      </div>
      <Images run={run} sets={sets} decoding={decoding} />
    </section>
  );
}
