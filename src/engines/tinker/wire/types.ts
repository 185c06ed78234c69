/**
 * @file What goes over the wire of the Tinker REST API, as plain values: the same whether a server speaks protobuf or
 * JSON (proto-codec.ts, json-codec.ts).
 */

/** Element types of a tensor on the wire. */
export type WireDtype = "float32" | "int64" | "int32" | "bfloat16";

/** A tensor, row-major. `int64` and `int32` are held as Int32Array (token ids fit), `bfloat16` as Float32Array. */
export interface WireTensor {
  readonly dtype: WireDtype;
  readonly data: Float32Array | Int32Array;
  readonly shape: readonly number[];
}

/** Encodings of a picture that servers take. */
export type ImageFormat = "png" | "jpeg";

/** A stretch of a model's input. */
export type ModelInputChunk =
  | { readonly type: "encoded_text"; readonly tokens: Int32Array }
  | {
      readonly type: "image";
      /** The file's bytes. */
      readonly data: Uint8Array;
      readonly format: ImageFormat;
      /** Tokens the picture takes; a server that counts otherwise says so instead of training on something else. */
      readonly expectedTokens?: number;
    };

/** One training sequence: the input, and what the loss needs (`target_tokens`, `weights`, `logprobs`, `advantages`). */
export interface WireDatum {
  readonly modelInput: readonly ModelInputChunk[];
  readonly lossFnInputs: Readonly<Record<string, WireTensor>>;
}

/** Body of forward_backward. */
export interface ForwardBackwardRequest {
  readonly modelId: string;
  readonly seqId: number;
  readonly data: readonly WireDatum[];
  /** `cross_entropy`, `importance_sampling`, `ppo`, ... */
  readonly lossFn: string;
  readonly lossFnConfig?: Readonly<Record<string, number>>;
  /** No gradients. @default false */
  readonly forwardOnly?: boolean;
}

/** Result of forward_backward. */
export interface ForwardBackwardOutput {
  readonly lossFnOutputType: string;
  /** For each datum, what the loss function returned by name (`logprobs`, `elementwise_loss`). */
  readonly outputs: readonly Readonly<Record<string, WireTensor>>[];
  /** Servers add how to reduce them over requests: `name:mean`, `name:sum`. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** How to draw, in the API's own terms. */
export interface WireSamplingParams {
  readonly maxTokens: number;
  readonly temperature?: number;
  /** -1 keeps all. */
  readonly topK?: number;
  readonly topP?: number;
  /** 0 or more. */
  readonly seed?: number;
  /** Ids, or strings; never both. */
  readonly stop?: readonly number[] | readonly string[];
}

/** Body of asample. Exactly one of session, model path and base model says whose weights. */
export interface SampleRequest {
  readonly samplingSessionId?: string;
  readonly modelPath?: string;
  readonly baseModel?: string;
  readonly seqId?: number;
  readonly numSamples: number;
  readonly prompt: readonly ModelInputChunk[];
  readonly samplingParams: WireSamplingParams;
  readonly promptLogprobs?: boolean;
}

/** One drawn sequence. */
export interface SampledSequence {
  readonly stopReason: "stop" | "length";
  readonly tokens: Int32Array;
  readonly logprobs?: Float32Array;
}

/** Result of asample. */
export interface SampleResponse {
  readonly sequences: readonly SampledSequence[];
  /** One a prompt token; an entry the model has no probability for (the first) is NaN, or left out by some servers. */
  readonly promptLogprobs?: Float32Array;
}
