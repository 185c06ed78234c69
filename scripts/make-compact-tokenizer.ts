/**
 * @file Writes the small model's tokenizer (tokenizer.json, tokenizer_config.json, chat_template.jinja) into a folder:
 *
 *     npx tsx scripts/make-compact-tokenizer.ts models/NAME
 */
import { join } from "node:path";
import { writeFileAtomic, writeJsonAtomic } from "../src/base/index.js";
import { TEACHER_VOCABULARY } from "../src/datasets/teacher.js";
import { compactTokenizer } from "../src/qwen/compact-tokenizer.js";
import { promptText } from "../src/response/prompt.js";

/** Beside the teacher's own words: what people may want to find, and words of scenes. */
const WORDS = [
  "pedestrian",
  "head",
  "car",
  "Detect",
  "every",
  "and",
  "the",
  "of",
  "a",
  "in",
  "on",
  "crowd",
  "group",
  "dense",
  "small",
];
/** Labels whose boxes end in one token. */
const LABELS = ["person", "pedestrian", "car"];

const [directory] = process.argv.slice(2);
if (directory === undefined) {
  console.error("usage: npx tsx scripts/make-compact-tokenizer.ts FOLDER");
  process.exitCode = 2;
} else {
  const { tokenizer, tokenizerConfig, chatTemplate, vocabSize } = compactTokenizer({
    labels: LABELS,
    words: [...TEACHER_VOCABULARY, ...WORDS],
    phrases: [promptText("dip-r1-short", ["person"])],
  });
  await writeJsonAtomic(join(directory, "tokenizer.json"), tokenizer);
  await writeJsonAtomic(join(directory, "tokenizer_config.json"), tokenizerConfig);
  await writeFileAtomic(join(directory, "chat_template.jinja"), chatTemplate);
  console.log(`${directory}: ${vocabSize} tokens`);
}
