/**
 * @file The same messages as JSON, both ways: requests to servers without protobuf (SkyRL 0.3), and answers of servers
 * that were not asked for it. asample's request is JSON everywhere.
 */
import { z } from "zod";
import { protocolError } from "../errors.js";
import type {
  ForwardBackwardOutput,
  ForwardBackwardRequest,
  ModelInputChunk,
  SampleRequest,
  SampleResponse,
  WireDtype,
  WireTensor,
} from "./types.js";

const numbers = z.array(z.number());
/** JSON has no NaN: servers write null. */
const logprobs = z.array(z.number().nullable()).transform((list) => Float32Array.from(list, (x) => x ?? NaN));
const ids = z.array(z.number().int()).transform((list) => Int32Array.from(list));

const tensorSchema = z
  .looseObject({
    data: z.array(z.number().nullable()),
    dtype: z.enum(["float32", "int64", "int32", "bfloat16"]).default("float32"),
    shape: numbers.nullish(),
  })
  .transform(({ data, dtype, shape }): WireTensor => {
    const values = data.map((value) => value ?? NaN);
    return {
      dtype,
      data: dtype === "float32" || dtype === "bfloat16" ? Float32Array.from(values) : Int32Array.from(values),
      shape: shape ?? [values.length],
    };
  });

const chunkSchema = z.discriminatedUnion("type", [
  z.looseObject({ type: z.literal("encoded_text"), tokens: ids }),
  z
    .looseObject({
      type: z.literal("image"),
      data: z.string(),
      format: z.enum(["png", "jpeg"]),
      expected_tokens: z.number().int().nullish(),
    })
    .transform(({ type, data, format, expected_tokens: expected }) => ({
      type,
      data: new Uint8Array(Buffer.from(data, "base64")),
      format,
      ...(typeof expected === "number" && { expectedTokens: expected }),
    })),
]);

const requestSchema = z.looseObject({
  model_id: z.string(),
  seq_id: z.number().int().nullish(),
  forward_backward_input: z.unknown().optional(),
  forward_input: z.unknown().optional(),
});
const requestInputSchema = z.looseObject({
  data: z.array(
    z.looseObject({
      model_input: z.looseObject({ chunks: z.array(chunkSchema) }),
      loss_fn_inputs: z.record(z.string(), tensorSchema),
    }),
  ),
  loss_fn: z.string(),
  loss_fn_config: z.record(z.string(), z.number()).nullish(),
});

const outputSchema = z
  .looseObject({
    loss_fn_output_type: z.string().default(""),
    loss_fn_outputs: z.array(z.record(z.string(), tensorSchema)),
    metrics: z.record(z.string(), z.number()).nullish(),
  })
  .transform((raw): ForwardBackwardOutput => ({
    lossFnOutputType: raw.loss_fn_output_type,
    outputs: raw.loss_fn_outputs,
    metrics: raw.metrics ?? {},
  }));

const sampleSchema = z
  .looseObject({
    sequences: z.array(
      z.looseObject({
        stop_reason: z.enum(["stop", "length"]),
        tokens: ids,
        logprobs: logprobs.nullish(),
      }),
    ),
    prompt_logprobs: logprobs.nullish(),
  })
  .transform((raw): SampleResponse => ({
    sequences: raw.sequences.map(({ stop_reason: stopReason, tokens, logprobs: scores }) => ({
      stopReason,
      tokens,
      ...(scores && { logprobs: scores }),
    })),
    ...(raw.prompt_logprobs && { promptLogprobs: raw.prompt_logprobs }),
  }));

function readAs<S extends z.ZodType>(schema: S, json: unknown, what: string): z.output<S> {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  throw protocolError(`this is no ${what}: ${z.prettifyError(result.error)}`);
}

/** A chunk of a model's input. */
export function chunkToJson(chunk: ModelInputChunk): object {
  if (chunk.type === "encoded_text") return { type: chunk.type, tokens: Array.from(chunk.tokens) };
  const { type, data, format, expectedTokens } = chunk;
  return {
    type,
    data: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64"),
    format,
    expected_tokens: expectedTokens ?? null,
  };
}

/** @throws TinkerError (`protocol`). */
export function chunkFromJson(json: unknown): ModelInputChunk {
  return readAs(chunkSchema, json, "chunk of a prompt");
}

function tensorToJson({ data, dtype, shape }: WireTensor): {
  data: (number | null)[];
  dtype: WireDtype;
  shape: readonly number[];
} {
  return { data: Array.from(data, (value) => (Number.isNaN(value) ? null : value)), dtype, shape };
}

function mapTensors(tensors: Readonly<Record<string, WireTensor>>): Record<string, object> {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, tensorToJson(tensor)]));
}

/** Body of forward_backward, or of forward where `forwardOnly`: JSON has an endpoint for each. */
export function forwardBackwardRequestToJson(request: ForwardBackwardRequest): Record<string, unknown> {
  return {
    model_id: request.modelId,
    seq_id: request.seqId,
    [request.forwardOnly === true ? "forward_input" : "forward_backward_input"]: {
      data: request.data.map(({ modelInput, lossFnInputs }) => ({
        model_input: { chunks: modelInput.map(chunkToJson) },
        loss_fn_inputs: mapTensors(lossFnInputs),
      })),
      loss_fn: request.lossFn,
      ...(request.lossFnConfig && { loss_fn_config: request.lossFnConfig }),
    },
  };
}

/** @throws TinkerError (`protocol`). */
export function forwardBackwardRequestFromJson(json: unknown): ForwardBackwardRequest {
  const outer = readAs(requestSchema, json, "forward_backward request");
  const forwardOnly = outer.forward_input !== undefined;
  const input = readAs(
    requestInputSchema,
    forwardOnly ? outer.forward_input : outer.forward_backward_input,
    "forward_backward request",
  );
  return {
    modelId: outer.model_id,
    seqId: outer.seq_id ?? 0,
    data: input.data.map(({ model_input: { chunks }, loss_fn_inputs: lossFnInputs }) => ({
      modelInput: chunks,
      lossFnInputs,
    })),
    lossFn: input.loss_fn,
    ...(input.loss_fn_config && { lossFnConfig: input.loss_fn_config }),
    forwardOnly,
  };
}

/** @throws TinkerError (`protocol`). */
export function forwardBackwardOutputFromJson(json: unknown): ForwardBackwardOutput {
  return readAs(outputSchema, json, "result of forward_backward");
}

/** As a server writes it. */
export function forwardBackwardOutputToJson(output: ForwardBackwardOutput): unknown {
  return {
    loss_fn_output_type: output.lossFnOutputType,
    loss_fn_outputs: output.outputs.map(mapTensors),
    metrics: output.metrics,
  };
}

/** @throws TinkerError (`protocol`). */
export function sampleResponseFromJson(json: unknown): SampleResponse {
  return readAs(sampleSchema, json, "result of asample");
}

/** As a server writes it. */
export function sampleResponseToJson({ sequences, promptLogprobs }: SampleResponse): unknown {
  const list = (values: Float32Array): (number | null)[] =>
    Array.from(values, (value) => (Number.isNaN(value) ? null : value));
  return {
    sequences: sequences.map(({ stopReason, tokens, logprobs: scores }) => ({
      stop_reason: stopReason,
      tokens: Array.from(tokens),
      logprobs: scores ? list(scores) : null,
    })),
    prompt_logprobs: promptLogprobs ? list(promptLogprobs) : null,
  };
}

/** Body of asample. */
export function sampleRequestToJson(request: SampleRequest): Record<string, unknown> {
  const { maxTokens, temperature = 1, topK = -1, topP = 1, seed, stop } = request.samplingParams;
  return {
    ...(request.samplingSessionId !== undefined && { sampling_session_id: request.samplingSessionId }),
    ...(request.modelPath !== undefined && { model_path: request.modelPath }),
    ...(request.baseModel !== undefined && { base_model: request.baseModel }),
    ...(request.seqId !== undefined && { seq_id: request.seqId }),
    num_samples: request.numSamples,
    prompt: { chunks: request.prompt.map(chunkToJson) },
    sampling_params: {
      max_tokens: maxTokens,
      temperature,
      top_k: topK,
      top_p: topP,
      ...(seed !== undefined && { seed }),
      ...(stop !== undefined && stop.length > 0 && { stop }),
    },
    prompt_logprobs: request.promptLogprobs ?? false,
    type: "sample",
  };
}
