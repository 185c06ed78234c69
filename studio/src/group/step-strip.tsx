/** @file The same picture at every evaluated step, as a strip of small pictures under a slider. */
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { EvaluationHistory } from "../../../src/server/studio/api.js";
import type { Layer } from "../overlay/marks.js";
import type { Picture } from "../overlay/paint.js";
import { Thumbnail } from "../overlay/thumbnail.js";
import { foundBy } from "./evaluation-numbers.js";
import { responseMarks } from "./response-marks.js";
import { drawn } from "./written-spans.js";

const layers: ReadonlySet<Layer> = new Set<Layer>(["ignore", "truth", "answer"]);

/** Slider and strip; both move the same place. */
export function StepStrip({
  history,
  picture,
  place,
  onPlace,
}: {
  readonly history: EvaluationHistory;
  readonly picture: Picture;
  readonly place: number;
  readonly onPlace: (place: number) => void;
}) {
  const { steps, truth, canvas } = history;
  const strip = useRef<HTMLDivElement>(null);
  const cards = useMemo(
    () =>
      steps.map(({ step, responses }) => ({
        step,
        f1: foundBy(responses, truth.objects.length).f1,
        marks: responseMarks(responses[0] && drawn(responses[0]), truth),
      })),
    [steps, truth],
  );
  useEffect(() => {
    const card = strip.current?.children[place];
    if (strip.current === null || !(card instanceof HTMLElement)) return;
    const left = card.offsetLeft - strip.current.offsetLeft;
    const { scrollLeft, clientWidth } = strip.current;
    if (left < scrollLeft || left + card.offsetWidth > scrollLeft + clientWidth)
      strip.current.scrollLeft = left - clientWidth / 2 + card.offsetWidth / 2;
  }, [place]);
  const now = cards[place]!;
  const first = cards[0]!;
  return (
    <section class="card stack-s" aria-label="Steps">
      <div class="step-slider">
        <label for="step-slider" class="nowrap">
          Step <strong>{now.step}</strong>
        </label>
        <input
          id="step-slider"
          type="range"
          min={0}
          max={steps.length - 1}
          step={1}
          value={place}
          disabled={steps.length < 2}
          aria-valuetext={`step ${now.step}, F1 ${now.f1.toFixed(2)}`}
          onInput={(event) => onPlace(Number(event.currentTarget.value))}
        />
        <span class="nowrap">
          F1 <strong>{now.f1.toFixed(2)}</strong>{" "}
          {place > 0 && (
            <span class={now.f1 >= first.f1 ? "delta-up" : "delta-down"}>
              {now.f1 >= first.f1 ? "▲" : "▼"} {Math.abs(now.f1 - first.f1).toFixed(2)} since step{" "}
              {first.step}
            </span>
          )}
        </span>
      </div>
      <div class="step-strip" ref={strip}>
        {cards.map(({ step, f1, marks }, at) => (
          <button
            key={step}
            type="button"
            class="step-card"
            aria-pressed={at === place}
            onClick={() => onPlace(at)}
          >
            <Thumbnail scene={canvas} picture={picture} marks={marks} layers={layers} />
            <span class="response-card-line small">
              <span>
                <span class="sr-only">Step </span>
                {step}
              </span>
              <span class="muted">
                <span class="sr-only">F1 </span>
                {f1.toFixed(2)}
              </span>
            </span>
            <span class="step-bar" aria-hidden="true">
              <span style={{ width: `${100 * f1}%` }} />
            </span>
          </button>
        ))}
      </div>
      {steps.length < 2 && (
        <p class="small muted">
          There is one evaluation so far. <code>evaluation.every</code> in the recipe makes more as the run
          goes.
        </p>
      )}
    </section>
  );
}
