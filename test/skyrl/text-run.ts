/**
 * @file A run of the tiny text model on a real server, by what any program would use: `train` with parts of its own. A
 * response of 16 tokens is read as 16 boxes, and an even token id finds a person, so that the accuracy reward is the
 * share of even ids. Run as a program it trains until it is done or killed: `text-run.ts URL FOLDER STEPS`.
 */
import { fileURLToPath } from "node:url";
import { createRng, deriveSeed, silentLogger } from "../../src/base/index.js";
import {
  createTinkerEngine,
  type TinkerEngine,
  type TinkerEngineOptions,
} from "../../src/engines/tinker/index.js";
import { generatedSource, type EncodedSample, type TextCodec } from "../../src/rl/index.js";
import {
  parseRecipe,
  train,
  type RunParts,
  type TrainOptions,
  type TrainResult,
} from "../../src/runs/index.js";

/** Tokens of a response, and people in the picture that nobody sees. */
export const LENGTH = 16;
const SIZE = { width: 400, height: 800 };
const END = 2;

interface TextSample {
  readonly id: string;
  readonly width: number;
  readonly height: number;
  readonly index: number;
}

/** The k-th person's box, or one that is nobody's. */
function corners(k: number, hit: boolean): readonly [number, number, number, number] {
  const [x, y] = [(k % 4) * 100, Math.floor(k / 4) * 100 + (hit ? 0 : 400)];
  return [x, y, x + 80, y + 80];
}

/** The pieces of a response's text, one a token; the first and the last carry what stands around the boxes. */
function pieces(tokens: Int32Array): string[] {
  return Array.from(tokens, (id, k) => {
    const before = k === 0 ? "<think>tokens</think><look>[]</look><answer>[" : ",";
    const after = k === tokens.length - 1 ? "]</answer>" : "";
    return `${before}[${corners(k % LENGTH, id % 2 === 0).join(",")}]${after}`;
  });
}

const codec: TextCodec = {
  endTokens: [END],
  encode: () => new Int32Array(),
  decode: (tokens) => pieces(tokens).join(""),
  spans(tokens) {
    let at = 0;
    return pieces(tokens).map((piece) => ({ start: at, end: (at += piece.length) }));
  },
};

function encode({ index }: TextSample): EncodedSample {
  const rng = createRng(deriveSeed(5, "prompt", index));
  return {
    prompt: {
      chunks: [{ kind: "text", tokens: Int32Array.from({ length: 8 }, () => rng.int(10, 400)) }],
    },
    truth: {
      size: SIZE,
      objects: Array.from({ length: LENGTH }, (_, k) => {
        const [x1, y1, x2, y2] = corners(k, true);
        return { box: { x1, y1, x2, y2 }, label: "person" };
      }),
      ignore: [],
    },
  };
}

const recipe = (url: string, steps: number, more = "") => `
kind: grpo
name: text
seed: 7
engine: {kind: tinker, model: none, server: {url: "${url}"}}
trainable: {kind: lora, rank: 8}
data: {train: "scenes:plaza"}
rewards: {weights: {format: 0, look: 0, accuracy: 1}}
grpo:
  steps: ${steps}
  imagesPerStep: 1
  groupSize: 16
  sampling: {maxTokens: ${LENGTH}}
  kl: {beta: 0.01, placement: reward}
  optimizer: {learningRate: 0.02, maxGradNorm: 0}
  ${more}
checkpoints: {every: 1, keep: 20}
`;

/** An engine on the server for this task. */
export function connect(url: string, options: Partial<TinkerEngineOptions> = {}): Promise<TinkerEngine> {
  return createTinkerEngine({
    baseUrl: url,
    rank: 8,
    seed: 7,
    contextLength: 64,
    heartbeatMs: 1000,
    // The patience of a real run is minutes.
    retry: { budgetMs: 5000 },
    ...options,
  });
}

/** What a run is told beside its recipe. */
export interface TextRunOptions extends Pick<
  TrainOptions<TextSample>,
  "resume" | "onEvent" | "logger" | "signal" | "maxTokens"
> {
  readonly url: string;
  readonly out: string;
  readonly steps: number;
  /** Lines of the recipe's `grpo`. */
  readonly more?: string;
  readonly engine?: Partial<TinkerEngineOptions>;
}

/** Trains, or goes on with training. */
export function textRun(options: TextRunOptions): Promise<TrainResult> {
  const { url, out, steps, more, engine, logger = silentLogger, ...rest } = options;
  return train<TextSample>({
    ...rest,
    logger,
    out,
    loaded: parseRecipe(recipe(url, steps, more), "text.yaml"),
    open: async (): Promise<RunParts<TextSample>> => ({
      engine: await connect(url, { logger, ...engine }),
      codec,
      encode,
      teach: () => "",
      source: generatedSource((index) => ({ id: `text-${index}`, ...SIZE, index })),
      sets: [],
      provenance: {
        data: { train: "text" },
        model: "tiny-qwen3",
        code: { version: "0", sha256: "0" },
        versions: {},
      },
    }),
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , url, out, steps] = process.argv;
  await textRun({ url: url!, out: out!, steps: Number(steps) });
}
