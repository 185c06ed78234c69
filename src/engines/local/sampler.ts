/** @file A frozen snapshot of weights that samples and scores. */
import { createRng, deriveSeed } from "../../base/rng.js";
import { InputError } from "../../base/errors.js";
import type { Prompt, Rollout, Sampler, SamplingParams } from "../contract.js";
import { planMicrobatches, roundUp, rowBucket } from "./buckets.js";
import type { ModelContext } from "./context.js";
import {
  createCache,
  createRow,
  decodeRows,
  finishRow,
  takeToken,
  type DecodeContext,
  type DecodingRow,
} from "./decoder.js";
import { encodeImages, featureTable, feedsFor } from "./features.js";
import { promptLength } from "../prompt-length.js";
import { makeMicrobatch } from "./microbatch.js";
import { createProgramCache } from "./program-cache.js";
import { scoreRows } from "./scoring.js";
import { collectImages } from "./sequence.js";
import { textKey } from "./text-batch.js";
import { compilePrefill } from "./text-programs.js";

/** What a sampler over one snapshot of weights is made of. */
export interface LocalSamplerOptions {
  readonly context: ModelContext;
  /** Weights by canonical name, adapters merged; the caller no longer changes them. */
  readonly weights: ReadonlyMap<string, Float32Array>;
  /** Ids never drawn: image and vision tokens, and ids the tokenizer does not know. */
  readonly banned: ReadonlySet<number>;
  readonly pieceOf: (id: number) => string;
  /** Padded tokens of a text microbatch. */
  readonly tokenBudget: number;
  /** Rows decoded together at most. @default 64 */
  readonly maxRows?: number;
  /** Told how many graphs were built, when the sampler closes. */
  readonly onClose?: (graphsBuilt: number) => void;
}

function checkParams(
  prompt: Prompt,
  { n, maxTokens, temperature, topP = 1, topK = 0 }: SamplingParams,
): void {
  if (promptLength(prompt) === 0) throw new InputError("sample: the prompt is empty");
  const rules: [string, number, boolean][] = [
    ["n", n, Number.isInteger(n) && n >= 0],
    ["maxTokens", maxTokens, Number.isInteger(maxTokens) && maxTokens >= 1],
    ["temperature", temperature, Number.isFinite(temperature) && temperature >= 0],
    ["topP", topP, topP > 0 && topP <= 1],
    ["topK", topK, Number.isInteger(topK) && topK >= 0],
  ];
  const broken = rules.find(([, , holds]) => !holds);
  if (broken !== undefined) throw new InputError(`sample: ${broken[0]} cannot be ${broken[1]}`);
}

/** A prompt's state after it was read: its cache rows are copied for each of its responses. */
interface PrefilledPrompt {
  readonly length: number;
  readonly ropeDelta: number;
  readonly logits: Float32Array;
  /** For each layer, [kvHeads, length, headDim]. */
  readonly layers: readonly { readonly key: Float32Array; readonly value: Float32Array }[];
}

/** Creates a sampler over a snapshot. */
export function createLocalSampler(options: LocalSamplerOptions): Sampler {
  const { context, weights, tokenBudget, maxRows = 64 } = options;
  const { layers, kvHeads, headDim, vocabSize } = context.config.text;
  const programs = createProgramCache(8);
  const decode: DecodeContext = { ...options, programs, scratch: new Float64Array(vocabSize) };

  async function prefill(prompts: readonly Prompt[]): Promise<PrefilledPrompt[]> {
    const table = featureTable(
      await encodeImages(context, weights, collectImages(prompts).images),
      context.config.text.hiddenSize,
    );
    const results: PrefilledPrompt[] = [];
    const planned = prompts.map((prompt) => ({ prompt, promptLength: promptLength(prompt), length: 0 }));
    for (const plan of planMicrobatches(planned, tokenBudget)) {
      const own = plan.map((index) => prompts[index]!);
      const { prompts: sequences, text, feeds } = makeMicrobatch(context, table, own, []);
      const selected = new Int32Array(text.prompts);
      sequences.forEach(({ ids }, row) => (selected[row] = row * text.promptLength + ids.length - 1));
      const program = await context.programs.get(`prefill/${textKey(text)}/${context.key}`, () =>
        compilePrefill(context, text),
      );
      const out = await program.run(feedsFor(program.inputNames, weights, { ...feeds, selected }));
      plan.forEach((index, row) => {
        const { ids, ropeDelta } = sequences[row]!;
        const take = (name: string) => {
          const all = out[name] as Float32Array;
          const own = new Float32Array(kvHeads * ids.length * headDim);
          for (let head = 0; head < kvHeads; head++) {
            const from = (row * kvHeads + head) * text.promptLength * headDim;
            own.set(all.subarray(from, from + ids.length * headDim), head * ids.length * headDim);
          }
          return own;
        };
        results[index] = {
          length: ids.length,
          ropeDelta,
          logits: (out.logits as Float32Array).slice(row * vocabSize, (row + 1) * vocabSize),
          layers: Array.from({ length: layers }, (_, i) => ({
            key: take(`key_${i}`),
            value: take(`value_${i}`),
          })),
        };
      });
    }
    return results;
  }

  /** Decodes some responses whose prompts have been read. */
  async function decodeTogether(
    jobs: readonly { prompt: PrefilledPrompt; row: DecodingRow }[],
  ): Promise<void> {
    const capacity = roundUp(
      Math.max(...jobs.map(({ prompt, row }) => prompt.length + row.params.maxTokens)),
      64,
    );
    const cache = createCache(context, rowBucket(jobs.length), capacity);
    jobs.forEach(({ prompt }, slot) => {
      cache.layers.forEach((target, layer) => {
        const source = prompt.layers[layer]!;
        const width = prompt.length * headDim;
        for (let head = 0; head < kvHeads; head++) {
          const at = slot * cache.stride + head * capacity * headDim;
          target.key.set(source.key.subarray(head * width, (head + 1) * width), at);
          target.value.set(source.value.subarray(head * width, (head + 1) * width), at);
        }
      });
    });
    for (const { prompt, row } of jobs) takeToken(decode, row, prompt.logits, 0);
    await decodeRows(
      decode,
      jobs.map(({ row }) => row),
      cache,
    );
  }

  async function sampleBatch(
    prompts: readonly Prompt[],
    params: readonly SamplingParams[],
  ): Promise<Rollout[][]> {
    if (prompts.length !== params.length) {
      throw new InputError(`sampleBatch: ${prompts.length} prompts but ${params.length} sampling parameters`);
    }
    prompts.forEach((prompt, i) => {
      checkParams(prompt, params[i]!);
      const longest = promptLength(prompt) + params[i]!.maxTokens;
      if (longest > context.config.text.maxPositions) {
        throw new InputError(
          `a prompt and its response may take ${longest} tokens, the model has room for ${context.config.text.maxPositions}`,
          { hint: "Lower maxTokens, or the pixel budget of images." },
        );
      }
    });
    const prefilled = await prefill(prompts);
    const groups = params.map((each, index) => {
      const { length, ropeDelta } = prefilled[index]!;
      return Array.from({ length: each.n }, (_, i) =>
        createRow(each, createRng(deriveSeed(each.seed, i)), length, ropeDelta, i),
      );
    });
    const jobs = groups.flatMap((rows, index) => rows.map((row) => ({ prompt: prefilled[index]!, row })));
    for (let start = 0; start < jobs.length; start += maxRows) {
      await decodeTogether(jobs.slice(start, start + maxRows));
    }
    return groups.map((rows) => rows.map(finishRow));
  }

  const logprobsBatch: Sampler["logprobsBatch"] = (items, temperature = 1) =>
    scoreRows(context, weights, items, { temperature, tokenBudget });

  return {
    sampleBatch,
    sample: async (prompt, params) => (await sampleBatch([prompt], [params]))[0]!,
    logprobsBatch,
    logprobs: async (prompt, tokens, temperature) =>
      (await logprobsBatch([{ prompt, tokens }], temperature))[0]!,
    async close() {
      options.onClose?.(programs.built);
      await programs.close();
    },
  };
}
