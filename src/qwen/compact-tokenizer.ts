/**
 * @file A tokenizer of about 1,300 tokens for small models, in Hugging Face's format: whole numbers up to 999, the pieces of
 * the canonical response and the words of its scene sentence are one token each, so that a box costs 9. Anything else
 * falls back to bytes, so that every text is given back exactly.
 *
 * How: byte-level BPE without merges but with `ignore_merges`, behind a Split whose pattern cuts text into exactly these
 * pieces. What the pattern cuts out is looked up whole; what is not in the vocabulary becomes bytes.
 */
import { BYTE_CHARACTERS, toByteLevel, type QwenTokenizer } from "./tokenizer.js";

/** Numbers below this are one token each, and their ids are the numbers themselves. */
export const NUMBER_TOKENS = 1000;

/** Qwen2.5-VL's special tokens, in the order of its checkpoints. They come last in the vocabulary. */
export const QWEN_SPECIAL_TOKENS = [
  "<|endoftext|>",
  "<|im_start|>",
  "<|im_end|>",
  "<|object_ref_start|>",
  "<|object_ref_end|>",
  "<|box_start|>",
  "<|box_end|>",
  "<|quad_start|>",
  "<|quad_end|>",
  "<|vision_start|>",
  "<|vision_end|>",
  "<|vision_pad|>",
  "<|image_pad|>",
  "<|video_pad|>",
] as const;

const TAGS = ["think", "look", "answer"].flatMap((tag) => [`<${tag}>`, `</${tag}>`]);
/** Between the numbers of compact JSON, with boxes as objects or bare. The comma between numbers is a byte. */
const JSON_PIECES = [
  '{"bbox_2d":[',
  ',{"bbox_2d":[',
  "]}",
  '],"label":"',
  '"}',
  "[]",
  "[[",
  "],[",
  "]]",
  '"bbox_2d"',
  '"label"',
];
/** What the chat template writes around every prompt. */
const CHAT_PIECES = ["system\nYou are a helpful assistant.", "user\n", "assistant\n"];

/** Options of {@link compactTokenizer}. */
export interface CompactTokenizerOptions {
  /** Labels whose box ends (`],"label":"person"}`) are one token each. @default ["person"] */
  readonly labels?: readonly string[];
  /** Words that are one token, with and without a space in front. Letters only. */
  readonly words?: readonly string[];
  /** Texts that are one token wherever they stand, such as a prompt. */
  readonly phrases?: readonly string[];
}

/** Files of a tokenizer, by what they hold. */
export interface CompactTokenizer {
  /** The content of tokenizer.json. */
  readonly tokenizer: object;
  /** The content of tokenizer_config.json. */
  readonly tokenizerConfig: object;
  /** The content of chat_template.jinja: Qwen2.5-VL's prompt format. */
  readonly chatTemplate: string;
  /** Number of tokens: the least vocab_size of a model. */
  readonly vocabSize: number;
}

/**
 * Builds the tokenizer. Ids: the numbers 0 to 999, the other bytes, pieces and words, special tokens.
 * @throws RangeError for a word that is not made of letters, or a phrase without text.
 */
export function compactTokenizer({
  labels = ["person"],
  words = [],
  phrases = [],
}: CompactTokenizerOptions = {}): CompactTokenizer {
  for (const word of words) {
    if (!/^\p{L}+$/u.test(word)) throw new RangeError(`"${word}" is not a word: letters only`);
  }
  if (phrases.includes("")) throw new RangeError("a phrase needs text");
  const ends = labels.map((label) => `],"label":${JSON.stringify(label)}}`);
  const pieces = [...new Set([...TAGS, ...JSON_PIECES, ...ends, ...CHAT_PIECES, ...phrases])];

  const vocab: Record<string, number> = {};
  let ordinary = 0;
  const add = (token: string): void => {
    if (!Object.hasOwn(vocab, token)) vocab[token] = ordinary++;
  };
  // Numbers come first: JSON written from an object lists keys that look like indices first, whatever their ids.
  for (let n = 0; n < NUMBER_TOKENS; n++) add(String(n));
  BYTE_CHARACTERS.forEach(add);
  for (const token of [...pieces, ...words.flatMap((word) => [word, ` ${word}`])]) add(toByteLevel(token));

  // The first alternative that matches wins: longer pieces stand before their beginnings.
  const longestFirst = pieces.sort((a, b) => b.length - a.length || (a < b ? -1 : 1));
  const pattern = [...longestFirst.map(escapePattern), "[0-9]{1,3}", " ?\\p{L}+"].join("|");
  return {
    vocabSize: ordinary + QWEN_SPECIAL_TOKENS.length,
    tokenizer: {
      version: "1.0",
      truncation: null,
      padding: null,
      added_tokens: QWEN_SPECIAL_TOKENS.map((content, i) => ({
        id: ordinary + i,
        content,
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
        special: true,
      })),
      normalizer: null,
      pre_tokenizer: {
        type: "Sequence",
        pretokenizers: [
          { type: "Split", pattern: { Regex: pattern }, behavior: "Isolated", invert: false },
          { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false },
        ],
      },
      post_processor: null,
      decoder: { type: "ByteLevel", add_prefix_space: false, trim_offsets: false, use_regex: false },
      model: {
        type: "BPE",
        dropout: null,
        unk_token: null,
        continuing_subword_prefix: null,
        end_of_word_suffix: null,
        fuse_unk: false,
        byte_fallback: false,
        ignore_merges: true,
        vocab,
        merges: [],
      },
    },
    tokenizerConfig: {
      add_prefix_space: false,
      bos_token: null,
      clean_up_tokenization_spaces: false,
      eos_token: "<|im_end|>",
      model_max_length: 32768,
      pad_token: "<|endoftext|>",
      // Not Qwen2Tokenizer, which would put its own pattern in place of ours.
      tokenizer_class: "PreTrainedTokenizerFast",
      unk_token: null,
    },
    chatTemplate: CHAT_TEMPLATE,
  };
}

/**
 * Ids of the numbers 0 to 999 in any tokenizer that has them as single tokens.
 * @throws InputError naming the first number that is not one token.
 */
export function numberTokenIds(tokenizer: QwenTokenizer): Int32Array {
  return Int32Array.from({ length: NUMBER_TOKENS }, (_, n) => tokenizer.requireId(String(n)));
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&").replaceAll("\n", "\\n");
}

/** Qwen2.5-VL's prompt format in our own words; a test holds it equal to the published template's output. */
const CHAT_TEMPLATE = `
{%- set seen = namespace(images=0, videos=0) -%}
{%- if messages and messages[0].role != 'system' -%}
  {{- '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' -}}
{%- endif -%}
{%- for message in messages -%}
  {{- '<|im_start|>' + message.role + '\\n' -}}
  {%- if message.content is string -%}
    {{- message.content -}}
  {%- else -%}
    {%- for part in message.content -%}
      {%- if part.type == 'image' or 'image' in part or 'image_url' in part -%}
        {%- set seen.images = seen.images + 1 -%}
        {%- if add_vision_id -%}{{- 'Picture ' ~ seen.images ~ ': ' -}}{%- endif -%}
        {{- '<|vision_start|><|image_pad|><|vision_end|>' -}}
      {%- elif part.type == 'video' or 'video' in part -%}
        {%- set seen.videos = seen.videos + 1 -%}
        {%- if add_vision_id -%}{{- 'Video ' ~ seen.videos ~ ': ' -}}{%- endif -%}
        {{- '<|vision_start|><|video_pad|><|vision_end|>' -}}
      {%- elif 'text' in part -%}
        {{- part.text -}}
      {%- endif -%}
    {%- endfor -%}
  {%- endif -%}
  {{- '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}
`.trim();
