import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromBase64, recorded, recordedWire } from "../../../../test/support/tinker/recorded-wire.js";
import type { TinkerError } from "../errors.js";
import {
  chunkFromJson,
  chunkToJson,
  decodeForwardBackwardOutput,
  decodeForwardBackwardRequest,
  decodeSampleResponse,
  encodeForwardBackwardOutput,
  encodeForwardBackwardRequest,
  encodeSampleResponse,
  forwardBackwardOutputFromJson,
  forwardBackwardOutputToJson,
  forwardBackwardRequestFromJson,
  forwardBackwardRequestToJson,
  sampleRequestToJson,
  sampleResponseFromJson,
  sampleResponseToJson,
  zstdCompress,
  zstdDecompress,
  type ForwardBackwardRequest,
  type WireTensor,
} from "./index.js";

interface PythonFields {
  readonly loss_fn_outputs: readonly {
    readonly fields: Readonly<Record<string, { readonly per_datum: readonly (readonly number[])[] }>>;
  }[];
}
interface PythonSamples {
  readonly sequences: readonly {
    readonly stop_reason: string;
    readonly tokens: readonly number[];
    readonly logprobs: readonly number[];
  }[];
  readonly prompt_logprobs: readonly number[] | null;
}

const protobufAnswers = recordedWire.filter(({ answer }) => answer.body !== undefined);
const forwardAnswers = protobufAnswers.filter(
  ({ answer }) => "loss_fn_outputs" in (answer.decoded as object),
);
const sampleAnswers = protobufAnswers.filter(({ answer }) => "sequences" in (answer.decoded as object));
const forwardRequests = recordedWire.filter(
  ({ path, bodyDecoded }) => path.endsWith("forward_backward") && bodyDecoded !== undefined,
);

function close(found: ArrayLike<number>, expected: readonly number[]): void {
  expect(found.length).toBe(expected.length);
  expected.forEach((value, i) => expect(found[i]).toBeCloseTo(value, 4));
}

describe("recorded protobuf", () => {
  it("holds what these tests are about", () => {
    expect(forwardAnswers.length).toBeGreaterThan(6);
    expect(sampleAnswers.length).toBeGreaterThan(5);
    expect(forwardRequests.length).toBeGreaterThan(8);
  });

  it.each(forwardAnswers.map((one) => [`${one.mode}/${one.name}`, one] as const))(
    "%s: results of forward_backward as Python reads them",
    (_, { answer }) => {
      const { outputs } = decodeForwardBackwardOutput(fromBase64(answer.body!));
      const { fields } = (answer.decoded as PythonFields).loss_fn_outputs[0]!;
      for (const [name, { per_datum: rows }] of Object.entries(fields)) {
        expect(outputs).toHaveLength(rows.length);
        rows.forEach((row, i) => close(outputs[i]![name]!.data, row));
      }
    },
  );

  it.each(sampleAnswers.map((one) => [`${one.mode}/${one.name}`, one] as const))(
    "%s: samples as Python reads them",
    (_, { answer }) => {
      const found = decodeSampleResponse(fromBase64(answer.body!));
      const expected = answer.decoded as PythonSamples;
      expect(found.sequences).toHaveLength(expected.sequences.length);
      found.sequences.forEach(({ tokens, logprobs, stopReason }, i) => {
        const one = expected.sequences[i]!;
        expect(Array.from(tokens)).toEqual(one.tokens);
        close(logprobs!, one.logprobs);
        expect(stopReason).toBe(one.stop_reason === "STOP_REASON_STOP" ? "stop" : "length");
      });
      expect(found.promptLogprobs === undefined).toBe(expected.prompt_logprobs === null);
      close(found.promptLogprobs ?? [], expected.prompt_logprobs ?? []);
    },
  );

  it("writes a request as the recorded client did, byte for byte", () => {
    for (const name of ["09_fwdbwd_cross_entropy", "49_forward_before_resume"]) {
      const bytes = fromBase64(recorded(name).body!);
      expect(Buffer.from(encodeForwardBackwardRequest(decodeForwardBackwardRequest(bytes)))).toEqual(
        Buffer.from(bytes),
      );
    }
  });

  it("reads and writes every recorded request without loss", () => {
    for (const { body, headers } of forwardRequests) {
      if (headers["Content-Encoding"] === "zstd") continue;
      const request = decodeForwardBackwardRequest(fromBase64(body!));
      expect(request.modelId).toMatch(/^model_/);
      expect(request.data.length).toBeGreaterThan(0);
      expect(decodeForwardBackwardRequest(encodeForwardBackwardRequest(request))).toEqual(request);
    }
  });

  it("reads a request that was compressed by another zstd", async () => {
    const { body } = recorded("16_forward_only_zstd");
    const request = decodeForwardBackwardRequest(await zstdDecompress(fromBase64(body!)));
    expect(request).toMatchObject({ forwardOnly: true, lossFn: "cross_entropy" });
  });

  it("says ppo's bounds in the field that old servers read and in the one that new ones read", () => {
    const request = decodeForwardBackwardRequest(fromBase64(recorded("20_fwdbwd_ppo").body!));
    expect(request.lossFnConfig).toEqual({ clip_low_threshold: 0.8, clip_high_threshold: 1.2 });
    const written = Buffer.from(encodeForwardBackwardRequest(request));
    expect(written.toString("latin1").split("clip_low_threshold")).toHaveLength(3);
  });
});

describe("recorded JSON", () => {
  it("results of both encodings agree: the same future was fetched in both", () => {
    const json = forwardBackwardOutputFromJson(
      recorded("05_forward_backward_json_future", "json-mode").answer.json,
    );
    const proto = decodeForwardBackwardOutput(
      fromBase64(recorded("06_forward_backward_proto_accept_future", "json-mode").answer.body!),
    );
    expect(Object.keys(json.outputs[0]!).toSorted()).toEqual(Object.keys(proto.outputs[0]!).toSorted());
    for (const [name, { data }] of Object.entries(json.outputs[0]!))
      close(proto.outputs[0]![name]!.data, Array.from(data));
  });

  it("writes requests as recorded", () => {
    for (const name of ["04_forward_backward_json", "07_forward_json"]) {
      const { json } = recorded(name, "json-mode");
      expect(forwardBackwardRequestToJson(forwardBackwardRequestFromJson(json))).toEqual(json);
    }
  });

  it("reads samples", () => {
    const { sequences, promptLogprobs } = sampleResponseFromJson(
      recorded("14_asample_future", "json-mode").answer.json,
    );
    expect(sequences.map(({ tokens }) => Array.from(tokens))).toEqual([
      [354, 86, 311, 113],
      [186, 93, 155, 206],
    ]);
    expect(promptLogprobs).toHaveLength(2);
  });

  it("writes asample with every field of the recorded one", () => {
    const written = sampleRequestToJson({
      samplingSessionId: "sampling_215e2281",
      seqId: 1,
      numSamples: 8,
      prompt: [{ type: "encoded_text", tokens: Int32Array.of(1, 30, 40, 50, 60, 70, 80, 90) }],
      samplingParams: { maxTokens: 16, seed: 1234, stop: [2] },
    });
    const { topk_prompt_logprobs: _unused, ...wanted } = recorded("28_asample_8").json as Record<
      string,
      unknown
    >;
    expect(written).toEqual(wanted);
  });
});

const finite = fc.float({ noNaN: true, noDefaultInfinity: true });
const tensor = fc
  .array(finite, { maxLength: 6 })
  .map((list): WireTensor => ({ dtype: "float32", data: Float32Array.from(list), shape: [list.length] }));
const idList = fc.array(fc.integer({ min: 0, max: 200_000 }), { maxLength: 6 });
const idTensor = idList.map((list): WireTensor => ({
  dtype: "int64",
  data: Int32Array.from(list),
  shape: [list.length],
}));
const chunk = fc.oneof(
  idList.map((list) => ({ type: "encoded_text" as const, tokens: Int32Array.from(list) })),
  fc
    .record({
      data: fc.uint8Array({ maxLength: 9 }).map((bytes) => Uint8Array.from(bytes)),
      format: fc.constantFrom("png" as const, "jpeg" as const),
      expectedTokens: fc.integer({ min: 0, max: 5000 }),
    })
    .map((image) => ({ type: "image" as const, ...image })),
);
const request: fc.Arbitrary<ForwardBackwardRequest> = fc.record({
  modelId: fc.string(),
  seqId: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  data: fc.array(
    fc.record({
      modelInput: fc.array(chunk, { maxLength: 3 }),
      lossFnInputs: fc.record({ target_tokens: idTensor, advantages: tensor }),
    }),
    { maxLength: 3 },
  ),
  lossFn: fc.constantFrom("ppo", "cross_entropy"),
  lossFnConfig: fc.constantFrom({ clip_low_threshold: 0.8, clip_high_threshold: 1.28 }),
  forwardOnly: fc.boolean(),
});
const output = fc.integer({ min: 1, max: 4 }).chain((datums) =>
  fc.record({
    lossFnOutputType: fc.constant("scalar"),
    outputs: fc.array(fc.record({ logprobs: tensor, elementwise_loss: tensor }), {
      minLength: datums,
      maxLength: datums,
    }),
    metrics: fc.dictionary(fc.string({ minLength: 1 }), finite, { noNullPrototype: true }),
  }),
);
const samples = fc.record({
  sequences: fc.array(
    fc.array(fc.tuple(fc.integer({ min: 0, max: 1e6 }), finite), { maxLength: 5 }).chain((pairs) =>
      fc.record({
        stopReason: fc.constantFrom("stop" as const, "length" as const),
        tokens: fc.constant(Int32Array.from(pairs, ([id]) => id)),
        logprobs: fc.constant(Float32Array.from(pairs, ([, logprob]) => logprob)),
      }),
    ),
    { maxLength: 4 },
  ),
  promptLogprobs: fc.constant(Float32Array.of(NaN, -1, -2.5)),
});

describe("both ways", () => {
  it("requests", () => {
    fc.assert(
      fc.property(request, (one) => {
        expect(decodeForwardBackwardRequest(encodeForwardBackwardRequest(one))).toEqual(one);
        expect(forwardBackwardRequestFromJson(forwardBackwardRequestToJson(one))).toEqual(one);
      }),
    );
  });

  it("results of forward_backward", () => {
    fc.assert(
      fc.property(output, (one) => {
        expect(decodeForwardBackwardOutput(encodeForwardBackwardOutput(one))).toEqual(one);
        const json: unknown = JSON.parse(JSON.stringify(forwardBackwardOutputToJson(one)));
        // JSON has no negative zero.
        expect(JSON.stringify(forwardBackwardOutputFromJson(json))).toBe(JSON.stringify(one));
      }),
    );
  });

  it("samples", () => {
    fc.assert(
      fc.property(samples, (one) => {
        expect(decodeSampleResponse(encodeSampleResponse(one))).toEqual(one);
        const json: unknown = JSON.parse(JSON.stringify(sampleResponseToJson(one)));
        expect(JSON.stringify(sampleResponseFromJson(json))).toBe(JSON.stringify(one));
      }),
    );
  });

  it("chunks and compressed bytes", async () => {
    fc.assert(
      fc.property(chunk, (one) => {
        expect(chunkFromJson(chunkToJson(one))).toEqual(one);
      }),
    );
    const bytes = Uint8Array.from({ length: 5000 }, (_, i) => (i * i) % 251);
    expect(await zstdDecompress(await zstdCompress(bytes))).toEqual(bytes);
    expect((await zstdCompress(new Uint8Array(5000))).length).toBeLessThan(100);
  });

  it("numbers of half precision, rounded to even", () => {
    const wide: WireTensor = { dtype: "bfloat16", data: Float32Array.of(1.00390625, -3, 0.1), shape: [3] };
    const { outputs } = decodeForwardBackwardOutput(
      encodeForwardBackwardOutput({ lossFnOutputType: "", outputs: [{ a: wide }], metrics: {} }),
    );
    expect(Array.from(outputs[0]!["a"]!.data)).toEqual([1, -3, 0.10009765625]);
  });
});

describe("damaged answers", () => {
  const whole = fromBase64(recorded("10_fwdbwd_cross_entropy_future").answer.body!);
  const drawn = fromBase64(recorded("29_asample_8_future").answer.body!);

  /** Number of sequences read, or the error's code. */
  const outcome = (read: () => { readonly length: number }): unknown => {
    try {
      return read().length;
    } catch (error) {
      return (error as TinkerError).code;
    }
  };

  it("never decode to another number of sequences unnoticed, wherever they are cut", () => {
    const outcomes = Array.from({ length: whole.length }, (_, length) =>
      outcome(() => decodeForwardBackwardOutput(whole.subarray(0, length)).outputs),
    );
    // A cut between two fields is a whole message of fewer fields; the client counts sequences.
    expect(new Set(outcomes)).toEqual(new Set([0, "protocol"]));
  });

  it("throw nothing but protocol errors, whatever byte is flipped", () => {
    const outcomes = Array.from({ length: Math.floor(drawn.length / 7) }, (_, i) => {
      const broken = drawn.slice();
      broken[7 * i]! ^= 0x5a;
      return outcome(() => decodeSampleResponse(broken).sequences);
    });
    expect(outcomes.filter((one) => one === undefined)).toEqual([]);
    expect(outcomes).toContain("protocol");
  });

  it("are told from answers of another shape", () => {
    expect(() => decodeForwardBackwardOutput(Uint8Array.of(0x0f, 0xff))).toThrow("no ForwardBackwardOutput");
    expect(() => sampleResponseFromJson({ sequences: [{ tokens: ["a"] }] })).toThrow("no result of asample");
    expect(() => forwardBackwardOutputFromJson({})).toThrow("loss_fn_outputs");
  });
});
