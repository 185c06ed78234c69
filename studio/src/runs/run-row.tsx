/** @file One run in the list. */
import type { Headline, RunSummary } from "../../../src/server/studio/api.js";
import { ago, count, dateTime, number } from "../format.js";
import { href } from "../router.js";
import { Change } from "../ui/change.js";
import { Progress } from "../ui/progress.js";
import { ResumeCommand } from "../ui/resume-command.js";
import { Sparkline } from "../ui/sparkline.js";
import { StatusBadge } from "../ui/status.js";
import { hasAfter, mainHeadline } from "./list.js";

/** The curve with its words. */
function RewardCurve({ run }: { readonly run: RunSummary }) {
  const { key, values } = run.sparkline;
  const what = key === "loss" ? "Loss" : "Reward";
  const known = values.filter((value) => value !== null);
  if (known.length < 2) return <span class="small muted">No curve yet</span>;
  const ends = `${number(known[0])} to ${number(known.at(-1))}`;
  return (
    <div>
      <Sparkline values={values} label={`${what} from ${ends}`} />
      <span class="run-small muted">
        {what} {ends.replace(" to ", " → ")}
      </span>
    </div>
  );
}

/** F1, precision and recall of the evaluation that stands for the run. */
function Numbers({ headline, others }: { readonly headline: Headline; readonly others: number }) {
  const { set, decoding, first, last, images } = headline;
  const once = !hasAfter(headline);
  return (
    <div class="run-numbers">
      <dl>
        <div class="run-f1">
          <dt>F1</dt>
          <dd>
            <Change before={first.f1} after={last.f1} once={once} />
          </dd>
        </div>
        <div>
          <dt>Precision</dt>
          <dd>
            <Change before={first.precision} after={last.precision} once={once} />
          </dd>
        </div>
        <div>
          <dt>Recall</dt>
          <dd>
            <Change before={first.recall} after={last.recall} once={once} />
          </dd>
        </div>
      </dl>
      <span class="run-small muted">
        {set}, {decoding}, {count(images, "image")}
        {once ? `, step ${first.step} only` : ""}
        {others > 0 ? `, ${count(others, "more set")}` : ""}
      </span>
    </div>
  );
}

/** @param props.now Milliseconds, for "5 min ago". */
export function RunRow({
  run,
  chosen,
  onChoose,
  now,
}: {
  readonly run: RunSummary;
  readonly chosen: boolean;
  readonly onChoose: (chosen: boolean) => void;
  readonly now: number;
}) {
  const headline = mainHeadline(run);
  const { serious, warning } = run.alarms;
  return (
    <li class={`run-row card${chosen ? " run-chosen" : ""}`} data-run={run.id}>
      <label class="run-check">
        <input
          type="checkbox"
          checked={chosen}
          onChange={({ currentTarget }) => onChoose(currentTarget.checked)}
        />
        <span class="sr-only">Choose {run.name}</span>
      </label>
      <div class="run-about stack-s">
        <div class="row">
          <h2 class="run-name">
            <a href={href.run(run.id)}>{run.name}</a>
          </h2>
          <StatusBadge status={run.status} />
          {serious > 0 && (
            <a class="badge badge-bad" href={href.run(run.id, { tab: "alarms" })}>
              {count(serious, "alarm")}
            </a>
          )}
          {warning > 0 && (
            <a class="badge badge-warn" href={href.run(run.id, { tab: "alarms" })}>
              {count(warning, "warning")}
            </a>
          )}
        </div>
        <p class="run-small muted">
          {run.id === run.name ? "" : `${run.id} · `}
          {run.kind === "grpo" ? "GRPO" : "SFT"}
          {run.preset === undefined ? "" : ` · ${run.preset}`} · seed {run.seed} · {run.engine} · {run.model}{" "}
          ·{" "}
          <time dateTime={run.created} title={dateTime(run.created)}>
            {ago(run.created, now)}
          </time>
        </p>
        <Progress run={run} />
      </div>
      <RewardCurve run={run} />
      {headline ? (
        <Numbers headline={headline} others={new Set(run.headlines.map(({ set }) => set)).size - 1} />
      ) : (
        <span class="small muted">{run.status === "training" ? "Not evaluated yet" : "Never evaluated"}</span>
      )}
      {run.status === "failed" && (
        <p class="run-more notice notice-bad small">{run.error ?? "It failed without saying why."}</p>
      )}
      {run.status === "interrupted" && (
        <div class="run-more notice notice-warn small">
          <div class="stack-s grow">
            Its process ended without saying so. Go on from its last checkpoint:
            <ResumeCommand id={run.id} />
          </div>
        </div>
      )}
    </li>
  );
}
