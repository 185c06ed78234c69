/** @file One run: how it stands, and its curves, evaluations, groups, alarms and configuration. */
import { useMemo } from "preact/hooks";
import type { RunDetail } from "../../../src/server/studio/api.js";
import { count } from "../format.js";
import { href, type RunRoute } from "../router.js";
import { Failure } from "../ui/failure.js";
import { Progress } from "../ui/progress.js";
import { Prose } from "../ui/prose.js";
import { ResumeCommand } from "../ui/resume-command.js";
import { StatusBadge } from "../ui/status.js";
import { useTitle } from "../ui/title.js";
import { useRun } from "../ui/use-run.js";
import { Waiting } from "../ui/waiting.js";
import { Alarms, useAlarms } from "./alarms.js";
import { Configuration } from "./configuration.js";
import { Curves } from "./curves.js";
import { Evaluations } from "./evaluations.js";
import { Groups } from "./groups.js";
import { Overview } from "./overview.js";
import "./run.css";

/** Parts of the view; the first is shown where the address names none. */
const TABS = {
  curves: "Curves",
  evaluations: "Evaluations",
  groups: "Groups",
  alarms: "Alarms",
  configuration: "Configuration",
} as const;
type Tab = keyof typeof TABS;

/** Name, state, how far it is. */
function Head({ run }: { readonly run: RunDetail }) {
  return (
    <div class="page-head">
      <div class="stack-s grow">
        <nav aria-label="Breadcrumbs">
          <ol class="crumbs">
            <li>
              <a href={href.runs()}>Runs</a>
            </li>
            <li aria-current="page">{run.id}</li>
          </ol>
        </nav>
        <div class="row">
          <h1>{run.name}</h1>
          <StatusBadge status={run.status} />
        </div>
        <p class="small muted">
          {run.kind === "grpo" ? "GRPO" : "SFT"}
          {run.preset === undefined ? "" : ` · preset ${run.preset}`} · seed {run.seed} · {run.engine} · from{" "}
          {run.model} · prompt {run.prompt}
        </p>
        <Progress run={run} />
      </div>
      <div class="row">
        <a class="button" href={href.compare([run.id])}>
          Compare results
        </a>
        {run.hasModel && (
          <a class="button" href={href.detect({ run: run.id })}>
            Try it on a picture
          </a>
        )}
      </div>
    </div>
  );
}

/** How it ended, where that was not as planned. */
function Ending({ run }: { readonly run: RunDetail }) {
  switch (run.status) {
    case "failed":
      return (
        <div class="notice notice-bad">
          <div class="stack-s grow">
            <strong>It failed after {count(run.step, "step")}</strong>
            <pre>{run.error ?? "It did not say why."}</pre>
            <p class="small">Once that is put right, go on from its last checkpoint:</p>
            <ResumeCommand id={run.id} />
          </div>
        </div>
      );
    case "interrupted":
      return (
        <div class="notice notice-warn">
          <div class="stack-s grow">
            <strong>Its process ended without saying so</strong>
            <p class="small">It was killed, or the machine stopped. Go on from its last checkpoint:</p>
            <ResumeCommand id={run.id} />
          </div>
        </div>
      );
    case "stopped":
      return (
        <div class="notice">
          <div class="stack-s grow">
            <strong>It was stopped after {count(run.step, "step")}</strong>
            <ResumeCommand id={run.id} />
          </div>
        </div>
      );
    default:
      return null;
  }
}

function Tabs({
  run,
  shown,
  kept,
}: {
  readonly run: RunDetail;
  readonly shown: Tab;
  readonly kept: Record<string, string | undefined>;
}) {
  const { serious, warning } = run.alarms;
  const counts: Readonly<Partial<Record<Tab, number>>> = {
    alarms: serious + warning,
    groups: run.counts.groups,
  };
  return (
    <nav class="tabs" aria-label="Parts of the run">
      {(Object.keys(TABS) as Tab[]).map((tab) => (
        <a
          key={tab}
          href={href.run(run.id, { ...kept, tab: tab === "curves" ? undefined : tab })}
          aria-current={tab === shown ? "page" : undefined}
        >
          {TABS[tab]}
          {(counts[tab] ?? 0) > 0 && (
            <span class={`badge ${tab === "alarms" ? (serious > 0 ? "badge-bad" : "badge-warn") : ""}`}>
              {counts[tab]!.toLocaleString("en-US")}
            </span>
          )}
        </a>
      ))}
    </nav>
  );
}

/** The run that the address names. */
export default function RunView({ route }: { readonly route: RunRoute }) {
  const { data: run, error, reload, gone } = useRun(route.id);
  const report = useAlarms(run, route.id);
  const marks = useMemo(
    () =>
      (report.data?.alarms ?? []).map(({ firstStep, lastStep, keys }) => ({
        from: firstStep,
        to: lastStep,
        keys,
      })),
    [report.data],
  );
  useTitle(run?.name ?? route.id);
  const { tab: asked = "curves" } = route.query;
  const tab: Tab = Object.hasOwn(TABS, asked) ? (asked as Tab) : "curves";
  if (!run)
    return error === undefined ? (
      <Waiting for="the run" />
    ) : (
      <div class="stack">
        <h1>{route.id}</h1>
        <Failure error={error} retry={reload} />
        <p>
          <a href={href.runs()}>Show all runs</a>
        </p>
      </div>
    );
  const alarms = report.data?.alarms ?? [];
  const serious = alarms.filter(({ severity, ongoing }) => severity === "serious" && ongoing);
  return (
    <div class="stack">
      <Head run={run} />
      {gone && (
        <p class="notice notice-warn" role="status">
          The run's folder is gone; what is shown is what was there last.
        </p>
      )}
      {error !== undefined && <Failure error={error} retry={reload} />}
      <Ending run={run} />
      <Overview run={run} />
      {tab !== "alarms" && serious.length > 0 && (
        <div class="notice notice-bad">
          <div class="grow">
            {serious.map((alarm) => (
              <p key={alarm.kind}>
                <strong>{alarm.title}.</strong> <Prose>{alarm.words}</Prose>
              </p>
            ))}
            <a class="small" href={href.run(run.id, { tab: "alarms" })}>
              What to do
            </a>
          </div>
        </div>
      )}
      <Tabs run={run} shown={tab} kept={{ with: route.query.with }} />
      {tab === "curves" && <Curves run={run} query={route.query} marks={marks} />}
      {tab === "evaluations" && <Evaluations run={run} />}
      {tab === "groups" && <Groups run={run} query={route.query} />}
      {tab === "alarms" && <Alarms report={report} id={run.id} />}
      {tab === "configuration" && <Configuration run={run} />}
    </div>
  );
}
