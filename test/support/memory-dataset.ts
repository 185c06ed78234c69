/** @file A dataset of samples at hand, for tests of what takes datasets. */
import { NO_PROBLEMS, parseDatasetSpec, type Dataset, type Sample } from "../../src/datasets/index.js";

/** The samples as a dataset; `spec` is made up. */
export function memoryDataset(samples: readonly Sample[], name = "memory"): Dataset {
  return {
    name,
    spec: parseDatasetSpec({ format: "jsonl", annotations: "memory.jsonl" }),
    fingerprint: "0".repeat(64),
    files: [],
    problems: NO_PROBLEMS,
    length: samples.length,
    async *samples() {
      yield* samples;
    },
    at: (index) => Promise.resolve(samples[index]!),
  };
}
