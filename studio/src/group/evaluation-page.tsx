/** @file One picture of an evaluation set through training: what the model of each evaluated step said of it. */
import { useMemo, useState } from "preact/hooks";
import type { Decoding, EvaluationHistory } from "../../../src/server/studio/api.js";
import { api, pictureUrl } from "../api.js";
import { Overlay, type Pointed } from "../overlay/overlay.js";
import { defaultShown, type Shown } from "../overlay/tools.js";
import { usePicture } from "../overlay/use-picture.js";
import { href, setQuery, type EvaluationRoute } from "../router.js";
import { Failure } from "../ui/failure.js";
import { useTitle } from "../ui/title.js";
import { useData } from "../ui/use-data.js";
import { Waiting } from "../ui/waiting.js";
import { BoxTable } from "./box-table.js";
import { stepPlace } from "./evaluation-numbers.js";
import { explainHere } from "./explain-here.js";
import { heatOf } from "./heat.js";
import { partnerOf, responseMarks } from "./response-marks.js";
import { ResponseText } from "./response-text.js";
import { StepStrip } from "./step-strip.js";
import { drawn, spansOf } from "./written-spans.js";
import { useKept } from "./use-kept.js";
import "./group.css";

const decodings = ["greedy", "sampled"] as const satisfies readonly Decoding[];

/** Loads a picture's history and shows it. */
export function EvaluationPage({ route }: { readonly route: EvaluationRoute }) {
  const { id, set, image, query } = route;
  const decoding: Decoding = query.decoding === "sampled" ? "sampled" : "greedy";
  useTitle(`${image}, ${set}`);
  const index = useData(`evaluations ${id}`, (signal) => api.evaluations(id, signal));
  const { data, error, loading, reload } = useData(`evaluation ${id} ${set} ${decoding} ${image}`, (signal) =>
    api.evaluationImage(id, { set, decoding, image }, signal),
  );
  const history = useKept(data);
  const kept = (one: Decoding) =>
    index.data?.sets.some((entry) => entry.set === set && entry.decoding === one) ?? one === decoding;
  const neighbour = (to: string | null, words: string) =>
    to === null ? (
      <span class="button" aria-disabled="true">
        {words}
      </span>
    ) : (
      <a class="button" href={href.evaluation(id, set, to, { decoding: query.decoding, step: query.step })}>
        {words}
      </a>
    );
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
            <a href={href.run(id, { tab: "evaluations" })}>Evaluations</a>
          </li>
          <li>{set}</li>
        </ol>
        <h1>{image}</h1>
      </header>
      <nav class="row" aria-label="Pictures">
        {neighbour(history?.previous ?? null, "← Previous")}
        {neighbour(history?.next ?? null, "Next →")}
        <div class="segments" role="group" aria-label="How responses were drawn">
          {decodings.map((one) => (
            <button
              key={one}
              type="button"
              aria-pressed={one === decoding}
              disabled={!kept(one)}
              onClick={() => setQuery({ decoding: one, response: undefined })}
            >
              {one === "greedy" ? "Greedy" : "Sampled"}
            </button>
          ))}
        </div>
      </nav>
      {error !== undefined ? (
        <Failure error={error} retry={reload} />
      ) : history === undefined ? (
        <Waiting for="the evaluations of this picture" />
      ) : history.steps.length === 0 ? (
        <div class="notice">
          <p>No evaluation of this picture is kept.</p>
        </div>
      ) : (
        <History history={history} step={query.step} response={query.response} />
      )}
    </article>
  );
}

const share = (value: number) => value.toFixed(2);

function History({
  history,
  step: asked,
  response: chosen,
}: {
  readonly history: EvaluationHistory;
  readonly step: string | undefined;
  readonly response: string | undefined;
}) {
  const { canvas, truth, steps, image } = history;
  const [shown, setShown] = useState<Shown>(defaultShown);
  const [pointed, setPointed] = useState<Pointed>({});
  const { picture, failed } = usePicture(pictureUrl(history.picture));
  const place = stepPlace(steps, asked);
  const { step, responses, heat: wire } = steps[place]!;
  const number = Math.min(Math.max(0, Number(chosen) || 0), responses.length - 1);
  const wireResponse = responses[number];
  const response = useMemo(() => wireResponse && drawn(wireResponse), [wireResponse]);
  const marks = useMemo(() => {
    const answer = response && explainHere(response, truth, canvas);
    return responseMarks(response && { ...response, explained: answer && { answer } }, truth);
  }, [response, truth, canvas]);
  const spans = useMemo(() => spansOf(response), [response]);
  const heat = useMemo(() => heatOf(wire), [wire]);
  const partner = partnerOf(pointed.selected, response?.matches ?? []);
  const go = (to: number) => setQuery({ step: steps[to]!.step });
  return (
    <>
      {failed && (
        <div class="notice notice-warn">
          <p>The picture itself is not at hand: its dataset has moved or is gone. Boxes are shown on grey.</p>
        </div>
      )}
      <StepStrip history={history} picture={picture} place={place} onPlace={go} />
      <div class="group-columns">
        <div class="card">
          <Overlay
            label={`${image}, step ${step}${responses.length > 1 ? `, response ${number + 1}` : ""}`}
            file={`${image}-step-${step}`}
            scene={canvas}
            picture={picture}
            marks={marks}
            heat={heat}
            shown={shown}
            onShown={setShown}
            pointed={{ ...pointed, ...(partner !== undefined && { hovered: pointed.hovered ?? partner }) }}
            onPointed={setPointed}
          />
          <p class="group-ask">
            <a class="button" href={href.detect({ run: history.run, set: history.set, sample: image })}>
              Ask a model about this picture
            </a>
          </p>
        </div>
        <div class="stack">
          {responses.length > 1 && (
            <div class="segments response-choice" role="group" aria-label="Response">
              {responses.map(({ f1 }, at) => (
                <button
                  key={at}
                  type="button"
                  aria-pressed={at === number}
                  onClick={() => setQuery({ response: at })}
                >
                  #{at + 1} <span class="muted">&nbsp;{share(f1)}</span>
                </button>
              ))}
            </div>
          )}
          {response === undefined ? (
            <div class="notice">
              <p>Step {step} kept no response to this picture.</p>
            </div>
          ) : (
            <>
              <section class="card" aria-label="Response">
                <div class="card-head">
                  <h2>At step {step}</h2>
                  <p class="row small">
                    <span class="badge">{response.grade}</span>
                    <span class="muted nowrap">
                      {response.tokens} tokens, {response.stopReason}
                    </span>
                  </p>
                </div>
                <div class="figures response-figures">
                  {(
                    [
                      ["Precision", response.precision],
                      ["Recall", response.recall],
                      ["F1", response.f1],
                      ["Accuracy reward", response.accuracy],
                      ["Format reward", response.format],
                      ["Look reward", response.look],
                    ] as const
                  ).map(([name, value]) =>
                    value === undefined ? null : (
                      <div key={name} class="figure">
                        <span class="figure-name">{name}</span>
                        <span class="figure-value">{share(value)}</span>
                      </div>
                    ),
                  )}
                </div>
                <ResponseText
                  text={response.text}
                  stretches={response.stretches}
                  boxes={spans}
                  pointed={pointed}
                  onPointed={setPointed}
                />
              </section>
              <section class="card" aria-label="Boxes">
                <BoxTable marks={marks} pointed={pointed} onPointed={setPointed} />
              </section>
            </>
          )}
        </div>
      </div>
    </>
  );
}
