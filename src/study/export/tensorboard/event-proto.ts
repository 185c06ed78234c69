/**
 * @file The part of TensorBoard's messages that we write (tensorboard/compat/proto: event, summary, tensor;
 * plugins/hparams: plugin_data; Google's struct), encoded by protobufjs.
 */
import protobuf from "protobufjs";

const SCHEMA = `
syntax = "proto3";
package tensorboard;
message TensorShape { message Dim { int64 size = 1; } repeated Dim dim = 2; }
message Tensor { int32 dtype = 1; TensorShape tensor_shape = 2; repeated bytes string_val = 8; }
message PluginData { string plugin_name = 1; bytes content = 2; }
message SummaryMetadata { PluginData plugin_data = 1; string display_name = 2; string summary_description = 3; int32 data_class = 4; }
message Image { int32 height = 1; int32 width = 2; int32 colorspace = 3; bytes encoded_image_string = 4; }
message Value {
  string tag = 1; SummaryMetadata metadata = 9;
  oneof value { float simple_value = 2; Image image = 4; Tensor tensor = 8; }
}
message Summary { repeated Value value = 1; }
message Event { double wall_time = 1; int64 step = 2; oneof what { string file_version = 3; Summary summary = 5; } }
message HParamValue { oneof kind { double number_value = 2; string string_value = 3; bool bool_value = 4; } }
message SessionStartInfo { map<string, HParamValue> hparams = 1; string group_name = 4; double start_time_secs = 5; }
message SessionEndInfo { int32 status = 1; double end_time_secs = 2; }
message HParamsPluginData {
  int32 version = 1;
  oneof data { SessionStartInfo session_start_info = 3; SessionEndInfo session_end_info = 4; }
}`;

const { root } = protobuf.parse(SCHEMA, { keepCase: true });
const eventType = root.lookupType("tensorboard.Event");
const hparamsType = root.lookupType("tensorboard.HParamsPluginData");

/** DataType of tensorboard/compat/proto/types.proto. */
const DT_FLOAT = 1;
const DT_STRING = 7;
/** DataClass of summary.proto: small tensors kept whole. */
const DATA_CLASS_TENSOR = 2;
/** `Summary.Image.colorspace`: RGBA, which the canvas writes. */
const RGBA = 4;

/** A value of a summary: its tag and what it shows. */
export type SummaryValue = { readonly tag: string } & (
  | { readonly scalar: number }
  /** Markdown. */
  | { readonly text: string }
  | { readonly png: Uint8Array; readonly width: number; readonly height: number }
  /** Of the hparams plugin. */
  | { readonly hparams: Uint8Array }
);

/** One event. */
export interface TensorBoardEvent {
  /** Seconds since 1970. */
  readonly time: number;
  readonly step: number;
  readonly values: readonly SummaryValue[];
}

const plugin = (plugin_name: string, content: Uint8Array = new Uint8Array()) => ({
  plugin_data: { plugin_name, content },
  data_class: DATA_CLASS_TENSOR,
});

function valueMessage(value: SummaryValue): object {
  const { tag } = value;
  if ("scalar" in value) return { tag, simple_value: value.scalar };
  if ("png" in value) {
    const { png, width, height } = value;
    return { tag, image: { height, width, colorspace: RGBA, encoded_image_string: png } };
  }
  if ("text" in value) {
    const tensor = {
      dtype: DT_STRING,
      tensor_shape: { dim: [{ size: 1 }] },
      string_val: [new TextEncoder().encode(value.text)],
    };
    return { tag, metadata: plugin("text"), tensor };
  }
  // Everything is in the metadata; readers still expect a tensor, an empty one.
  const tensor = { dtype: DT_FLOAT, tensor_shape: { dim: [{ size: 0 }] } };
  return { tag, metadata: plugin("hparams", value.hparams), tensor };
}

/** An event as bytes. */
export function encodeEvent({ time, step, values }: TensorBoardEvent): Uint8Array {
  const summary = { value: values.map(valueMessage) };
  return eventType.encode(eventType.create({ wall_time: time, step, summary })).finish();
}

/** The event that every file begins with. */
export function encodeFileVersion(time: number): Uint8Array {
  return eventType.encode(eventType.create({ wall_time: time, file_version: "brain.Event:2" })).finish();
}

/** Settings of a run, for the tag `_hparams_/session_start_info`. @param started seconds since 1970 */
export function encodeSessionStart(
  params: Readonly<Record<string, string | number | boolean>>,
  started: number,
): Uint8Array {
  const hparams = Object.fromEntries(
    Object.entries(params).map(([name, value]) => [
      name,
      typeof value === "number"
        ? { number_value: value }
        : typeof value === "boolean"
          ? { bool_value: value }
          : { string_value: value },
    ]),
  );
  const session_start_info = { hparams, start_time_secs: started };
  return hparamsType.encode(hparamsType.create({ version: 0, session_start_info })).finish();
}

/** How a session ended: `Status` of plugins/hparams/api.proto. */
export const SESSION_STATUS = { success: 1, failure: 2, running: 3 } as const;

/** For the tag `_hparams_/session_end_info`. @param ended seconds since 1970 */
export function encodeSessionEnd(status: keyof typeof SESSION_STATUS, ended: number): Uint8Array {
  const session_end_info = { status: SESSION_STATUS[status], end_time_secs: ended };
  return hparamsType.encode(hparamsType.create({ version: 0, session_end_info })).finish();
}
