/**
 * @file The same graph in operators that ONNX Runtime's WebGPU provider has and gets right. It has no kernel for a few
 * that the CPU runs best; left alone they would go to the CPU one by one, with a copy off the GPU and back around each.
 */
import { operationsOf } from "./gradient.js";
import { add, divide, exp, lessOrEqual, log, multiply, sqrt, subtract, where } from "./ops/elementwise.js";
import { transpose } from "./ops/movement.js";
import { mean, sum } from "./ops/reduce.js";
import { int64s, operation, scalar, singleOutput, sizeOf, type Operation, type Tensor } from "./tensor.js";

/** Builds an operation's outputs anew from these inputs. */
type Rule = (operation: Operation, inputs: readonly Tensor[]) => readonly Tensor[];

function intOf({ node }: Operation, name: string): number {
  const value = node.attributes?.[name];
  return value !== undefined && "int" in value ? value.int : 0;
}

function floatOf({ node }: Operation, name: string): number {
  const value = node.attributes?.[name];
  return value !== undefined && "float" in value ? value.float : 1;
}

/** The last two axes exchanged. */
function turned(x: Tensor): Tensor {
  const last = x.shape.length - 1;
  const axes = x.shape.map((_, axis) => axis);
  return transpose(x, [...axes.slice(0, -2), last, last - 1]);
}

const fusedMatMul: Rule = (operation, [a, b]) => {
  const [out] = operation.outputs;
  const scale = scalar(floatOf(operation, "alpha"));
  // The scale goes to whichever of the three tensors is smallest: attention's scores are by far the largest.
  const sizes = [a!, b!, out!].map(({ shape }) => sizeOf(shape));
  const smallest = floatOf(operation, "alpha") === 1 ? -1 : sizes.indexOf(Math.min(...sizes));
  const scaled = (x: Tensor, index: number) => (index === smallest ? multiply(x, scale) : x);
  const left = intOf(operation, "transA") === 1 ? turned(scaled(a!, 0)) : scaled(a!, 0);
  const right = intOf(operation, "transB") === 1 ? turned(scaled(b!, 1)) : scaled(b!, 1);
  return [scaled(singleOutput("matmul", [left, right], out!.shape, { opType: "MatMul" }), 2)];
};

/** Over the last axis, which is the only one our operators ask for. */
const logSoftmax: Rule = (_, [x]) => {
  const largest = singleOutput("max", [x!, int64s([-1])], x!.shape.with(-1, 1), {
    opType: "ReduceMax",
    attributes: { keepdims: { int: 1 } },
  });
  const shifted = subtract(x!, largest);
  return [subtract(shifted, log(sum(exp(shifted), { axes: [-1], keepDims: true })))];
};

/** The kernel's second output holds the mean, not the inverse root that the operator promises and gradients need. */
const rmsNorm: Rule = (old, [x, weight]) => {
  const y = singleOutput(old.name, [x!, weight!], x!.shape, old.node);
  const square = mean(multiply(x!, x!), { axes: [-1], keepDims: true });
  return [y, divide(scalar(1), sqrt(add(square, scalar(floatOf(old, "epsilon")))))];
};

const sign: Rule = (_, [x]) => {
  const zero = scalar(0);
  const notAbove = where(lessOrEqual(zero, x!), zero, scalar(-1));
  return [where(lessOrEqual(x!, zero), notAbove, scalar(1))];
};

/** What has no WebGPU kernel in ONNX Runtime 1.30, or a faulty one, by operator. */
const RULES: ReadonlyMap<string, Rule> = new Map([
  ["FusedMatMul", fusedMatMul],
  ["LogSoftmax", logSoftmax],
  ["Sign", sign],
  ["SimplifiedLayerNormalization", rmsNorm],
]);

/** `outputs`, computed without the operators that WebGPU lacks. Inputs and constants stay the same tensors. */
export function forWebgpu(outputs: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  const replaced = new Map<Tensor, Tensor>();
  const current = (tensor: Tensor) => replaced.get(tensor) ?? tensor;
  for (const old of operationsOf(Object.values(outputs))) {
    const inputs = old.inputs.slice(0, old.node.arity).map(current);
    const made = RULES.get(old.node.opType)?.(old, inputs) ?? copy(old, inputs);
    old.outputs.forEach((output, index) => replaced.set(output, made[index]!));
  }
  return Object.fromEntries(Object.entries(outputs).map(([name, tensor]) => [name, current(tensor)]));
}

/** The operation on other inputs; what only carried its gradient is gone. */
function copy({ name, node, outputs }: Operation, inputs: readonly Tensor[]): readonly Tensor[] {
  const { arity: _, ...call } = node;
  return operation({ name, inputs, outputs, node: call });
}
