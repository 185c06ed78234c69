/** @file A run at a glance: numbers before and after of the set that stands for it, and of the other sets. */
import type { Headline, HeadlineNumbers, RunDetail } from "../../../src/server/studio/api.js";
import { count, percent, score } from "../format.js";
import { hasAfter, mainHeadline } from "../runs/list.js";
import { Change, Delta, type Better } from "../ui/change.js";

/** The numbers, in the order in which they matter. */
const FIGURES: readonly {
  readonly key: Exclude<keyof HeadlineNumbers, "step">;
  readonly name: string;
  readonly better: Better;
  readonly share?: boolean;
}[] = [
  { key: "f1", name: "F1", better: "up" },
  { key: "precision", name: "Precision", better: "up" },
  { key: "recall", name: "Recall", better: "up" },
  { key: "ap50", name: "AP50", better: "up" },
  { key: "countError", name: "Count error", better: "down" },
  { key: "strictShare", name: "Well formed", better: "up", share: true },
];

/** Headline numbers of one set. */
function Figures({ headline }: { readonly headline: Headline }) {
  const { first, last } = headline;
  const once = !hasAfter(headline);
  return (
    <dl class="figures">
      {FIGURES.map(({ key, name, better, share }) => {
        const write = share ? percent : score;
        return (
          <div key={key} class="figure">
            <dt class="figure-name">{name}</dt>
            <dd>
              <span class="figure-value">{write(last[key])}</span>
              {!once && (
                <span class="figure-change small">
                  <span class="muted">from {write(first[key])}</span>{" "}
                  {!share && <Delta before={first[key]} after={last[key]} better={better} />}
                </span>
              )}
            </dd>
          </div>
        );
      })}
    </dl>
  );
}

/** The set that stands for the run in large, the others beneath. */
export function Overview({ run }: { readonly run: RunDetail }) {
  const main = mainHeadline(run);
  if (!main) return null;
  const others = run.headlines.filter((headline) => headline !== main && headline.decoding === main.decoding);
  return (
    <section class="card stack-s" aria-labelledby="overview-title">
      <div class="card-head overview-head">
        <h2 id="overview-title" class="overview-title">
          {main.set}
        </h2>
        <span class="small muted">
          {main.domain === "in" ? "in domain" : "out of domain"}, {main.decoding},{" "}
          {count(main.images, "image")},{" "}
          {hasAfter(main)
            ? `step ${main.last.step} against step ${main.first.step}`
            : `step ${main.first.step}, before training`}
        </span>
      </div>
      <Figures headline={main} />
      {others.length > 0 && (
        <ul class="other-sets small">
          {others.map((headline) => (
            <li key={headline.set}>
              <span class="muted">
                F1 on <strong>{headline.set}</strong>
              </span>{" "}
              <Change before={headline.first.f1} after={headline.last.f1} once={!hasAfter(headline)} />
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
