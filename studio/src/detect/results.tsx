/** @file What a detection has found so far: the responses as they are written, and what they agree on. */
import { useEffect, useMemo, useState } from "preact/hooks";
import { textStretches } from "../../../src/server/studio/text-stretches.js";
import { BoxTable } from "../group/box-table.js";
import { heatOf } from "../group/heat.js";
import { boxOf, cornersInWords, responseMarks } from "../group/response-marks.js";
import { ResponseText } from "../group/response-text.js";
import { drawn, spansOf } from "../group/written-spans.js";
import type { Layer, Mark } from "../overlay/marks.js";
import { Overlay, type Pointed } from "../overlay/overlay.js";
import { Thumbnail } from "../overlay/thumbnail.js";
import { defaultShown, type Shown } from "../overlay/tools.js";
import type { ChosenPicture } from "./chosen-picture.js";
import { isBusy, type Consensus, type DetectedResponse, type DetectState } from "./detect-state.js";

const withHeat: Shown = { ...defaultShown, layers: new Set<Layer>([...defaultShown.layers, "heat"]) };

const instances = (count: number) => `${count} instance${count === 1 ? "" : "s"}`;

/** Consensus boxes that enough responses hold; lines as strong as the share. */
export function consensusMarks({ instances }: Pick<Consensus, "instances">, least: number): Mark[] {
  return instances
    .filter(({ share }) => share >= least)
    .map(({ box, label, share }, index) => ({
      id: `answer:${index}`,
      layer: "answer",
      state: "plain",
      box: boxOf(box),
      number: index + 1,
      weight: 0.4 + 0.8 * share,
      words: [
        `Instance ${index + 1}`,
        ...(label === undefined ? [] : [label]),
        `in ${Math.round(100 * share)}% of the responses`,
        cornersInWords(box),
      ].join(", "),
    }));
}

/** The results; which response is looked at is kept here. */
export function Results({
  chosen,
  state,
  samples,
}: {
  readonly chosen: ChosenPicture;
  readonly state: DetectState;
  /** Responses asked for. */
  readonly samples: number;
}) {
  const { responses, consensus, canvas } = state;
  const [picked, setPicked] = useState<number | "consensus">();
  const [least, setLeast] = useState(0.5);
  const [shown, setShown] = useState<Shown>(defaultShown);
  const [pointed, setPointed] = useState<Pointed>({});
  const scene = useMemo(
    () => canvas ?? { width: chosen.width, height: chosen.height },
    [canvas, chosen.width, chosen.height],
  );
  // Until someone chooses, the consensus is shown once it is there, the first response before.
  const view = picked ?? (consensus === undefined ? 0 : "consensus");
  const fused = view === "consensus" ? consensus : undefined;
  const response = fused === undefined ? responses[view === "consensus" ? 0 : view] : undefined;
  const drawnResponse = useMemo(() => response && drawn(response), [response]);
  const marks = useMemo(
    () => (fused === undefined ? responseMarks(drawnResponse) : consensusMarks(fused, least)),
    [fused, least, drawnResponse],
  );
  const heat = useMemo(() => heatOf(consensus?.heat), [consensus]);
  useEffect(() => {
    // What several responses are asked for is their doubt: it is shown as soon as it is known.
    if (consensus !== undefined) setShown(withHeat);
    else setPicked(undefined);
  }, [consensus]);
  const pick = (to: number | "consensus") => {
    setPicked(to);
    setPointed({});
    if (to === "consensus") setShown(withHeat);
  };
  const several = Math.max(samples, responses.length) > 1 && responses.length > 0;
  return (
    <div class="stack grow">
      {several && (
        <ResponseCards state={state} chosen={chosen} scene={scene} view={view} least={least} onPick={pick} />
      )}
      <div class="card">
        <Overlay
          label={
            fused === undefined
              ? several
                ? `${chosen.name}, response ${(response?.index ?? 0) + 1}`
                : chosen.name
              : `${chosen.name}, what the responses agree on`
          }
          file={`${chosen.name.replace(/\.\w+$/, "")}-${fused === undefined ? `response-${(response?.index ?? 0) + 1}` : "consensus"}`}
          scene={scene}
          picture={chosen.picture}
          marks={marks}
          heat={heat}
          shown={shown}
          onShown={setShown}
          pointed={pointed}
          onPointed={setPointed}
        />
      </div>
      {fused !== undefined && (
        <section class="card stack-s" aria-label="Consensus">
          <div class="card-head">
            <h2>{instances(marks.length)}</h2>
            <label class="row small">
              <span>
                held by at least <strong>{Math.round(100 * least)}%</strong> of the responses
              </span>
              <input
                type="range"
                min="0"
                max="1"
                step={1 / Math.max(2, fused.counts.length)}
                value={least}
                aria-valuetext={`${Math.round(100 * least)} percent`}
                onInput={(event) => setLeast(Number(event.currentTarget.value))}
              />
            </label>
          </div>
          <BoxTable marks={marks} pointed={pointed} onPointed={setPointed} only={["answer"]} />
        </section>
      )}
      {response !== undefined && (
        <ResponseOf
          response={response}
          marks={marks}
          writing={isBusy(state) && response.whole === undefined}
          pointed={pointed}
          onPointed={setPointed}
        />
      )}
    </div>
  );
}

const thumbnailLayers: ReadonlySet<Layer> = new Set<Layer>(["look", "answer"]);

function ResponseCards({
  state: { responses, consensus },
  chosen,
  scene,
  view,
  least,
  onPick,
}: {
  readonly state: DetectState;
  readonly chosen: ChosenPicture;
  readonly scene: { readonly width: number; readonly height: number };
  readonly view: number | "consensus";
  readonly least: number;
  readonly onPick: (view: number | "consensus") => void;
}) {
  const fused = useMemo(
    () => (consensus === undefined ? [] : consensusMarks(consensus, least)),
    [consensus, least],
  );
  return (
    <fieldset class="response-grid">
      <legend class="sr-only">Responses</legend>
      {consensus !== undefined && (
        <label class={`response-card${view === "consensus" ? " response-card-on" : ""}`}>
          <input
            type="radio"
            name="detected"
            class="sr-only"
            checked={view === "consensus"}
            onChange={() => onPick("consensus")}
          />
          <span class="response-card-head">
            <strong>Consensus</strong>
          </span>
          <Thumbnail scene={scene} picture={chosen.picture} marks={fused} layers={thumbnailLayers} />
          <span class="small">{instances(fused.length)}</span>
        </label>
      )}
      {responses.map((response, index) => (
        <label key={index} class={`response-card${view === index ? " response-card-on" : ""}`}>
          <input
            type="radio"
            name="detected"
            class="sr-only"
            checked={view === index}
            onChange={() => onPick(index)}
          />
          <span class="response-card-head">
            <strong>#{index + 1}</strong>
            <span class="muted small">{response?.whole?.grade ?? "…"}</span>
          </span>
          <ResponseThumbnail response={response} chosen={chosen} scene={scene} />
          <span class="small">{instances(response?.answer.length ?? 0)}</span>
        </label>
      ))}
    </fieldset>
  );
}

function ResponseThumbnail({
  response,
  chosen,
  scene,
}: {
  readonly response: DetectedResponse | undefined;
  readonly chosen: ChosenPicture;
  readonly scene: { readonly width: number; readonly height: number };
}) {
  const marks = useMemo(() => responseMarks(response && drawn(response)), [response]);
  return <Thumbnail scene={scene} picture={chosen.picture} marks={marks} layers={thumbnailLayers} />;
}

function ResponseOf({
  response,
  marks,
  writing,
  pointed,
  onPointed,
}: {
  readonly response: DetectedResponse;
  readonly marks: readonly Mark[];
  readonly writing: boolean;
  readonly pointed: Pointed;
  readonly onPointed: (pointed: Pointed) => void;
}) {
  const { whole, text, index } = response;
  const stretches = useMemo(() => whole?.stretches ?? textStretches(text), [whole, text]);
  const spans = useMemo(() => (whole === undefined ? [] : spansOf(whole)), [whole]);
  return (
    <section class="card stack-s" aria-label={`Response ${index + 1}`}>
      <div class="card-head">
        <h2>Response {index + 1}</h2>
        <p class="row small">
          {whole === undefined ? (
            <span class="badge">{writing ? "writing" : "unfinished"}</span>
          ) : (
            <>
              <span class="badge">{whole.grade}</span>
              <span class="muted nowrap">
                {whole.tokens} tokens, {whole.stopReason}
              </span>
            </>
          )}
        </p>
      </div>
      {whole?.grade === "none" && (
        <p class="notice notice-warn">
          No answer could be read in what the model wrote. It may not have been trained to answer in this
          form.
        </p>
      )}
      {(whole?.stopReason === "length" || whole?.grade === "truncated") && (
        <p class="notice notice-warn">
          The response was cut off: give it more tokens (“More”), or a picture with fewer instances.
        </p>
      )}
      <ResponseText
        text={text}
        stretches={stretches}
        boxes={spans}
        pointed={pointed}
        onPointed={onPointed}
        writing={writing}
      />
      <BoxTable marks={marks} pointed={pointed} onPointed={onPointed} only={["answer", "look"]} />
    </section>
  );
}
