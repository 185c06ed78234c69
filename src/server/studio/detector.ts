/**
 * @file Detect: which models there are, and a picture asked of one of them. One detection runs at a time, because it takes all
 * cores; the model that was used last stays open.
 */
import { toError } from "../../base/errors.js";
import { deriveSeed } from "../../base/rng.js";
import type { Sample } from "../../datasets/sample.js";
import type { Rollout, Sampler } from "../../engines/contract.js";
import { createTurns } from "../../engines/local/turns.js";
import { boxFromAnswer } from "../../geometry/profiles.js";
import { consensusBoxes } from "../../metrics/scores.js";
import { parseResponse } from "../../response/index.js";
import { defaultRewardConfig } from "../../rewards/index.js";
import { judgeImage, type EvaluatedImage, type EvaluationConfig, type EvaluationSample, type TextCodec } from "../../rl/index.js"; // prettier-ignore
import { HttpError } from "../http-error.js";
import type { DetectEvent, DetectRequest, DetectResponse, ModelList, StudioModel } from "./api.js";
import { cornersOf } from "./group-detail.js";
import { heatOfAnswers } from "./heat.js";
import { textStretches } from "./text-stretches.js";

/** A model that is open. */
export interface DetectingModel {
  readonly sampler: Pick<Sampler, "sample">;
  readonly codec: TextCodec;
  readonly encode: (sample: Sample) => EvaluationSample | Promise<EvaluationSample>;
  readonly config: Pick<EvaluationConfig, "profile" | "reader">;
  close(): Promise<void>;
}

/** A model that can be opened. */
export interface ModelSource {
  readonly model: StudioModel;
  /** Another one where the files are others. */
  readonly version: string;
  /** @param labels what to find */
  open(labels: readonly string[]): Promise<DetectingModel>;
}

/** What is asked, its picture found and its defaults filled in. */
export interface Detection extends Required<Omit<DetectRequest, "image" | "labels">> {
  readonly sample: Sample;
  readonly labels?: readonly string[];
}

/** The detections of a studio. */
export interface Detector {
  models(): Promise<ModelList>;
  /** Whether a model could be asked now. @throws HttpError `not-found`, `busy` */
  check(model: string): Promise<void>;
  /** Runs one, telling what happens; a failure is told, too. @throws HttpError as {@link Detector.check}, before anything is told */
  detect(
    detection: Detection,
    signal: AbortSignal,
    tell: (event: DetectEvent) => Promise<void>,
  ): Promise<void>;
  close(): Promise<void>;
}

/** Detections that may wait. */
const WAITING = 8;
/** Milliseconds between two looks at text that grows. */
const TELL_EVERY = 80;
/** How often a response may write one box before it is ended: as in the shipped recipes. */
const MAX_BOX_REPEATS = 4;

/** Thrown into the sampler when nobody waits for its answer any more. */
class Abandoned extends Error {
  override readonly name = "Abandoned";
}

/** What a finished response says, in pixels of the original. */
function detected({ responses }: EvaluatedImage, index: number): DetectResponse {
  const { text, grade, stopReason, tokens, look, answer, probabilities } = responses[index]!;
  return {
    index,
    text,
    stretches: textStretches(text),
    grade,
    stopReason,
    tokens,
    regions: look.map(cornersOf),
    answer: answer.map(({ box, label }, i) => ({
      box: cornersOf(box),
      ...(label !== undefined && { label }),
      ...(probabilities?.[i] && { probability: probabilities[i].mean }),
    })),
  };
}

/** Follows the tokens of responses as they are drawn and tells how their text grows. */
function followText(
  { codec, config }: DetectingModel,
  { truth, prompt }: EvaluationSample,
  { sample }: Detection,
  tell: (event: DetectEvent) => Promise<void>,
) {
  const rows: { readonly tokens: number[]; text: string; told: number }[] = [];
  const { profile = "absolute" } = config;
  const image = { width: sample.width, height: sample.height };
  const shown = prompt.chunks.find((chunk) => chunk.kind === "image")?.image ?? truth.size;
  const model = { width: shown.width, height: shown.height };
  return (index: number, token: number) => {
    const row = (rows[index] ??= { tokens: [], text: "", told: 0 });
    if (codec.endTokens.includes(token)) return;
    row.tokens.push(token);
    const now = performance.now();
    if (now - row.told < TELL_EVERY) return;
    const text = codec.decode(Int32Array.from(row.tokens));
    // Half of a character is yet to come.
    if (text.endsWith("\uFFFD") || !text.startsWith(row.text)) return;
    const delta = text.slice(row.text.length);
    row.told = now;
    row.text = text;
    if (delta === "") return;
    const parsed = parseResponse(text, truth.size);
    const corners = (boxes: readonly { readonly box: Parameters<typeof boxFromAnswer>[0] }[] = []) =>
      boxes.map(({ box }) => cornersOf(boxFromAnswer(box, profile, { image, model })));
    void tell({
      event: "text",
      index,
      delta,
      regions: corners(parsed.look?.boxes),
      answer: corners(parsed.answer?.boxes),
    });
  };
}

function consensus(judged: EvaluatedImage, size: { width: number; height: number }): DetectEvent {
  const answers = judged.responses.map(({ answer }) => answer);
  return {
    event: "consensus",
    instances: consensusBoxes(answers).map(({ box, label, score }) => ({
      box: cornersOf(box),
      ...(label !== undefined && { label }),
      share: score,
    })),
    heat: heatOfAnswers<"image">(
      size,
      answers.map((boxes) => boxes.map(({ box }) => box)),
      defaultRewardConfig.look,
    )!,
    counts: answers.map((boxes) => boxes.length),
  };
}

/** Draws all responses together, telling their text as it grows. */
async function drawTogether(
  opened: DetectingModel,
  encoded: EvaluationSample,
  detection: Detection,
  { signal, tell }: Audience,
): Promise<Rollout[]> {
  const { samples, temperature, maxTokens, seed } = detection;
  const follow = followText(opened, encoded, detection, tell);
  return opened.sampler.sample(encoded.prompt, {
    n: samples,
    temperature,
    maxTokens,
    seed,
    stop: opened.codec.endTokens,
    maxBoxRepeats: MAX_BOX_REPEATS,
    onToken(response, token) {
      if (signal.aborted) throw new Abandoned("nobody waits for this answer");
      follow(response, token);
    },
  });
}

/** Draws each response by itself, telling each once it is whole: for models that tell no tokens. */
async function drawApart(
  opened: DetectingModel,
  encoded: EvaluationSample,
  { samples, temperature, maxTokens, seed }: Detection,
  tellWhole: (rollout: Rollout, index: number) => Promise<void>,
): Promise<Rollout[]> {
  return Promise.all(
    Array.from({ length: samples }, async (_, index) => {
      const [rollout] = await opened.sampler.sample(encoded.prompt, {
        n: 1,
        temperature,
        maxTokens,
        // The first response is the same whether one is asked for or several.
        seed: index === 0 ? seed : deriveSeed(seed, "detect", index),
        stop: opened.codec.endTokens,
        maxBoxRepeats: MAX_BOX_REPEATS,
      });
      await tellWhole(rollout!, index);
      return rollout!;
    }),
  );
}

/** Who waits, and how they are told. */
interface Audience {
  readonly signal: AbortSignal;
  readonly tell: (event: DetectEvent) => Promise<void>;
}

async function run(
  opened: DetectingModel,
  streams: boolean,
  detection: Detection,
  audience: Audience,
): Promise<void> {
  const started = performance.now();
  const { tell } = audience;
  const { sample, samples } = detection;
  const canvas = { width: sample.width, height: sample.height };
  const encoded = await opened.encode(sample);
  await tell({ event: "opened", model: detection.model, canvas });
  const { profile, reader } = opened.config;
  const judge = (rollouts: readonly Rollout[]) =>
    judgeImage(sample, encoded, rollouts, opened.codec, defaultRewardConfig, profile, reader);
  const rollouts = streams
    ? await drawTogether(opened, encoded, detection, audience)
    : await drawApart(opened, encoded, detection, (rollout, index) =>
        tell({ event: "response", response: { ...detected(judge([rollout]), 0), index } }),
      );
  const judged = judge(rollouts);
  if (streams)
    for (const index of judged.responses.keys())
      await tell({ event: "response", response: detected(judged, index) });
  if (samples > 1) await tell(consensus(judged, canvas));
  await tell({
    event: "done",
    seconds: (performance.now() - started) / 1000,
    tokens: judged.responses.reduce((sum, { tokens }) => sum + tokens, 0),
  });
}

/** @param sources looked for anew at every question, as runs come and go */
export function createDetector(sources: () => Promise<readonly ModelSource[]>): Detector {
  const turns = createTurns();
  let busy = 0;
  let kept: { readonly key: string; readonly model: DetectingModel } | undefined;

  const letGo = async () => {
    const old = kept;
    kept = undefined;
    await old?.model.close();
  };

  async function opened(source: ModelSource, labels: readonly string[]): Promise<DetectingModel> {
    const key = JSON.stringify([source.model.id, source.version, labels]);
    if (kept?.key !== key) {
      await letGo();
      kept = { key, model: await source.open(labels) };
    }
    return kept.model;
  }

  async function find(id: string): Promise<ModelSource> {
    const source = (await sources()).find(({ model }) => model.id === id);
    if (source === undefined)
      throw new HttpError("not-found", `there is no model ${id}`, {
        hint: "GET /api/models lists those that are there.",
      });
    if (busy > WAITING)
      throw new HttpError("busy", `${busy} detections are running or waiting`, { retryAfter: 10 });
    return source;
  }

  return {
    async models() {
      return { models: (await sources()).map(({ model }) => model), busy };
    },
    async check(model) {
      await find(model);
    },
    async detect(detection, signal, tell) {
      const source = await find(detection.model);
      const waiting = busy++;
      try {
        await tell({ event: "queued", waiting });
        await turns.take(async () => {
          if (signal.aborted) return;
          const model = await opened(source, detection.labels ?? source.model.labels);
          await run(model, source.model.streams, detection, { signal, tell });
        });
      } catch (error) {
        if (error instanceof Abandoned || signal.aborted) return;
        const { message, hint } = toError(error) as Error & { readonly hint?: string };
        await tell({
          event: "failed",
          error: { code: "failed", message, ...(hint !== undefined && { hint }) },
        });
      } finally {
        busy--;
      }
    },
    close: () => turns.take(letGo),
  };
}
