/** @file Forward and backward over a batch of data: images once, texts in microbatches, gradients accumulated. */
import { InputError } from "../../base/errors.js";
import type { RgbImage } from "../../base/rgb-image.js";
import type { Box } from "../../geometry/box.js";
import type { Datum, Loss, LossReport } from "../contract.js";
import { promptLength } from "../prompt-length.js";
import type { Program, TensorData } from "../../tensor/index.js";
import type { GradientAccumulator } from "./accumulator.js";
import { planMicrobatches } from "./buckets.js";
import type { ModelContext } from "./context.js";
import { denseTargets } from "./dense-targets.js";
import { encodeImages, featureTable, feedsFor, type EncodedBatch, type FeatureTable } from "./features.js";
import { distinctPrompts, makeMicrobatch, plannedRow } from "./microbatch.js";
import { isVisionName, type ModelState } from "./model-state.js";
import { lossGraphKind, lossScalars } from "./policy-graph.js";
import { collectImages } from "./sequence.js";
import { layOut, selectResponses, textKey } from "./text-batch.js";
import { compileTraining, FEATURES, gradientName } from "./text-programs.js";
import { visionFeeds, visionKey } from "./vision-batch.js";
import { compileVisionGradient } from "./vision-programs.js";

/** The auxiliary loss of pretraining: boxes to be found in each image, in the model's frame. */
export interface DenseSupervision {
  readonly instances: ReadonlyMap<RgbImage, readonly Box<"model">[]>;
  /** Multiplies the auxiliary loss, which is a mean over the images' cells and boxes. */
  readonly weight: number;
}

/** What a pass reads (model and weights) and adds to (the accumulator). */
export interface TrainerOptions {
  readonly context: ModelContext;
  readonly state: ModelState;
  readonly accumulator: GradientAccumulator;
  /** Padded tokens of a text microbatch. */
  readonly tokenBudget: number;
}

/** What a pass with the auxiliary loss tells besides. */
export interface TrainingReport extends LossReport {
  /** The weighted auxiliary loss. */
  readonly denseLoss?: number;
}

function checkDatum(datum: Datum, loss: Loss, index: number): void {
  const arrays: Record<string, Float32Array | undefined> = { weights: datum.weights };
  if (loss.kind === "policy") {
    arrays.advantages = datum.advantages;
    arrays.oldLogprobs = datum.oldLogprobs;
    if (loss.klBeta !== 0) arrays.referenceLogprobs = datum.referenceLogprobs;
  }
  if (promptLength(datum.prompt) === 0) {
    throw new InputError(
      `forwardBackward: datum ${index} has an empty prompt: nothing predicts its first token`,
    );
  }
  for (const [name, array] of Object.entries(arrays)) {
    if (array?.length !== datum.tokens.length) {
      throw new InputError(
        `forwardBackward: datum ${index} has ${datum.tokens.length} tokens but ${array?.length ?? "no"} ${name}`,
      );
    }
  }
}

/** The gradient of one batch; what it adds to the accumulator waits there for an optimiser step. */
export async function forwardBackward(
  options: TrainerOptions,
  batch: readonly Datum[],
  loss: Loss,
  dense?: DenseSupervision,
): Promise<TrainingReport> {
  const { context, state, accumulator } = options;
  batch.forEach((datum, index) => checkDatum(datum, loss, index));
  const { images } = collectImages(batch.map(({ prompt }) => prompt));
  const encoded = await encodeImages(context, state.weights, images);
  const table = featureTable(encoded, context.config.text.hiddenSize);
  const trainsVision = [...state.trainable].some(isVisionName) || dense !== undefined;
  const report = await textPasses(options, batch, loss, table, trainsVision);
  if (!trainsVision) return report;
  let denseLoss = 0;
  for (const [index, part] of encoded.entries()) {
    denseLoss += await visionPass(options, part, table.gradients[index]!, dense);
  }
  return dense === undefined ? report : { ...report, denseLoss };

  async function visionPass(
    { state: { weights, trainable } }: TrainerOptions,
    { images: shown, batch: packed }: EncodedBatch,
    featureGradient: Float32Array,
    supervision: DenseSupervision | undefined,
  ): Promise<number> {
    const targets =
      supervision &&
      denseTargets(
        shown.map((image, i) => ({
          image,
          rows: packed.featureRows[i]!,
          instances: supervision.instances.get(image) ?? [],
        })),
        {
          features: packed.features,
          cell: context.config.vision.patchSize * context.config.vision.mergeSize,
          scale: (supervision.weight * shown.length) / images.length,
        },
      );
    const key = `vision-gradient/${visionKey(packed)}/${targets ? "dense" : ""}/${context.key}`;
    const program = await context.programs.get(key, () =>
      compileVisionGradient(context, {
        batch: packed,
        trainable,
        ...(targets && { dense: { features: packed.features } }),
      }),
    );
    const out = await program.run(
      feedsFor(program.inputNames, weights, { ...visionFeeds(packed), ...targets, featureGradient }),
      gradientTargets(accumulator, trainable, program),
    );
    addGradients(accumulator, trainable, out);
    return Number(out.denseLoss?.[0] ?? 0);
  }
}

/** Where a program's gradients go: the accumulator's arrays, so that no graph keeps a set of its own. */
function gradientTargets(
  accumulator: GradientAccumulator,
  trainable: ReadonlySet<string>,
  { outputNames }: Program,
): Record<string, Float32Array> {
  const given = new Set(outputNames);
  return Object.fromEntries(
    [...trainable]
      .map((name) => ({ name, output: gradientName(name) }))
      .filter(({ output }) => given.has(output))
      .map(({ name, output }) => [output, accumulator.target(name)]),
  );
}

/** Books the gradients that a program gave; weights that its graph does not touch have none. */
function addGradients(
  accumulator: GradientAccumulator,
  trainable: ReadonlySet<string>,
  out: Readonly<Record<string, TensorData>>,
): void {
  for (const name of trainable) {
    const gradient = out[gradientName(name)];
    if (gradient !== undefined) accumulator.add(name, gradient as Float32Array);
  }
}

/** Below any log-probability that float32 logits and a low temperature give, yet its square is finite. */
const PADDED_REFERENCE = -1e6;

/** All text microbatches; leaves the gradients of the features in the table. */
async function textPasses(
  { context, state, accumulator, tokenBudget }: TrainerOptions,
  batch: readonly Datum[],
  loss: Loss,
  table: FeatureTable,
  featureGradient: boolean,
): Promise<LossReport> {
  const kind = lossGraphKind(loss);
  const temperature = loss.kind === "policy" ? loss.temperature : 1;
  const trainable = new Set([...state.trainable].filter((name) => !isVisionName(name)));
  const results: Float32Array[] = batch.map(() => new Float32Array(0));
  let total = 0;
  for (const plan of planMicrobatches(batch.map(plannedRow), tokenBudget)) {
    const data = plan.map((index) => batch[index]!);
    const micro = makeMicrobatch(context, table, distinctPrompts(data), data);
    const selection = selectResponses(micro.prompts, micro.responses, micro.text);
    const perToken = (of: (datum: Datum) => Float32Array | undefined, padding = 0) =>
      layOut(selection, data.map(of), padding);
    const key = [
      "train",
      textKey(micro.text),
      selection.count,
      JSON.stringify(kind),
      featureGradient,
      context.key,
    ].join("/");
    const program = await context.programs.get(key, () =>
      compileTraining(context, {
        shape: micro.text,
        count: selection.count,
        loss: kind,
        trainable,
        featureGradient,
      }),
    );
    const out = await program.run(
      feedsFor(program.inputNames, state.weights, {
        ...micro.feeds,
        ...lossScalars(loss),
        selected: selection.rows,
        targets: selection.targets,
        inverseTemperature: Float32Array.of(1 / temperature),
        weights: perToken((datum) => datum.weights),
        advantages: perToken((datum) => datum.advantages),
        oldLogprobs: perToken((datum) => datum.oldLogprobs),
        // Padding must not overflow exp(logp_ref - logp), which a weight of zero would make NaN.
        referenceLogprobs: perToken((datum) => datum.referenceLogprobs, PADDED_REFERENCE),
      }),
      gradientTargets(accumulator, trainable, program),
    );
    total += Number(out.loss![0]);
    plan.forEach((index, row) => {
      const from = selection.offsets[row]!;
      results[index] = (out.logprobs as Float32Array).slice(from, selection.offsets[row + 1]!);
    });
    addGradients(accumulator, trainable, out);
    const featureGradients = out[gradientName(FEATURES)];
    if (featureGradients !== undefined) {
      for (const { image, at } of micro.images)
        table.addGradient(image, featureGradients as Float32Array, at);
    }
  }
  return { loss: total, logprobs: results };
}
