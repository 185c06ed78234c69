/**
 * @file What each OpenAI-compatible server can do, and what it lacks. Written down, not probed: most servers ignore a field
 * they do not know instead of refusing it, so asking them tells nothing. Said before a run, never found out after it.
 */
import { InputError } from "../../base/errors.js";

/** One kind of server. */
export interface ServerProfile {
  readonly name: string;
  readonly title: string;
  /** Several samples of one prompt: in one request (`n`), or by asking again. */
  readonly samples: "server" | "requests";
  /** Whether a seed makes samples reproducible. */
  readonly seed: boolean;
  /** Whether the log-probabilities of tokens can be had. */
  readonly logprobs: boolean;
  /** Name of the field for top-k, and the number that keeps all tokens; absent = cannot be set. */
  readonly topK?: { readonly field: string; readonly all: number };
  /** Fields that undo what the server or the model's files would otherwise do to the distribution. */
  readonly neutral: Readonly<Record<string, number>>;
  readonly maxTokensField: "max_tokens" | "max_completion_tokens";
  /** Token counts in streams must be asked for. */
  readonly streamUsage: boolean;
  /** Whether special tokens can be kept in the text by the request. */
  readonly keepSpecialTokens: boolean;
  /** Where it listens unless told otherwise; absent for hosted services. */
  readonly baseUrl?: string;
  /** A missing key is worth a word. */
  readonly needsKey?: boolean;
  /** What it cannot do or does silently, in sentences. */
  readonly lacks: readonly string[];
  /** The same, only of interest for sampling at a temperature. */
  readonly lacksSampling?: readonly string[];
}

const table = {
  vllm: {
    title: "vLLM",
    samples: "server",
    seed: true,
    logprobs: true,
    topK: { field: "top_k", all: -1 },
    neutral: { repetition_penalty: 1, min_p: 0 },
    maxTokensField: "max_tokens",
    streamUsage: true,
    keepSpecialTokens: true,
    baseUrl: "http://127.0.0.1:8000/v1",
    lacks: [
      "its own limit on pixels applies behind ours: start it with the same --mm-processor-kwargs, or calibrate",
    ],
  },
  sglang: {
    title: "SGLang",
    samples: "server",
    seed: true,
    logprobs: true,
    topK: { field: "top_k", all: -1 },
    neutral: { repetition_penalty: 1, min_p: 0 },
    maxTokensField: "max_tokens",
    streamUsage: true,
    keepSpecialTokens: true,
    baseUrl: "http://127.0.0.1:30000/v1",
    lacks: [],
    lacksSampling: ["a seed is only honoured where it was started with --enable-deterministic-inference"],
  },
  "llama.cpp": {
    title: "llama.cpp's llama-server",
    samples: "requests",
    seed: true,
    logprobs: true,
    topK: { field: "top_k", all: 0 },
    neutral: { min_p: 0, repeat_penalty: 1 },
    maxTokensField: "max_tokens",
    streamUsage: true,
    keepSpecialTokens: false,
    baseUrl: "http://127.0.0.1:8080/v1",
    lacks: [
      "boxes of Qwen-VL models need many image tokens: start it with --image-min-tokens 1024 or more, and calibrate",
      "special tokens are left out of the text unless it was started with --special",
    ],
  },
  ollama: {
    title: "Ollama",
    samples: "requests",
    seed: true,
    logprobs: true,
    neutral: {},
    maxTokensField: "max_tokens",
    streamUsage: true,
    keepSpecialTokens: false,
    baseUrl: "http://127.0.0.1:11434/v1",
    lacks: [
      "its context length cannot be set by a request, and a longer prompt is cut silently: set OLLAMA_CONTEXT_LENGTH or num_ctx",
      "the Modelfile's repeat_penalty applies, which hurts lists of boxes: set it to 1 there",
      "special tokens are left out of the text",
    ],
    lacksSampling: ["the Modelfile's top_k and min_p apply: set top_k 0 and min_p 0 there"],
  },
  transformers: {
    title: "transformers serve",
    samples: "requests",
    seed: true,
    logprobs: false,
    neutral: {},
    maxTokensField: "max_tokens",
    streamUsage: false,
    keepSpecialTokens: false,
    baseUrl: "http://127.0.0.1:8000/v1",
    lacks: [
      "no log-probabilities: no AP by logprob",
      "the model's generation_config.json applies, its repetition_penalty also to greedy answers",
      "special tokens are left out of the text",
    ],
    lacksSampling: [
      "a temperature only works where the model's generation_config.json has do_sample; its top_k applies",
      "one seed for the whole process: use --concurrency 1 for reproducible samples",
    ],
  },
  hosted: {
    title: "a hosted service",
    samples: "requests",
    seed: true,
    logprobs: true,
    neutral: {},
    maxTokensField: "max_completion_tokens",
    streamUsage: true,
    keepSpecialTokens: false,
    needsKey: true,
    lacks: [
      "what becomes of a picture's size is not known: calibrate before numbers in pixels are believed",
      "log-probabilities may be refused or left out, then there is no AP by logprob",
      "greedy answers may differ from call to call",
    ],
    lacksSampling: ["a seed is at best honoured mostly"],
  },
} as const satisfies Record<string, Omit<ServerProfile, "name">>;

/** Name of a kind of server. */
export type ServerName = keyof typeof table;

/** Names of all kinds. */
export const serverNames = Object.keys(table) as [ServerName, ...ServerName[]];

/** A kind of server by its name. @throws InputError for a name that is none */
export function serverOf(name: string): ServerProfile {
  if (!Object.hasOwn(table, name))
    throw new InputError(`--server ${name}: neither a kind of server nor a file`, {
      hint: `Kinds: ${serverNames.join(", ")}. \`dip-r1 calibrate\` writes files.`,
    });
  return { name, ...table[name as ServerName] };
}

/** What a server will be used for. */
export interface ServerNeeds {
  readonly sampling: boolean;
  /** The dialect's markers are special tokens. */
  readonly specialTokens: boolean;
  readonly hasKey: boolean;
}

/** What there is to know before a run, in sentences. */
export function serverLacks(server: ServerProfile, needs: ServerNeeds): string[] {
  const about = (text: string): boolean => needs.specialTokens || !text.startsWith("special tokens");
  return [
    ...server.lacks.filter(about),
    ...(needs.sampling ? (server.lacksSampling ?? []) : []),
    ...(server.needsKey === true && !needs.hasKey
      ? ["no key was found in the environment (--api-key-env)"]
      : []),
  ].map((text) => `${server.title}: ${text}`);
}
