/** @file The curves of a run, other runs laid over them, and what all charts have in common. */
import { useEffect, useMemo, useState } from "preact/hooks";
import type { RunDetail, RunId } from "../../../src/server/studio/api.js";
import { shareAxis, type Axis, type ChartRun } from "../charts/chart-data.js";
import { ChartSlot, type ChartSource } from "../charts/chart-slot.js";
import { chartLink, type Stretch } from "../charts/link.js";
import type { ChartMark } from "../charts/plot.js";
import { chartsOf } from "../charts/specs.js";
import { number } from "../format.js";
import { joinList, setQuery, splitList, type Query } from "../router.js";
import { Failure } from "../ui/failure.js";
import { useSetting } from "../ui/use-setting.js";
import { useRuns } from "../ui/use-runs.js";
import { Waiting } from "../ui/waiting.js";
import { useMetrics } from "./use-metrics.js";

/** Labels of runs, each different: the name, and the folder where names repeat. */
export function runLabels(runs: readonly { readonly id: RunId; readonly name: string }[]): string[] {
  return runs.map(({ id, name }) =>
    runs.some((other) => other.id !== id && other.name === name) ? `${name} (${id})` : name,
  );
}

/** The runs that are laid over, and a way to add one. */
function Overlays({ run, others }: { readonly run: RunDetail; readonly others: readonly RunId[] }) {
  const { data } = useRuns();
  const set = (ids: readonly RunId[]) => setQuery({ with: joinList(ids) });
  const labels = runLabels(
    [run.id, ...others].map((id) => data?.runs.find((other) => other.id === id) ?? { id, name: id }),
  );
  const free = data?.runs.filter(({ id }) => id !== run.id && !others.includes(id)) ?? [];
  return (
    <div class="row overlays">
      {others.map((id, i) => (
        <span key={id} class="badge overlay-run">
          {labels[i + 1]}
          <button
            type="button"
            aria-label={`Take ${id} away`}
            onClick={() => set(others.filter((other) => other !== id))}
          >
            ×
          </button>
        </span>
      ))}
      {free.length > 0 && (
        <label class="field">
          <span>Overlay another run</span>
          <select
            value=""
            onChange={({ currentTarget }) => {
              const { value } = currentTarget;
              if (value !== "") set([...others, value]);
              currentTarget.value = "";
            }}
          >
            <option value="">Choose …</option>
            {free.map(({ id, name }) => (
              <option key={id} value={id}>
                {name === id ? name : `${name} (${id})`}
              </option>
            ))}
          </select>
        </label>
      )}
    </div>
  );
}

function stretchWords(stretch: Stretch, axis: Axis): string {
  if (stretch === null) return axis === "step" ? "All steps" : "All of the time";
  const [from, to] = stretch;
  return axis === "step"
    ? `Steps ${Math.ceil(from)} to ${Math.floor(to)}`
    : `${number(from)} to ${number(to)} min`;
}

/** @param props.marks Stretches of steps to shade, by metric column. */
export function Curves({
  run,
  query,
  marks,
}: {
  readonly run: RunDetail;
  readonly query: Query;
  readonly marks: readonly (ChartMark & { readonly keys: readonly string[] })[];
}) {
  const others = splitList(query.with).filter((id) => id !== run.id);
  const ids = [run.id, ...others];
  const metrics = useMetrics(ids);
  const [smoothing, setSmoothing] = useSetting<number>("smoothing", 0, (value) => value >= 0 && value < 1);
  const [spread, setSpread] = useSetting<boolean>("spread", true);
  const [axis, setAxis] = useSetting<Axis>(
    "axis",
    "step",
    (value) => value === "step" || value === "minutes",
  );
  const link = useMemo(() => chartLink(), [axis]);
  const [stretch, setStretch] = useState<Stretch>(null);
  useEffect(() => {
    setStretch(link.stretch);
    return link.onZoom(setStretch);
  }, [link]);
  const { data: list } = useRuns();

  const known = ids.filter((id) => metrics.tables.has(id));
  const labels = runLabels(
    known.map((id) => ({
      id,
      name: id === run.id ? run.name : (list?.runs.find((other) => other.id === id)?.name ?? id),
    })),
  );
  const labelKey = labels.join("\n");
  const source = useMemo((): ChartSource => {
    const runs = known.map((id, i): ChartRun => ({ label: labels[i]!, table: metrics.tables.get(id)! }));
    return { runs, shared: shareAxis(runs, axis), axis, smoothing, spread };
  }, [metrics.version, labelKey, axis, smoothing, spread]);
  const keys = new Set(source.runs.flatMap(({ table }) => Object.keys(table.columns)));
  const keyList = [...keys].join("\n");
  const sections = useMemo(() => chartsOf(keys, source.runs.length > 1), [keyList, source.runs.length]);

  // To the charts that an alarm is about.
  const about = query.chart;
  useEffect(() => {
    if (about === undefined || sections.length === 0) return;
    const key = about;
    const spec = sections
      .flatMap((section) => section.charts)
      .find(({ id, curves }) => id === key || curves.some((curve) => curve.key === key));
    const element = spec && document.querySelector(`[data-chart="${CSS.escape(spec.id)}"]`);
    element?.scrollIntoView({ block: "center" });
    element?.querySelector<HTMLElement>("[role=slider]")?.focus({ preventScroll: true });
    setQuery({ chart: undefined });
  }, [about, sections.length === 0]);

  const empty = known.length > 0 && sections.length === 0;
  return (
    <section class="stack" aria-labelledby="curves-title">
      <h2 id="curves-title" class="sr-only">
        Curves
      </h2>
      <div class="card row toolbar">
        <label class="field smoothing">
          <span>
            Smoothing <output>{smoothing === 0 ? "off" : smoothing.toFixed(2)}</output>
          </span>
          <input
            type="range"
            aria-label="Smoothing"
            aria-valuetext={smoothing === 0 ? "off" : smoothing.toFixed(2)}
            min="0"
            max="0.99"
            step="0.01"
            value={smoothing}
            onInput={({ currentTarget }) => setSmoothing(Number(currentTarget.value))}
          />
        </label>
        <fieldset class="segments plain-fieldset">
          <legend class="sr-only">Axis</legend>
          {(["step", "minutes"] as const).map((value) => (
            <label key={value}>
              <input type="radio" name="axis" checked={axis === value} onChange={() => setAxis(value)} />
              {value === "step" ? "Steps" : "Time"}
            </label>
          ))}
        </fieldset>
        <label class="check">
          <input
            type="checkbox"
            checked={spread}
            onChange={({ currentTarget }) => setSpread(currentTarget.checked)}
          />
          Spread
        </label>
        <Overlays run={run} others={others} />
        <div class="row zoom">
          <span class="small muted" role="status">
            {stretchWords(stretch, axis)}
          </span>
          <button type="button" class="button" disabled={stretch === null} onClick={() => link.zoom(null)}>
            Reset zoom
          </button>
        </div>
      </div>
      <p class="small muted hint">
        Drag over a chart to zoom all of them; press twice to reset. With the keyboard: <kbd>←</kbd>{" "}
        <kbd>→</kbd> move, <kbd>+</kbd> <kbd>−</kbd> zoom, <kbd>Esc</kbd> resets.
      </p>
      {[...metrics.errors].map(([id, error]) => (
        <Failure key={id} error={error} />
      ))}
      {known.length === 0 && metrics.errors.size === 0 && <Waiting for="the curves" />}
      {empty && (
        <div class="empty">
          <p>
            {run.status === "training"
              ? "The first step is still under way; curves appear when it is done."
              : "This run ended before its first step, so there are no curves."}
          </p>
        </div>
      )}
      {sections.map((section) => (
        <section key={section.title} class="stack-s" aria-label={section.title}>
          <h2>{section.title}</h2>
          <div class="chart-grid">
            {section.charts.map((spec) => (
              <ChartSlot
                key={spec.id}
                spec={spec}
                source={source}
                link={link}
                marks={marks}
                name={known.length > 1 ? "runs" : run.name}
              />
            ))}
          </div>
        </section>
      ))}
    </section>
  );
}
