/** @file One picture of a training step with all its responses: what each said, what became of it, what it earned and why. */
import { useMemo, useState } from "preact/hooks";
import type { GroupDetail, GroupResponse } from "../../../src/server/studio/api.js";
import { api, pictureUrl } from "../api.js";
import { Overlay, type Pointed } from "../overlay/overlay.js";
import { defaultShown, type Shown } from "../overlay/tools.js";
import { preloadPicture, usePicture } from "../overlay/use-picture.js";
import { href, setQuery, type GroupRoute } from "../router.js";
import { Failure } from "../ui/failure.js";
import { useTitle } from "../ui/title.js";
import { useData } from "../ui/use-data.js";
import { Waiting } from "../ui/waiting.js";
import { BoxTable } from "./box-table.js";
import { FilterBar } from "./filter-bar.js";
import { failureWords, filterOf } from "./group-filter.js";
import { heatOf } from "./heat.js";
import { cornersInWords, partnerOf, responseMarks } from "./response-marks.js";
import { byAdvantage, ResponseGrid, signed } from "./response-grid.js";
import { ResponseText } from "./response-text.js";
import { RewardAccount } from "./reward-account.js";
import { spansOf } from "./written-spans.js";
import { advantageSpan, availableColours, type TextColour } from "./token-scale.js";
import { useKept } from "./use-kept.js";
import { useNeighbours } from "./use-neighbours.js";
import "./group.css";

const colourNames: Readonly<Record<TextColour, string>> = {
  sections: "Sections",
  probability: "Probability",
  ratio: "Ratio to reference",
  advantage: "Advantage",
};
const colours = Object.keys(colourNames) as TextColour[];

/** Loads a group and shows it; while the next one is on its way, this one stays. */
export function GroupPage({ route }: { readonly route: GroupRoute }) {
  const { id, step, sample, query } = route;
  useTitle(`${sample}, step ${step}`);
  const { data, error, loading, reload } = useData(`group ${id} ${step} ${sample}`, (signal) =>
    api.group(id, step, sample, signal),
  );
  const detail = useKept(data);
  const filter = useMemo(() => filterOf(query), [JSON.stringify(query)]);
  const neighbours = useNeighbours(data, filter);
  if (neighbours.next) preloadPicture(pictureUrl(nextImage(detail, neighbours.next.sample)));
  return (
    <article class="stack" aria-busy={loading}>
      <header>
        <ol class="crumbs" aria-label="Where this is">
          <li>
            <a href={href.runs()}>Runs</a>
          </li>
          <li>
            <a href={href.run(id)}>{id}</a>
          </li>
          <li>
            <a href={href.run(id, { tab: "groups" })}>Groups</a>
          </li>
          <li>Step {step}</li>
        </ol>
        <h1>{sample}</h1>
      </header>
      {error !== undefined ? (
        <Failure error={error} retry={reload} />
      ) : detail === undefined ? (
        <Waiting for="the group" />
      ) : (
        <>
          <FilterBar detail={detail} filter={filter} neighbours={neighbours} />
          <Group detail={detail} chosen={query.response} />
        </>
      )}
    </article>
  );
}

/** The picture of another sample of the same set lies beside this one's. */
function nextImage(detail: GroupDetail | undefined, sample: string): string {
  const image = detail?.image ?? "";
  return image.replace(/([?&]sample=)[^&]*/, (_, key: string) => key + encodeURIComponent(sample));
}

function facts(detail: GroupDetail): string {
  const { truth, responses } = detail;
  const totals = responses.map(({ total }) => total);
  const mean = totals.reduce((sum, total) => sum + total, 0) / totals.length;
  return [
    `${truth.objects.length} object${truth.objects.length === 1 ? "" : "s"}`,
    ...(truth.ignore.length > 0 ? [`${truth.ignore.length} ignore regions`] : []),
    `${responses.length} responses`,
    `reward ${mean.toFixed(2)} on average, ${Math.min(...totals).toFixed(2)} to ${Math.max(...totals).toFixed(2)}`,
  ].join(" · ");
}

function Group({ detail, chosen }: { readonly detail: GroupDetail; readonly chosen: string | undefined }) {
  const { canvas, truth, responses, disagreement, rewards, agrees, steps } = detail;
  const [shown, setShown] = useState<Shown>(defaultShown);
  const [pointed, setPointed] = useState<Pointed>({});
  const [colour, setColour] = useState<TextColour>("sections");
  const { picture, failed } = usePicture(pictureUrl(detail.image));
  const best = byAdvantage(responses)[0];
  const response = responses.find(({ index }) => String(index) === chosen) ?? best;
  const marks = useMemo(() => responseMarks(response, truth), [response, truth]);
  const spans = useMemo(() => (response === undefined ? [] : spansOf(response)), [response]);
  const heat = useMemo(() => heatOf(disagreement.grid), [disagreement]);
  const span = useMemo(() => advantageSpan(responses.map(({ track }) => track)), [responses]);
  if (response === undefined)
    return <Failure error="This group has no responses: its lines in rollouts.jsonl are not whole." />;
  const { index, explained } = response;
  const partner = partnerOf(pointed.selected, response.matches);
  const name = `${detail.sample}, step ${detail.step}, response ${index + 1}`;
  return (
    <>
      <p class="muted small">{facts(detail)}</p>
      {failed && (
        <div class="notice notice-warn">
          <p>The picture itself is not at hand: its dataset has moved or is gone. Boxes are shown on grey.</p>
        </div>
      )}
      {!agrees && (
        <div class="notice notice-warn">
          <p>
            The explanation does not give the rewards that were recorded: the code or the options of the
            rewards have changed since. Numbers are those recorded.
          </p>
        </div>
      )}
      <ResponseGrid
        detail={detail}
        picture={picture}
        chosen={index}
        onChoose={(to) => {
          setPointed({});
          setQuery({ response: to });
        }}
      />
      <div class="group-columns">
        <div class="card">
          <Overlay
            label={name}
            file={`${detail.sample}-step-${detail.step}-response-${index + 1}`}
            scene={canvas}
            picture={picture}
            marks={marks}
            heat={heat}
            shown={shown}
            onShown={setShown}
            pointed={{ ...pointed, ...(partner !== undefined && { hovered: pointed.hovered ?? partner }) }}
            onPointed={setPointed}
          />
          <Doubt detail={detail} />
          <p class="group-ask">
            <a class="button" href={href.detect({ run: detail.run, set: "train", sample: detail.sample })}>
              Ask a model about this picture
            </a>
          </p>
        </div>
        <div class="stack">
          <section class="card" aria-label={`Response ${index + 1}`}>
            <div class="card-head">
              <h2>Response {index + 1}</h2>
              <p class="row small">
                <span class={`badge badge-${response.advantage < 0 ? "warn" : "good"}`}>
                  advantage {signed(response.advantage)}
                </span>
                <span class="badge">{response.grade}</span>
                <span class="muted nowrap">
                  {response.tokens} tokens, {response.stopReason}
                </span>
              </p>
            </div>
            {response.failures.length > 0 && (
              <p class="small response-failures">
                {response.failures.map((kind) => failureWords[kind]).join(", ")}
              </p>
            )}
            <ColourChoice response={response} colour={colour} onColour={setColour} />
            <ResponseText
              text={response.text}
              stretches={response.stretches}
              boxes={spans}
              pointed={pointed}
              onPointed={setPointed}
              track={response.track}
              colour={availableColours(response.track).has(colour) ? colour : "sections"}
              span={span}
            />
          </section>
          <section class="card" aria-label="Reward">
            <RewardAccount reward={response} weights={rewards.weights} terms={explained?.terms} />
            {(explained?.dropped ?? 0) > 0 && (
              <p class="small muted">
                {explained!.dropped} box{explained!.dropped === 1 ? " was" : "es were"} dropped: empty,
                outside of the picture, or not finite.
              </p>
            )}
            {explained === undefined && (
              <p class="small muted">
                Not explained: the look reward needs a group of at least two responses.
              </p>
            )}
          </section>
          <section class="card" aria-label="Boxes">
            <BoxTable marks={marks} pointed={pointed} onPointed={setPointed} />
          </section>
          {steps.length > 1 && (
            <section class="card">
              <h3>This picture in other steps</h3>
              <p class="row small">
                {steps.map((step) =>
                  step === detail.step ? (
                    <strong key={step} class="button button-plain">
                      {step}
                    </strong>
                  ) : (
                    <a key={step} class="button" href={href.group(detail.run, step, detail.sample)}>
                      {step}
                    </a>
                  ),
                )}
              </p>
            </section>
          )}
        </div>
      </div>
    </>
  );
}

/** Where the group disagrees, in words. */
function Doubt({ detail: { disagreement, responses } }: { readonly detail: GroupDetail }) {
  const { uncertain } = disagreement;
  const spots = disagreement.spots?.filter(({ share }) => share >= 0.01);
  if (responses.length < 2) return null;
  const words =
    spots !== undefined
      ? spots.length === 0
        ? "The group agrees everywhere."
        : `The group disagrees most at ${spots
            .slice(0, 3)
            .map(({ box, share }) => `${cornersInWords(box)} (${Math.round(100 * share)}%)`)
            .join(", ")}.`
      : uncertain !== undefined
        ? uncertain.length === 0
          ? "The group is sure of every instance."
          : `The group is unsure of ${uncertain.length} instances.`
        : undefined;
  return words === undefined ? null : <p class="small muted group-doubt">{words}</p>;
}

function ColourChoice({
  response,
  colour,
  onColour,
}: {
  readonly response: GroupResponse;
  readonly colour: TextColour;
  readonly onColour: (colour: TextColour) => void;
}) {
  const available = availableColours(response.track);
  return (
    <div class="stack-s response-colour">
      <div class="segments" role="group" aria-label="Colour the text by">
        {colours.map((one) => (
          <button
            key={one}
            type="button"
            aria-pressed={one === colour && available.has(one)}
            disabled={!available.has(one)}
            onClick={() => onColour(one)}
          >
            {colourNames[one]}
          </button>
        ))}
      </div>
      {response.track === null && (
        <p class="small muted">
          Tokens were not recorded at this step. The recipe's <code>records.tokensEvery</code> says at which
          steps they are.
        </p>
      )}
    </div>
  );
}
