/** @file All responses of a group, best advantage first, as small pictures to choose from. */
import { useMemo } from "preact/hooks";
import type { GroupDetail, GroupResponse } from "../../../src/server/studio/api.js";
import type { Layer } from "../overlay/marks.js";
import type { Picture } from "../overlay/paint.js";
import { Thumbnail } from "../overlay/thumbnail.js";
import { failureWords } from "./group-filter.js";
import { responseMarks } from "./response-marks.js";
import { RewardBar } from "./reward-account.js";

/** A number with its sign, so that a column of them reads as more and less. */
export function signed(value: number): string {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;
}

/** Responses by advantage, the greatest first; equal ones in the order they were sampled. */
export function byAdvantage(responses: readonly GroupResponse[]): readonly GroupResponse[] {
  return responses.toSorted((a, b) => b.advantage - a.advantage || a.index - b.index);
}

const thumbnailLayers: ReadonlySet<Layer> = new Set<Layer>(["ignore", "look", "truth", "answer"]);

/** The grid; a set of radio buttons, so that arrow keys go through the responses. */
export function ResponseGrid({
  detail,
  picture,
  chosen,
  onChoose,
}: {
  readonly detail: GroupDetail;
  readonly picture: Picture;
  readonly chosen: number;
  readonly onChoose: (index: number) => void;
}) {
  const { canvas, truth, responses, rewards } = detail;
  const marked = useMemo(
    () => byAdvantage(responses).map((response) => ({ response, marks: responseMarks(response, truth) })),
    [responses, truth],
  );
  return (
    <fieldset class="response-grid">
      <legend class="sr-only">Responses, the greatest advantage first</legend>
      {marked.map(({ response, marks }) => {
        const { index, advantage, total, failures } = response;
        const hits = response.matches.filter((match) => match >= 0).length;
        return (
          <label key={index} class={`response-card${index === chosen ? " response-card-on" : ""}`}>
            <input
              type="radio"
              name="response"
              class="sr-only"
              checked={index === chosen}
              onChange={() => onChoose(index)}
            />
            <span class="response-card-head">
              <strong>{signed(advantage)}</strong>
              <span class="muted">#{index + 1}</span>
            </span>
            <Thumbnail scene={canvas} picture={picture} marks={marks} layers={thumbnailLayers} />
            <span class="response-card-line small">
              <span>{total.toFixed(2)}</span>
              <span class="muted">
                {hits}/{truth.objects.length} found
              </span>
            </span>
            <RewardBar reward={response} weights={rewards.weights} />
            <span class="response-card-failures">
              {failures.map((kind) => failureWords[kind]).join(", ")}
            </span>
          </label>
        );
      })}
    </fieldset>
  );
}
