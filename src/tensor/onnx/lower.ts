/** @file From symbolic tensors to the ONNX graph that computes them. */
import { operationsOf } from "../gradient.js";
import { ShapeError } from "../../base/errors.js";
import { formatShape, sizeOf, type Tensor } from "../tensor.js";
import { ELEMENT_TYPE, encodeModel, type OnnxInitializer, type OnnxNode, type OnnxValue } from "./proto.js";

/** A lowered graph, and what it wants to be fed. */
export interface LoweredGraph {
  readonly bytes: Uint8Array;
  readonly inputs: readonly Tensor[];
  readonly nodeCount: number;
}

const bytesOf = (data: { buffer: ArrayBufferLike; byteOffset: number; byteLength: number }) =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/**
 * Lowers everything that `outputs` need.
 *
 * @param bound values of inputs that are fixed for the life of the graph: they become initializers, which ONNX
 *   Runtime packs once for its matrix kernels.
 */
export function lower(
  outputs: Readonly<Record<string, Tensor>>,
  bound: ReadonlyMap<string, Float32Array> = new Map(),
): LoweredGraph {
  const names = new Map<Tensor, string>();
  const nodes: OnnxNode[] = [];
  const initializers: OnnxInitializer[] = [];
  const inputs = new Map<string, Tensor>();
  /** Constants are often rebuilt with the same value (shapes, zeros): one initializer serves them all. */
  const constants = new Map<string, string>();

  const describe = (tensor: Tensor, name: string): OnnxValue => ({
    name,
    elementType: ELEMENT_TYPE[tensor.dtype],
    shape: tensor.shape,
  });

  const leafName = (tensor: Tensor): string => {
    const { source } = tensor;
    if (source.kind === "operation") throw new Error("lower: an operation came after one that needs it");
    if (source.kind === "input") {
      const other = inputs.get(source.name);
      if (other !== undefined && other !== tensor) {
        throw new ShapeError(`lower: two different inputs are named "${source.name}"`);
      }
      if (other === undefined) {
        inputs.set(source.name, tensor);
        const value = bound.get(source.name);
        if (value !== undefined && (tensor.dtype !== "float32" || value.length !== sizeOf(tensor.shape))) {
          throw new ShapeError(
            `lower: "${source.name}" wants ${tensor.dtype} ${formatShape(tensor.shape)}, bound to ${value.length} of float32`,
          );
        }
        if (value !== undefined)
          initializers.push({ ...describe(tensor, source.name), bytes: bytesOf(value) });
      }
      return source.name;
    }
    const bytes = bytesOf(source.data);
    const key =
      bytes.length <= 256
        ? `${tensor.dtype}/${tensor.shape.join(",")}/${Buffer.from(bytes).toString("base64")}`
        : "";
    const known = key === "" ? undefined : constants.get(key);
    if (known !== undefined) return known;
    const name = `c${tensor.id}`;
    initializers.push({ ...describe(tensor, name), bytes });
    if (key !== "") constants.set(key, name);
    return name;
  };

  const nameOf = (tensor: Tensor): string => {
    let name = names.get(tensor);
    if (name === undefined) names.set(tensor, (name = leafName(tensor)));
    return name;
  };

  for (const operation of operationsOf(Object.values(outputs))) {
    const { opType, domain = "", attributes = {}, arity = operation.inputs.length } = operation.node;
    const inputNames = operation.inputs.slice(0, arity).map(nameOf);
    for (const output of operation.outputs) names.set(output, `t${output.id}`);
    nodes.push({ opType, domain, attributes, inputs: inputNames, outputs: operation.outputs.map(nameOf) });
  }
  // Outputs get the caller's names; a copy keeps one tensor usable under several, and lets an input be an output.
  const outputValues = Object.entries(outputs).map(([name, tensor]) => {
    nodes.push({ opType: "Identity", domain: "", attributes: {}, inputs: [nameOf(tensor)], outputs: [name] });
    return describe(tensor, name);
  });
  const free = [...inputs.values()].filter(
    (tensor) => tensor.source.kind === "input" && !bound.has(tensor.source.name),
  );
  const bytes = encodeModel({
    nodes,
    initializers,
    inputs: free.map((tensor) => describe(tensor, nameOf(tensor))),
    outputs: outputValues,
  });
  return { bytes, inputs: free, nodeCount: nodes.length };
}
