/** @file The parts that a run works with, whatever engine computes: engine, text, samples, and where its numbers come from. */
import type { DatasetFile, ProblemReport, Sample } from "../datasets/index.js";
import type { Engine } from "../engines/contract.js";
import type { CoordinateProfile } from "../geometry/profiles.js";
import type { BenchmarkTruth } from "../metrics/index.js";
import type { BatchSource, EncodedSample, GrpoConfig, SampleEncoder, TextCodec } from "../rl/index.js";

/** What every part of a run needs to know of a sample. */
export type RunSample = Pick<Sample, "id" | "width" | "height">;

/** A set to judge on. */
export interface EvaluationSet<S extends RunSample> {
  readonly name: string;
  readonly domain: "in" | "out";
  /** In a fixed order; may be read again and again. */
  samples(): AsyncIterable<S>;
  readonly length: number;
  /** The data behind it, for result records. */
  readonly data?: DatasetFacts;
  /** The benchmark's own ground truth of an image, where the data is a benchmark's. */
  readonly benchmark?: (id: string) => BenchmarkTruth | undefined;
}

/** What a result says of the data that it was had on. */
export interface DatasetFacts {
  readonly fingerprint: string;
  /** The annotation files, each with its own sha256. */
  readonly files: readonly DatasetFile[];
  /** What of them was left out or noted. */
  readonly problems: ProblemReport;
}

/** Where a run's numbers come from, for its manifest. */
export interface Provenance {
  /** Fingerprint of each dataset, by its place in the recipe. */
  readonly data: Readonly<Record<string, string>>;
  readonly model: string;
  readonly code: { readonly version: string; readonly sha256: string };
  readonly versions: Readonly<Record<string, string>>;
}

/** Everything a run works with. */
export interface RunParts<S extends RunSample = Sample> {
  readonly engine: Engine;
  readonly codec: TextCodec;
  readonly encode: SampleEncoder<S>;
  /** Teacher text, for SFT. */
  readonly teach: (sample: S, encoded: EncodedSample) => string;
  readonly source: BatchSource<S>;
  readonly sets: readonly EvaluationSet<S>[];
  /** Which numbers the model speaks. @default "absolute" */
  readonly profile?: CoordinateProfile;
  readonly provenance: Provenance;
  /** What of the data was left out or is odd, for the log. */
  readonly warnings?: readonly string[];
  /** Writes the weights of now as a Hugging Face folder, where the engine can. */
  readonly exportModel?: (path: string) => Promise<void>;
  /** Writes what the model is trained to be asked (dip-r1.json) beside weights that the engine saved, where they are a model folder. */
  readonly saveTask?: (path: string) => Promise<void>;
  /** A recipe's choices as the engine can have them; `warnings` say what differs. */
  readonly fitGrpo?: <C extends Pick<GrpoConfig, "kl">>(config: C) => C;
  /** A word on the engine at the end of a run, for the log (how many graphs it built). */
  readonly summary?: () => string;
}

/** A recipe's data, opened. */
export interface OpenedData {
  readonly source: (seed: number) => BatchSource<Sample>;
  readonly sets: readonly EvaluationSet<Sample>[];
  /** By place in the recipe. */
  readonly fingerprints: Readonly<Record<string, string>>;
  readonly warnings: readonly string[];
}
