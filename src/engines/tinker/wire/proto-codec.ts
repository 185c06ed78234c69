/**
 * @file The API's three protobuf messages, both ways. A client writes requests and reads results; the other direction
 * serves test servers and recorded traffic.
 */
import type { Type } from "protobufjs";
import { protocolError, TinkerError } from "../errors.js";
import { DTYPE, messages, STOP_REASON } from "./proto-schema.js";
import {
  ELEMENT_BYTES,
  float32Bytes,
  float32FromBytes,
  int32Bytes,
  int32FromBytes,
  int64Bytes,
  int64FromBytes,
  tensorBytes,
  tensorData,
} from "./tensor-bytes.js";
import type {
  ForwardBackwardOutput,
  ForwardBackwardRequest,
  ModelInputChunk,
  SampleResponse,
  WireDatum,
  WireDtype,
  WireTensor,
} from "./types.js";

/** Media type of protobuf bodies. */
export const PROTOBUF = "application/x-protobuf";

interface RawTensor {
  readonly dense?: Uint8Array;
  readonly dtype?: number;
  readonly shape: readonly number[];
}
interface RawBatchedTensor {
  readonly data?: Uint8Array;
  readonly offsets?: Uint8Array;
  readonly dtype?: number;
  readonly trailing_shape: readonly number[];
}
interface RawChunk {
  readonly encoded_text?: { readonly tokens?: Uint8Array };
  readonly image?: {
    readonly data?: Uint8Array;
    readonly format?: string;
    readonly expected_tokens?: number;
  };
}

const EMPTY = new Uint8Array();

/** Fields as plain values; what the bytes do not say is absent, lists and maps are empty. */
function read<T>(type: Type, bytes: Uint8Array): T {
  try {
    return type.toObject(type.decode(bytes), { longs: Number, arrays: true, objects: true }) as T;
  } catch (error) {
    if (error instanceof TinkerError) throw error;
    throw protocolError(`the bytes are no ${type.name}`, error);
  }
}

function write(type: Type, fields: object): Uint8Array {
  return type.encode(type.fromObject(fields)).finish();
}

function dtypeOf(code = 0): WireDtype {
  const name = (Object.keys(DTYPE) as WireDtype[]).find((key) => DTYPE[key] === code);
  if (name === undefined) throw protocolError(`unknown element type ${code}`);
  return name;
}

function elements(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}

function mapValues<A, B>(from: Readonly<Record<string, A>>, to: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(from).map(([key, value]) => [key, to(value)]));
}

function writeChunk(chunk: ModelInputChunk): object {
  return chunk.type === "encoded_text"
    ? { encoded_text: { tokens: int32Bytes(chunk.tokens) } }
    : {
        image: {
          data: chunk.data,
          format: chunk.format,
          ...(chunk.expectedTokens !== undefined && { expected_tokens: chunk.expectedTokens }),
        },
      };
}

function readChunk({ encoded_text: text, image }: RawChunk): ModelInputChunk {
  if (text !== undefined) return { type: "encoded_text", tokens: int32FromBytes(text.tokens ?? EMPTY) };
  if (image === undefined) throw protocolError("a chunk that is neither text nor an image");
  if (image.format !== "png" && image.format !== "jpeg")
    throw protocolError(`unknown image format ${image.format ?? "(none)"}`);
  return {
    type: "image",
    // A copy: in Node the reader hands out Buffers over the whole answer.
    data: new Uint8Array(image.data ?? EMPTY),
    format: image.format,
    ...(image.expected_tokens !== undefined && { expectedTokens: image.expected_tokens }),
  };
}

/** Same fields, same bytes: maps are written in the order of their keys' insertion. */
export function encodeForwardBackwardRequest(request: ForwardBackwardRequest): Uint8Array {
  const { lossFnConfig } = request;
  return write(messages.forwardBackwardRequest, {
    model_id: request.modelId,
    seq_id: request.seqId,
    data: request.data.map(({ modelInput, lossFnInputs }) => ({
      model_input: modelInput.map(writeChunk),
      loss_fn_inputs: mapValues(lossFnInputs, (tensor) => ({
        dense: tensorBytes(tensor),
        dtype: DTYPE[tensor.dtype],
        shape: tensor.shape,
      })),
    })),
    loss_fn: request.lossFn,
    // Servers of different age read one field or the other.
    ...(lossFnConfig && {
      loss_fn_config: lossFnConfig,
      loss_fn_config_v2: mapValues(lossFnConfig, (number) => ({ number })),
    }),
    ...(request.forwardOnly === true && { forward_only: true }),
  });
}

/** @throws TinkerError (`protocol`) for bytes that are no such request. */
export function decodeForwardBackwardRequest(bytes: Uint8Array): ForwardBackwardRequest {
  const raw = read<{
    readonly model_id?: string;
    readonly seq_id?: number;
    readonly data: readonly {
      readonly model_input: readonly RawChunk[];
      readonly loss_fn_inputs: Readonly<Record<string, RawTensor>>;
    }[];
    readonly loss_fn?: string;
    readonly loss_fn_config: Readonly<Record<string, number>>;
    readonly forward_only?: boolean;
  }>(messages.forwardBackwardRequest, bytes);
  return {
    modelId: raw.model_id ?? "",
    seqId: raw.seq_id ?? 0,
    data: raw.data.map((datum): WireDatum => ({
      modelInput: datum.model_input.map(readChunk),
      lossFnInputs: mapValues(datum.loss_fn_inputs, ({ dense = EMPTY, dtype, shape }): WireTensor => {
        const name = dtypeOf(dtype);
        const data = tensorData(dense, name);
        if (data.length !== elements(shape))
          throw protocolError(`a tensor of shape [${shape.join(", ")}] with ${data.length} values`);
        return { dtype: name, data, shape };
      }),
    })),
    lossFn: raw.loss_fn ?? "",
    ...(Object.keys(raw.loss_fn_config).length > 0 && { lossFnConfig: raw.loss_fn_config }),
    forwardOnly: raw.forward_only ?? false,
  };
}

/** One tensor a datum from the tensor of a batch. */
function split({ data = EMPTY, offsets = EMPTY, dtype, trailing_shape }: RawBatchedTensor): WireTensor[] {
  const name = dtypeOf(dtype);
  const bounds = int64FromBytes(offsets);
  if (bounds[0] !== 0 || bounds.at(-1) !== data.length)
    throw protocolError(`offsets ${bounds.join(", ")} do not cover ${data.length} bytes`);
  const row = ELEMENT_BYTES[name] * elements(trailing_shape);
  return bounds.slice(1).map((end, i) => {
    const start = bounds[i]!;
    const rows = (end - start) / row;
    if (!Number.isInteger(rows) || rows < 0)
      throw protocolError(`offsets ${start} and ${end} hold no whole number of ${name} rows`);
    return {
      dtype: name,
      data: tensorData(data.subarray(start, end), name),
      shape: [rows, ...trailing_shape],
    };
  });
}

/** @throws TinkerError (`protocol`) for bytes that are cut off or contradict themselves. */
export function decodeForwardBackwardOutput(bytes: Uint8Array): ForwardBackwardOutput {
  const raw = read<{
    readonly loss_fn_output_type?: string;
    readonly loss_fn_outputs: readonly {
      readonly fields: Readonly<Record<string, RawBatchedTensor>>;
      readonly num_datums?: number;
    }[];
    readonly metrics: Readonly<Record<string, number>>;
  }>(messages.forwardBackwardOutput, bytes);
  const outputs = raw.loss_fn_outputs.flatMap(({ fields, num_datums: datums = 0 }) => {
    const columns = mapValues(fields, split);
    for (const [name, column] of Object.entries(columns)) {
      if (column.length !== datums)
        throw protocolError(`${column.length} arrays of "${name}" for ${datums} sequences`);
    }
    return Array.from({ length: datums }, (_, i) => mapValues(columns, (column) => column[i]!));
  });
  return { lossFnOutputType: raw.loss_fn_output_type ?? "", outputs, metrics: raw.metrics };
}

/** As a server writes it: one record for the whole batch. */
export function encodeForwardBackwardOutput(output: ForwardBackwardOutput): Uint8Array {
  const names = Object.keys(output.outputs[0] ?? {});
  const fields = names.map((name) => {
    const tensors = output.outputs.map((one) => one[name]!);
    const parts = tensors.map(tensorBytes);
    const offsets = [0];
    for (const part of parts) offsets.push(offsets.at(-1)! + part.length);
    const { dtype, shape } = tensors[0]!;
    const batched = {
      data: Buffer.concat(parts),
      offsets: int64Bytes(offsets),
      dtype: DTYPE[dtype],
      trailing_shape: shape.slice(1),
    };
    return [name, batched] as const;
  });
  return write(messages.forwardBackwardOutput, {
    loss_fn_output_type: output.lossFnOutputType,
    loss_fn_outputs: [{ fields: Object.fromEntries(fields), num_datums: output.outputs.length }],
    metrics: output.metrics,
  });
}

/** @throws TinkerError (`protocol`) for bytes that are cut off or contradict themselves. */
export function decodeSampleResponse(bytes: Uint8Array): SampleResponse {
  const raw = read<{
    readonly sequences: readonly {
      readonly stop_reason?: number;
      readonly tokens?: Uint8Array;
      readonly logprobs?: Uint8Array;
    }[];
    readonly prompt_logprobs?: Uint8Array;
  }>(messages.sampleResponse, bytes);
  return {
    sequences: raw.sequences.map(({ stop_reason: reason = 0, tokens: tokenBytes = EMPTY, logprobs }) => {
      const tokens = int32FromBytes(tokenBytes);
      const scores = logprobs && float32FromBytes(logprobs);
      if (scores !== undefined && scores.length !== tokens.length)
        throw protocolError(`${scores.length} log-probabilities for ${tokens.length} tokens`);
      return {
        stopReason: reason === STOP_REASON.length ? ("length" as const) : ("stop" as const),
        tokens,
        ...(scores && { logprobs: scores }),
      };
    }),
    ...(raw.prompt_logprobs && { promptLogprobs: float32FromBytes(raw.prompt_logprobs) }),
  };
}

/** As a server writes it. */
export function encodeSampleResponse({ sequences, promptLogprobs }: SampleResponse): Uint8Array {
  return write(messages.sampleResponse, {
    sequences: sequences.map(({ stopReason, tokens, logprobs }) => ({
      stop_reason: STOP_REASON[stopReason],
      tokens: int32Bytes(tokens),
      ...(logprobs && { logprobs: float32Bytes(logprobs) }),
    })),
    ...(promptLogprobs && { prompt_logprobs: float32Bytes(promptLogprobs) }),
  });
}
