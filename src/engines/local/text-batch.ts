/** @file Prompts and responses brought to one list of tokens, and the places of it that are scored. */
import type { QwenConfig } from "../../qwen/config.js";
import { textRopeTables } from "../../qwen/rope-tables.js";
import { additiveKeyMask } from "../../tensor/index.js";
import { paddedLength, roundUp, rowBucket } from "./buckets.js";
import type { PromptRow } from "./sequence.js";

/** A response and the prompt it goes on from. */
export interface ResponseRow {
  /** Index into the batch's prompts. */
  readonly prompt: number;
  readonly tokens: Int32Array;
}

/** What decides the form of a text graph; see {@link TextInputs} of qwen/language-model.ts. */
export interface TextShape {
  readonly prompts: number;
  readonly promptLength: number;
  readonly responses: number;
  readonly responseLength: number;
  /** Whether prompts differ in length, so that their padding must be masked. */
  readonly maskPrompts: boolean;
  /** Rows in the buffer of visual features; 0 where there are no images. */
  readonly features: number;
}

/** Everything the decoder is fed. */
export interface TextBatch extends TextShape {
  readonly feeds: {
    readonly ids: Int32Array;
    readonly cos: Float32Array;
    readonly sin: Float32Array;
    readonly promptOf?: Int32Array;
    readonly promptMask?: Float32Array;
    readonly visualIndex?: Int32Array;
    readonly isImage?: Float32Array;
  };
}

/** Rows of the flat token list. */
export function textRows({ prompts, promptLength, responses, responseLength }: TextShape): number {
  return prompts * promptLength + responses * responseLength;
}

/** A text graph's form, for cache keys. */
export function textKey(shape: TextShape): string {
  const { prompts, promptLength, responses, responseLength, maskPrompts, features } = shape;
  return `${prompts}x${promptLength}${maskPrompts ? "m" : ""}+${responses}x${responseLength}/${features}`;
}

/** Packs prompts, and responses that go on from them, into a batch. */
export function packText(
  prompts: readonly PromptRow[],
  responses: readonly ResponseRow[],
  config: QwenConfig,
  features: number,
): TextBatch {
  const lengths = prompts.map(({ ids }) => ids.length);
  const longest = Math.max(...lengths);
  const maskPrompts = lengths.some((length) => length !== longest);
  const shape: TextShape = {
    prompts: rowBucket(prompts.length),
    promptLength: maskPrompts ? paddedLength(longest) : longest,
    responses: responses.length === 0 ? 0 : rowBucket(responses.length),
    responseLength:
      responses.length === 0
        ? 0
        : paddedLength(Math.max(...responses.map(({ tokens }) => tokens.length - 1))),
    maskPrompts,
    features,
  };
  const { promptLength, responseLength } = shape;
  const rows = textRows(shape);
  const ids = new Int32Array(rows);
  const positions = new Int32Array(3 * rows);
  const visualIndex = new Int32Array(features > 0 ? rows : 0);
  const isImage = new Float32Array(features > 0 ? rows : 0);
  prompts.forEach((prompt, p) => {
    const start = p * promptLength;
    const length = prompt.ids.length;
    ids.set(prompt.ids, start);
    for (let axis = 0; axis < 3; axis++) {
      positions.set(prompt.positions.subarray(axis * length, (axis + 1) * length), axis * rows + start);
    }
    prompt.featureRows.forEach((feature, i) => {
      if (feature < 0) return;
      visualIndex[start + i] = feature;
      isImage[start + i] = 1;
    });
  });
  responses.forEach(({ prompt, tokens }, r) => {
    const start = shape.prompts * promptLength + r * responseLength;
    const { ids: before, ropeDelta } = prompts[prompt]!;
    // The last token predicts nothing that is scored: it need not be computed.
    for (let j = 0; j < tokens.length - 1; j++) {
      ids[start + j] = tokens[j]!;
      for (let axis = 0; axis < 3; axis++) positions[axis * rows + start + j] = before.length + j + ropeDelta;
    }
  });
  return {
    ...shape,
    feeds: {
      ids,
      ...textRopeTables(positions, config.text),
      ...(shape.responses > 0 && { promptOf: promptsOf(responses, shape.responses) }),
      ...(shape.responses > 0 && maskPrompts && { promptMask: promptMask(prompts, responses, shape) }),
      ...(features > 0 && { visualIndex, isImage }),
    },
  };
}

function promptsOf(responses: readonly ResponseRow[], rows: number): Int32Array {
  const out = new Int32Array(rows);
  responses.forEach(({ prompt }, r) => (out[r] = prompt));
  return out;
}

function promptMask(
  prompts: readonly PromptRow[],
  responses: readonly ResponseRow[],
  { responses: rows, promptLength }: TextShape,
): Float32Array {
  const seen = new Uint8Array(rows * promptLength);
  responses.forEach(({ prompt }, r) => {
    seen.fill(1, r * promptLength, r * promptLength + prompts[prompt]!.ids.length);
  });
  return additiveKeyMask(seen);
}

/** The response tokens of a batch, flattened and padded. */
export interface Selection {
  /** Places in the padded flat list. */
  readonly count: number;
  /** int32 [count]: the row of the flat hidden states that predicts each token. */
  readonly rows: Int32Array;
  /** int32 [count] */
  readonly targets: Int32Array;
  /** Where each response's tokens begin in the flat list; one more than there are responses. */
  readonly offsets: readonly number[];
}

/** Selects every token of every response: the first is predicted by its prompt's last token. */
export function selectResponses(
  prompts: readonly PromptRow[],
  responses: readonly ResponseRow[],
  shape: TextShape,
): Selection {
  const offsets = [0];
  for (const { tokens } of responses) offsets.push(offsets.at(-1)! + tokens.length);
  // As many places as the padded batch could need: its form alone then decides the graph, and far fewer are built.
  const count = roundUp(shape.responses * (shape.responseLength + 1), 32);
  const rows = new Int32Array(count);
  const targets = new Int32Array(count);
  responses.forEach(({ prompt, tokens }, r) => {
    const start = shape.prompts * shape.promptLength + r * shape.responseLength;
    const lastOfPrompt = prompt * shape.promptLength + prompts[prompt]!.ids.length - 1;
    tokens.forEach((token, j) => {
      rows[offsets[r]! + j] = j === 0 ? lastOfPrompt : start + j - 1;
      targets[offsets[r]! + j] = token;
    });
  });
  return { count, rows, targets, offsets };
}

/** One value a response token, laid out as the selection is, `fill` at its padding. */
export function layOut(
  selection: Selection,
  values: readonly (ArrayLike<number> | undefined)[],
  fill: number,
): Float32Array {
  const out = new Float32Array(selection.count).fill(fill);
  values.forEach((array, row) => {
    if (array !== undefined) out.set(array, selection.offsets[row]!);
  });
  return out;
}
