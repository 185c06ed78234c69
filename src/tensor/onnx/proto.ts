/** @file The part of ONNX's wire format that we write (onnx.proto3, IR version 10), encoded by protobufjs. */
import protobuf from "protobufjs";

const SCHEMA = `
syntax = "proto3";
package onnx;
message AttributeProto {
  string name = 1; float f = 2; int64 i = 3; bytes s = 4; TensorProto t = 5;
  repeated float floats = 7; repeated int64 ints = 8; int32 type = 20;
}
message NodeProto {
  repeated string input = 1; repeated string output = 2; string name = 3; string op_type = 4;
  repeated AttributeProto attribute = 5; string domain = 7;
}
message TensorProto { repeated int64 dims = 1; int32 data_type = 2; string name = 8; bytes raw_data = 9; }
message Dimension { int64 dim_value = 1; }
message TensorShapeProto { repeated Dimension dim = 1; }
message TensorTypeProto { int32 elem_type = 1; TensorShapeProto shape = 2; }
message TypeProto { TensorTypeProto tensor_type = 1; }
message ValueInfoProto { string name = 1; TypeProto type = 2; }
message GraphProto {
  repeated NodeProto node = 1; string name = 2; repeated TensorProto initializer = 5;
  repeated ValueInfoProto input = 11; repeated ValueInfoProto output = 12;
}
message OperatorSetIdProto { string domain = 1; int64 version = 2; }
message ModelProto {
  int64 ir_version = 1; string producer_name = 2; GraphProto graph = 7; repeated OperatorSetIdProto opset_import = 8;
}`;

const modelType = protobuf.parse(SCHEMA, { keepCase: true }).root.lookupType("onnx.ModelProto");

/** TensorProto.DataType of each element type we use. */
export const ELEMENT_TYPE = { float32: 1, int32: 6, int64: 7, bool: 9 } as const;

/** Attribute values as a graph builder writes them; integers and floats are told apart by the wrapper. */
export type Attribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly ints: readonly number[] }
  | { readonly string: string };

/** One node of a graph: an operator with the names of the values it reads and writes. */
export interface OnnxNode {
  readonly opType: string;
  /** "" for ai.onnx, "com.microsoft" for ONNX Runtime's own. */
  readonly domain: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** A graph's input or output: its name, its {@link ELEMENT_TYPE} and its sizes; rank 0 is a number. */
export interface OnnxValue {
  readonly name: string;
  readonly elementType: number;
  readonly shape: readonly number[];
}

/** A value stored in the model: its elements in row-major order, little-endian. */
export interface OnnxInitializer extends OnnxValue {
  readonly bytes: Uint8Array;
}

/** A graph to be encoded: nodes after the nodes they read from, names unique among all values. */
export interface OnnxGraph {
  readonly nodes: readonly OnnxNode[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  readonly initializers: readonly OnnxInitializer[];
}

function attribute(name: string, value: Attribute) {
  if ("int" in value) return { name, i: value.int, type: 2 };
  if ("float" in value) return { name, f: value.float, type: 1 };
  if ("ints" in value) return { name, ints: value.ints, type: 7 };
  return { name, s: new TextEncoder().encode(value.string), type: 3 };
}

function valueInfo(value: OnnxValue) {
  const dim = value.shape.map((size) => ({ dim_value: size }));
  return { name: value.name, type: { tensor_type: { elem_type: value.elementType, shape: { dim } } } };
}

/** The bytes of a model with this graph, ready for an inference session. */
export function encodeModel(graph: OnnxGraph): Uint8Array {
  const message = {
    ir_version: 10,
    producer_name: "dip-r1",
    opset_import: [
      { domain: "", version: 21 },
      { domain: "com.microsoft", version: 1 },
    ],
    graph: {
      name: "g",
      node: graph.nodes.map((node, index) => ({
        name: `${node.opType}_${index}`,
        op_type: node.opType,
        domain: node.domain,
        input: node.inputs,
        output: node.outputs,
        attribute: Object.entries(node.attributes).map(([name, value]) => attribute(name, value)),
      })),
      input: graph.inputs.map(valueInfo),
      output: graph.outputs.map(valueInfo),
      initializer: graph.initializers.map((tensor) => ({
        name: tensor.name,
        dims: tensor.shape,
        data_type: tensor.elementType,
        raw_data: tensor.bytes,
      })),
    },
  };
  return modelType.encode(message).finish();
}
