/** @file Log-probabilities of given completions. */
import { InputError } from "../../base/errors.js";
import type { ModelContext } from "./context.js";
import { planMicrobatches } from "./buckets.js";
import { encodeImages, featureTable, feedsFor } from "./features.js";
import { promptLength } from "../prompt-length.js";
import { distinctPrompts, makeMicrobatch, plannedRow, type Row } from "./microbatch.js";
import { collectImages } from "./sequence.js";
import { selectResponses, textKey } from "./text-batch.js";
import { compileScore } from "./text-programs.js";

/** Log-probability of each row's tokens at a temperature, under some weights. */
export async function scoreRows(
  context: ModelContext,
  weights: ReadonlyMap<string, Float32Array>,
  rows: readonly Row[],
  options: { readonly temperature: number; readonly tokenBudget: number },
): Promise<Float32Array[]> {
  const empty = rows.findIndex(({ prompt }) => promptLength(prompt) === 0);
  if (empty >= 0) {
    throw new InputError(`logprobs: prompt ${empty} is empty: nothing predicts its first token`);
  }
  const images = collectImages(rows.map(({ prompt }) => prompt)).images;
  const table = featureTable(await encodeImages(context, weights, images), context.config.text.hiddenSize);
  const results: Float32Array[] = rows.map(() => new Float32Array(0));
  for (const plan of planMicrobatches(rows.map(plannedRow), options.tokenBudget)) {
    const own = plan.map((index) => rows[index]!);
    const batch = makeMicrobatch(context, table, distinctPrompts(own), own);
    const selection = selectResponses(batch.prompts, batch.responses, batch.text);
    const key = `score/${textKey(batch.text)}/${selection.count}/${context.key}`;
    const program = await context.programs.get(key, () => compileScore(context, batch.text, selection.count));
    const { logprobs } = await program.run(
      feedsFor(program.inputNames, weights, {
        ...batch.feeds,
        selected: selection.rows,
        targets: selection.targets,
        inverseTemperature: Float32Array.of(1 / options.temperature),
      }),
    );
    plan.forEach((index, row) => {
      const from = selection.offsets[row]!;
      results[index] = (logprobs as Float32Array).slice(from, selection.offsets[row + 1]!);
    });
  }
  return results;
}
