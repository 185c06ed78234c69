/** @file The part of the API's protobuf messages that we write and read (fields as of version 0.38; all later ones so far only add). */
import protobuf from "protobufjs";

const SCHEMA = `
syntax = "proto3";
package tinker_public;
enum StopReason { STOP_REASON_STOP = 0; STOP_REASON_LENGTH = 1; }
enum DType { DTYPE_UNSPECIFIED = 0; DTYPE_FLOAT32 = 1; DTYPE_INT64 = 2; DTYPE_INT32 = 3; DTYPE_BFLOAT16 = 4; }
message SampledSequence { StopReason stop_reason = 1; bytes tokens = 2; optional bytes logprobs = 3; }
message SampleResponse { repeated SampledSequence sequences = 1; optional bytes prompt_logprobs = 2; }
message Tensor { bytes dense = 1; DType dtype = 3; repeated int64 shape = 4; }
message BatchedTensor { bytes data = 1; bytes offsets = 2; DType dtype = 3; repeated int64 trailing_shape = 4; }
message ArrayRecord { string type_tag = 1; map<string, BatchedTensor> fields = 2; int64 num_datums = 3; }
message ForwardBackwardOutput {
  string loss_fn_output_type = 1; repeated ArrayRecord loss_fn_outputs = 2; map<string, double> metrics = 3;
}
message EncodedTextChunk { bytes tokens = 1; }
message ImageChunk { bytes data = 1; string format = 2; optional int32 expected_tokens = 3; }
message Chunk { oneof chunk { EncodedTextChunk encoded_text = 1; ImageChunk image = 2; } }
message Datum { repeated Chunk model_input = 1; map<string, Tensor> loss_fn_inputs = 2; }
message LossConfigValue { oneof value { double number = 1; string text = 2; } }
message ForwardBackwardRequest {
  string model_id = 1; int32 seq_id = 2; repeated Datum data = 3; string loss_fn = 4;
  map<string, double> loss_fn_config = 5; bool forward_only = 6; map<string, LossConfigValue> loss_fn_config_v2 = 7;
}`;

const { root } = protobuf.parse(SCHEMA, { keepCase: true });

/** Messages by name. */
export const messages = {
  forwardBackwardRequest: root.lookupType("tinker_public.ForwardBackwardRequest"),
  forwardBackwardOutput: root.lookupType("tinker_public.ForwardBackwardOutput"),
  sampleResponse: root.lookupType("tinker_public.SampleResponse"),
};

/** DType by our names. */
export const DTYPE = { float32: 1, int64: 2, int32: 3, bfloat16: 4 } as const;

/** StopReason by our names. */
export const STOP_REASON = { stop: 0, length: 1 } as const;
