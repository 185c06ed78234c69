import protobuf from "protobufjs";
import { describe, expect, it } from "vitest";
import { add, constant, input, int64s, multiply, reshape, scalar, sum, zeros } from "../index.js";
import { lower } from "./lower.js";

/** Reads back, by field numbers of onnx.proto3 of its own, what the tests ask about. */
const graphType = protobuf
  .parse(
    `syntax = "proto3";
    message Tensor { repeated int64 dims = 1; int32 data_type = 2; string name = 8; bytes raw_data = 9; }
    message Value { string name = 1; }
    message Node { repeated string input = 1; repeated string output = 2; string op_type = 4; string domain = 7; }
    message Graph { repeated Node node = 1; repeated Tensor initializer = 5; repeated Value input = 11; repeated Value output = 12; }
    message Model { int64 ir_version = 1; Graph graph = 7; }`,
    { keepCase: true },
  )
  .root.lookupType("Model");

interface ReadModel {
  readonly graph: {
    readonly node: readonly {
      readonly input: string[];
      readonly output: string[];
      readonly op_type: string;
    }[];
    readonly initializer: readonly {
      readonly name: string;
      readonly raw_data: Uint8Array;
      readonly data_type: number;
    }[];
    readonly input: readonly { readonly name: string }[];
    readonly output: readonly { readonly name: string }[];
  };
}

function read(...of: Parameters<typeof lower>) {
  const lowered = lower(...of);
  const { graph } = graphType.decode(lowered.bytes) as unknown as ReadModel;
  return { ...lowered, graph };
}

const x = input("x", [2]);

describe("lower", () => {
  it("writes a small constant once, however often it was made", () => {
    const y = add(add(add(x, scalar(3)), scalar(3)), zeros([2]));
    const again = add(y, zeros([2]));
    const { graph } = read({ y: again });
    // 3, the 0 of both zeros, and their shape.
    expect(graph.initializer).toHaveLength(3);
  });

  it("tells constants of the same bytes and other shape or type apart", () => {
    const one = constant(Float32Array.of(1), []);
    const ones = constant(Float32Array.of(1), [1]);
    const bits = constant(new Int32Array(Float32Array.of(1).buffer), [1]);
    const { graph } = read({ a: add(one, ones), b: bits });
    expect(graph.initializer.map(({ data_type }) => data_type).toSorted()).toEqual([1, 1, 6]);
  });

  it("keeps large constants apart rather than comparing them", () => {
    const large = () => constant(new Float32Array(1000), [1000]);
    expect(read({ y: add(large(), large()) }).graph.initializer).toHaveLength(2);
    const shared = large();
    expect(read({ y: add(shared, shared) }).graph.initializer).toHaveLength(1);
  });

  it("computes shared expressions once, and nothing that no output needs", () => {
    const shared = multiply(x, x);
    const { graph, nodeCount } = read({ y: add(shared, shared) });
    sum(shared);
    expect(graph.node.map(({ op_type }) => op_type)).toEqual(["Mul", "Add", "Identity"]);
    expect(nodeCount).toBe(3);
  });

  it("puts every node after those it takes from", () => {
    const a = multiply(x, x);
    const { graph } = read({ last: sum(add(a, reshape(reshape(a, [1, 2]), [2]))) });
    const known = new Set([...graph.input, ...graph.initializer].map(({ name }) => name));
    for (const node of graph.node) {
      expect(node.input.filter((name) => !known.has(name))).toEqual([]);
      node.output.forEach((name) => known.add(name));
    }
    expect(known.has("last")).toBe(true);
  });

  it("turns bound inputs into initializers with the caller's bytes", () => {
    const { graph, inputs } = read(
      { y: multiply(x, input("w", [2])) },
      new Map([["w", Float32Array.of(5, 6)]]),
    );
    expect(inputs).toEqual([x]);
    expect(graph.input.map(({ name }) => name)).toEqual(["x"]);
    const { raw_data } = graph.initializer.find(({ name }) => name === "w")!;
    expect([...new Float32Array(Uint8Array.from(raw_data).buffer)]).toEqual([5, 6]);
  });

  it("refuses bound values of another size or type, and two inputs of one name", () => {
    const w = input("w", [2]);
    expect(() => lower({ w }, new Map([["w", Float32Array.of(1)]]))).toThrow(
      'lower: "w" wants float32 [2], bound to 1 of float32',
    );
    expect(() => lower({ n: input("n", [1], "int32") }, new Map([["n", Float32Array.of(1)]]))).toThrow(
      "int32 [1]",
    );
    expect(() => lower({ y: add(w, input("w", [2])) })).toThrow('two different inputs are named "w"');
  });

  it("writes integers as 64 bits where ONNX wants them", () => {
    const { graph } = read({ y: int64s([1, -2]) });
    expect(graph.initializer[0]!.data_type).toBe(7);
    expect([...new BigInt64Array(Uint8Array.from(graph.initializer[0]!.raw_data).buffer)]).toEqual([1n, -2n]);
  });
});
