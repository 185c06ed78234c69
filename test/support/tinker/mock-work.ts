/** @file What the mock server computes: training passes, samples, prompt scores, saved weights. All of it is exact. */
import { createRng } from "../../../src/base/rng.js";
import {
  chunkFromJson,
  encodeForwardBackwardOutput,
  encodeSampleResponse,
  forwardBackwardOutputToJson,
  sampleResponseToJson,
  type ForwardBackwardRequest,
  type SampleResponse,
} from "../../../src/engines/tinker/wire/index.js";
import { Refusal, type Checkpoint, type Content, type MockState } from "./mock-state.js";
import { draw, logSoftmax, pass, VOCABULARY, type Table, type TableOptimizer } from "./table-model.js";

/** A copy of an optimizer's state. */
export const copyOptimizer = ({ step, m, v }: TableOptimizer): TableOptimizer => ({
  step,
  m: m.slice(),
  v: v.slice(),
});

/** Loss and gradient of a batch, added to the model's. */
export function forwardBackward(state: MockState, request: ForwardBackwardRequest): Content {
  const { habits, live, spell, worked } = state;
  const model = live(request.modelId);
  if (!habits.losses.includes(request.lossFn))
    throw new Refusal(400, `Loss functions ['${request.lossFn}'] are not supported by the table backend`);
  const gradient = new Float64Array(VOCABULARY ** 2);
  const outputs = request.data.map((datum) => {
    const tokens = spell(datum.modelInput);
    const { logprobs, losses: terms } = pass(model.table, gradient, tokens, datum, {
      name: request.lossFn,
      config: request.lossFnConfig ?? {},
      mean: habits.normalization === "mean",
    });
    const tensor = (data: Float32Array) => ({ dtype: "float32" as const, data, shape: [data.length] });
    return { elementwise_loss: tensor(terms), logprobs: tensor(logprobs) };
  });
  if (request.forwardOnly !== true) {
    worked.push(`forward_backward ${request.seqId}`);
    gradient.forEach((g, i) => (model.gradient[i]! += g));
    model.datums += request.data.length;
  }
  const output = { lossFnOutputType: "scalar", outputs, metrics: {} };
  return habits.protobuf
    ? { proto: encodeForwardBackwardOutput(output) }
    : { json: forwardBackwardOutputToJson(output) };
}

const ofSameModel =
  ({ modelId }: Checkpoint) =>
  (one: Checkpoint): boolean =>
    one.kind === "sampler" && one.modelId === modelId;

function weightsOf(
  { base, checkpoints, habits, live }: MockState,
  sampler: { readonly checkpoint?: string },
): Table {
  if (sampler.checkpoint === undefined) return base;
  const checkpoint = checkpoints.get(sampler.checkpoint)!;
  if (habits.oneSampler) return [...checkpoints.values()].findLast(ofSameModel(checkpoint))!.table;
  if (habits.isolated) return checkpoint.table;
  const model = live(checkpoint.modelId);
  if (model.samplerInPlace !== sampler.checkpoint) {
    model.table = checkpoint.table.slice();
    model.samplerInPlace = sampler.checkpoint;
  }
  return model.table;
}

/** Draws responses, and scores the prompt where asked. */
export function sample(state: MockState, json: Record<string, unknown>): Content {
  const { habits, models, samplers, spell } = state;
  if (habits.needsModel && ![...models.values()].some(({ loaded }) => loaded))
    throw new Refusal(400, "Create a model before sampling from a combined runtime");
  const session = json["sampling_session_id"];
  const params = json["sampling_params"] as Record<string, unknown>;
  const { chunks } = json["prompt"] as { readonly chunks: readonly unknown[] };
  const table = weightsOf(state, typeof session === "string" ? samplers.get(session)! : {});
  const prompt = spell(chunks.map(chunkFromJson));
  const stop = (params["stop"] ?? []) as number[];
  const sequences = Array.from({ length: json["num_samples"] as number }, (_, k) => {
    const rng = createRng((params["seed"] as number) + k);
    const tokens: number[] = [];
    const logprobs: number[] = [];
    let last = prompt.at(-1) ?? 0;
    while (tokens.length < (params["max_tokens"] as number)) {
      const next = draw(table, last, params["temperature"] as number, () => rng.next());
      tokens.push(next);
      logprobs.push(logSoftmax(table, last)[next]!);
      last = next;
      if (stop.includes(next)) break;
    }
    return {
      stopReason: stop.includes(last) ? ("stop" as const) : ("length" as const),
      tokens: Int32Array.from(tokens),
      logprobs: Float32Array.from(logprobs),
    };
  });
  const scores = prompt.slice(1).map((token, i) => logSoftmax(table, prompt[i]!)[token]!);
  if (json["prompt_logprobs"] === true && !habits.promptLogprobs)
    throw new Refusal(400, "prompt_logprobs is not supported by the table backend");
  const response: SampleResponse = {
    sequences,
    ...(json["prompt_logprobs"] === true && {
      promptLogprobs: Float32Array.from(habits.leadingNaN ? [NaN, ...scores] : scores),
    }),
  };
  return habits.protobuf
    ? { proto: encodeSampleResponse(response) }
    : { json: sampleResponseToJson(response) };
}

/** Saves a model's weights under a name, once. @returns the key of the checkpoint */
export function saved(
  { checkpoints, live }: MockState,
  kind: Checkpoint["kind"],
  modelId: string,
  id: string,
): string {
  const key = `${modelId}/${kind}/${id}`;
  if (checkpoints.has(key))
    throw new Refusal(409, `Checkpoint '${id}' already exists for model '${modelId}'`);
  const model = live(modelId);
  checkpoints.set(key, {
    id,
    kind,
    modelId,
    table: model.table.slice(),
    optimizer: copyOptimizer(model.optimizer),
  });
  return key;
}
