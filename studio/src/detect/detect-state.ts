/** @file How far a detection has come: every event of the wire folded into one state. Pure. */
import type {
  ApiFailure,
  Canvas,
  Corners,
  DetectEvent,
  DetectResponse,
} from "../../../src/server/studio/api.js";

/** A response being written, or finished. */
export interface DetectedResponse {
  readonly index: number;
  readonly text: string;
  readonly regions: DetectResponse["regions"];
  readonly answer: DetectResponse["answer"];
  /** Once it is whole. */
  readonly whole?: DetectResponse;
}

/** What several responses agree on. */
export type Consensus = Extract<DetectEvent, { readonly event: "consensus" }>;

/** A detection from its request to its end. */
export interface DetectState {
  readonly phase: "idle" | "asking" | "waiting" | "writing" | "done" | "stopped" | "failed";
  /** Others before it, in phase `waiting`. */
  readonly waiting: number;
  /** Pixels of the original picture, from the moment the server has read it. */
  readonly canvas?: Canvas;
  /** By index; holes are responses of which nothing has come yet. */
  readonly responses: readonly (DetectedResponse | undefined)[];
  readonly consensus?: Consensus;
  readonly seconds?: number;
  readonly tokens?: number;
  readonly error?: ApiFailure["error"];
}

/** Nothing asked yet. */
export const idle: DetectState = { phase: "idle", waiting: 0, responses: [] };
/** Asked just now. */
export const asking: DetectState = { phase: "asking", waiting: 0, responses: [] };

function withResponse(state: DetectState, response: DetectedResponse): DetectState {
  const responses = Array.from(
    { length: Math.max(state.responses.length, response.index + 1) },
    (_, i) => state.responses[i],
  );
  responses[response.index] = response;
  return { ...state, phase: "writing", responses };
}

const bare = (boxes: readonly Corners[]) => boxes.map((box) => ({ box }));

/** The state after one more event. */
export function afterEvent(state: DetectState, event: DetectEvent): DetectState {
  switch (event.event) {
    case "queued":
      return { ...state, phase: "waiting", waiting: event.waiting };
    case "opened":
      return { ...state, phase: "writing", waiting: 0, canvas: event.canvas };
    case "text": {
      const { index, delta, regions, answer } = event;
      const text = (state.responses[index]?.text ?? "") + delta;
      return withResponse(state, { index, text, regions, answer: bare(answer) });
    }
    case "response": {
      const { index, text, regions, answer } = event.response;
      return withResponse(state, { index, text, regions, answer, whole: event.response });
    }
    case "consensus":
      return { ...state, consensus: event };
    case "done":
      return { ...state, phase: "done", seconds: event.seconds, tokens: event.tokens };
    case "failed":
      return { ...state, phase: "failed", error: event.error };
  }
}

/** Whether the server is at work on it. */
export function isBusy({ phase }: DetectState): boolean {
  return phase === "asking" || phase === "waiting" || phase === "writing";
}

const count = (n: number, one: string, many = `${one}s`) =>
  `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

/** How far it is, in words. */
export function stateInWords(state: DetectState): string {
  const { phase, waiting, responses, consensus, seconds, tokens, canvas } = state;
  const boxes = responses.map((response) => response?.answer.length ?? 0);
  const found = () => {
    if (consensus === undefined) return count(boxes[0] ?? 0, "instance");
    const [low, high] = [Math.min(...consensus.counts), Math.max(...consensus.counts)];
    return `${low === high ? low : `${low} to ${high}`} instances in each of ${count(consensus.counts.length, "response")}`;
  };
  switch (phase) {
    case "idle":
      return "";
    case "asking":
      return "Sending the picture …";
    case "waiting":
      return waiting === 0
        ? "Opening the model …"
        : `Waiting for ${count(waiting, "detection")} before this one …`;
    case "writing":
      return canvas !== undefined && responses.length === 0
        ? "Looking at the picture …"
        : `Writing: ${count(Math.max(0, ...boxes), "box", "boxes")} so far …`;
    case "done":
      return `${found()}, ${count(tokens ?? 0, "token")} in ${(seconds ?? 0).toFixed(1)} s`;
    case "stopped":
      return "Stopped.";
    case "failed":
      return "";
  }
}
