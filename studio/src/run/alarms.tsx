/** @file What is wrong with a run, in words, and where to look. */
import { useEffect } from "preact/hooks";
import type { Alarm, AlarmReport, RunId, RunSummary } from "../../../src/server/studio/api.js";
import { api } from "../api.js";
import { number } from "../format.js";
import { href } from "../router.js";
import { Failure } from "../ui/failure.js";
import { Prose } from "../ui/prose.js";
import { useData, type Loaded } from "../ui/use-data.js";
import { Waiting } from "../ui/waiting.js";

/** The report, asked for again when the run's counts of alarms change. */
export function useAlarms(
  run: Pick<RunSummary, "id" | "alarms"> | undefined,
  id: RunId,
): Loaded<AlarmReport> {
  const report = useData(`alarms ${id}`, (signal) => api.alarms(id, signal));
  const counts = run ? `${run.alarms.serious} ${run.alarms.warning}` : undefined;
  const { reload } = report;
  useEffect(() => {
    if (counts !== undefined && report.data) reload();
  }, [counts]);
  return report;
}

function when({ firstStep, lastStep, ongoing }: Alarm): string {
  const from = firstStep === lastStep ? `step ${firstStep}` : `steps ${firstStep} to ${lastStep}`;
  return ongoing ? `${from}, still so` : from;
}

/** One alarm: what, when, why, what to do, where to look. */
export function AlarmNotice({ alarm, id }: { readonly alarm: Alarm; readonly id: RunId }) {
  const serious = alarm.severity === "serious";
  return (
    <li class={`notice ${serious ? "notice-bad" : "notice-warn"}`} data-alarm={alarm.kind}>
      <div class="stack-s grow">
        <div class="row">
          <span class={`badge ${serious ? "badge-bad" : "badge-warn"}`}>
            {serious ? "Serious" : "Warning"}
          </span>
          <h3>{alarm.title}</h3>
          <span class="small muted">{when(alarm)}</span>
        </div>
        <p>
          <Prose>{alarm.words}</Prose>
        </p>
        <p>
          <strong>What to do:</strong> <Prose>{alarm.advice}</Prose>
        </p>
        {alarm.evidence.length > 0 && (
          <dl class="evidence small">
            {alarm.evidence.map(({ label, value, step }) => (
              <div key={`${label} ${step ?? ""}`}>
                <dt class="muted">{label}</dt>
                <dd>
                  {number(value)}
                  {step === undefined ? "" : ` at step ${step}`}
                </dd>
              </div>
            ))}
          </dl>
        )}
        <div class="row small">
          {alarm.firstStep > 0 && (
            <a
              href={href.run(id, {
                tab: "groups",
                fromStep: alarm.firstStep,
                toStep: alarm.lastStep,
                sort: "step",
              })}
            >
              Groups from step {alarm.firstStep}
            </a>
          )}
          {alarm.keys.length > 0 && <a href={href.run(id, { chart: alarm.keys[0] })}>Its curve</a>}
        </div>
      </div>
    </li>
  );
}

/** All alarms of the run. */
export function Alarms({ report, id }: { readonly report: Loaded<AlarmReport>; readonly id: RunId }) {
  const { data, error, reload } = report;
  return (
    <section class="stack" aria-labelledby="alarms-title">
      <h2 id="alarms-title">Alarms</h2>
      {error !== undefined && <Failure error={error} retry={reload} />}
      {!data && error === undefined && <Waiting for="the alarms" />}
      {data && data.alarms.length === 0 && (
        <p class="notice notice-good">
          Nothing looks wrong in the {data.steps.toLocaleString("en-US")} steps so far.
        </p>
      )}
      {data && data.alarms.length > 0 && (
        <ul class="stack">
          {data.alarms.map((alarm) => (
            <AlarmNotice key={`${alarm.kind} ${alarm.firstStep}`} alarm={alarm} id={id} />
          ))}
        </ul>
      )}
      {data && data.notes.length > 0 && (
        <div class="small muted">
          <p>Not looked at:</p>
          <ul class="bullets">
            {data.notes.map((note) => (
              <li key={note}>
                <Prose>{note}</Prose>
              </li>
            ))}
          </ul>
        </div>
      )}
    </section>
  );
}
