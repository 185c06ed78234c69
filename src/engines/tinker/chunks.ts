/** @file Large batches cut into requests that servers take, and the parts' results put together again. */
import type { ForwardBackwardOutput, ModelInputChunk, WireDatum } from "./wire/index.js";

/** Sequences of one request at most, as the Python SDK sends them. */
export const MAX_DATUMS = 1024;
/** Bytes of one request, about, at most. */
export const MAX_BYTES = 5_000_000;

function chunkBytes(chunk: ModelInputChunk): number {
  return chunk.type === "encoded_text" ? 4 * chunk.tokens.length : chunk.data.length;
}

/** About how many bytes a sequence takes in protobuf. */
export function datumBytes({ modelInput, lossFnInputs }: WireDatum): number {
  const inputs = modelInput.reduce((sum, chunk) => sum + chunkBytes(chunk) + 16, 0);
  return Object.entries(lossFnInputs).reduce(
    (sum, [name, { data, dtype }]) => sum + name.length + 24 + data.length * (dtype === "int64" ? 8 : 4),
    inputs,
  );
}

/** Consecutive parts within the limits; a sequence larger than a whole request is a part of its own. */
export function chunkDatums(
  data: readonly WireDatum[],
  { maxDatums = MAX_DATUMS, maxBytes = MAX_BYTES }: { maxDatums?: number; maxBytes?: number } = {},
): WireDatum[][] {
  const parts: WireDatum[][] = [];
  let bytes = 0;
  for (const datum of data) {
    const size = datumBytes(datum);
    const last = parts.at(-1);
    if (last === undefined || last.length >= maxDatums || bytes + size > maxBytes) {
      parts.push([datum]);
      bytes = size;
    } else {
      last.push(datum);
      bytes += size;
    }
  }
  return parts;
}

const REDUCTIONS: Readonly<Record<string, (values: readonly number[], counts: readonly number[]) => number>> =
  {
    sum: (values) => values.reduce((a, b) => a + b, 0),
    min: (values) => Math.min(...values),
    max: (values) => Math.max(...values),
    last: (values) => values.at(-1)!,
    mean: (values, counts) =>
      values.reduce((sum, value, i) => sum + value * counts[i]!, 0) / counts.reduce((a, b) => a + b, 0),
  };

/**
 * Metrics of the parts as those of the whole: by the suffix of their name (`:mean` weighs by sequences, `:sum`, `:min`,
 * `:max`, `:last`); the mean where there is none.
 */
export function mergeMetrics(
  parts: readonly { readonly metrics: Readonly<Record<string, number>>; readonly count: number }[],
): Record<string, number> {
  const names = [...new Set(parts.flatMap(({ metrics }) => Object.keys(metrics)))];
  return Object.fromEntries(
    names.map((name) => {
      const having = parts.filter(({ metrics }) => metrics[name] !== undefined);
      const reduce = REDUCTIONS[name.slice(name.lastIndexOf(":") + 1)] ?? REDUCTIONS["mean"]!;
      return [
        name,
        reduce(
          having.map(({ metrics }) => metrics[name]!),
          having.map(({ count }) => count),
        ),
      ];
    }),
  );
}

/** The parts' results as one. */
export function mergeOutputs(parts: readonly ForwardBackwardOutput[]): ForwardBackwardOutput {
  return {
    lossFnOutputType: parts[0]?.lossFnOutputType ?? "",
    outputs: parts.flatMap(({ outputs }) => outputs),
    metrics: mergeMetrics(parts.map(({ metrics, outputs }) => ({ metrics, count: outputs.length }))),
  };
}
