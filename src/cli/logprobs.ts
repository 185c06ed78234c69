/** @file `dip-r1 logprobs`: how likely a model finds given completions, token by token. */
import { dirname, resolve } from "node:path";
import { Command } from "commander";
import { InputError, readJsonl } from "../base/index.js";
import type { Prompt } from "../engines/contract.js";
import type { CliContext } from "./context.js";
import { addModelOptions, openModel, type ModelOptions } from "./model-options.js";

interface LogprobsOptions extends ModelOptions {
  readonly input: string;
  readonly json?: boolean;
}

/** Completions scored together. */
const BATCH = 8;

async function logprobs(options: LogprobsOptions, { print, logger }: CliContext): Promise<void> {
  const { z } = await import("zod");
  const { decodeImage } = await import("../datasets/index.js");
  const schema = z.object({ image: z.string(), prompt: z.string(), completion: z.string() });
  const items = (await readJsonl(options.input)).map(({ line, value }) => {
    const parsed = schema.safeParse(value);
    if (parsed.success) return { ...parsed.data, where: `${options.input}:${line}` };
    const issue = parsed.error.issues[0]!;
    throw new InputError(
      `${options.input}:${line}: "${issue.path.join(".")}": ${issue.message.replace(/^Invalid input: /, "")}`,
      { hint: 'A line has the form {"image","prompt","completion"}; image paths are relative to the file.' },
    );
  });
  const model = await openModel(options);
  try {
    for (let from = 0; from < items.length; from += BATCH) {
      const batch = items.slice(from, from + BATCH);
      const scored = await Promise.all(
        batch.map(async ({ image, prompt, completion, where }) => {
          const pixels = await decodeImage(resolve(dirname(options.input), image));
          const chunks = model.processor.encodePrompt({ text: prompt, images: [pixels] });
          const tokens = model.processor.tokenizer.encode(completion);
          if (tokens.length === 0) throw new InputError(`${where}: "completion" is empty`);
          return { prompt: { chunks } satisfies Prompt, tokens };
        }),
      );
      const values = await model.sampler.logprobsBatch(scored);
      for (const [i, { tokens }] of scored.entries()) {
        const numbers = Array.from(values[i]!);
        if (options.json === true)
          await print(JSON.stringify({ tokens: Array.from(tokens), logprobs: numbers }));
        else {
          const sum = numbers.reduce((total, value) => total + value, 0);
          await print(
            `${batch[i]!.where}: ${tokens.length} tokens, sum ${sum.toFixed(4)}, mean ${(sum / tokens.length).toFixed(4)}`,
          );
        }
      }
      logger.progress(`${Math.min(from + BATCH, items.length)}/${items.length} completions`);
    }
    logger.endProgress();
  } finally {
    await model.close();
  }
}

/** The command. */
export function logprobsCommand(context: CliContext): Command {
  return addModelOptions(new Command("logprobs").description("log-probabilities of given completions"))
    .requiredOption("--input <file>", 'JSONL: {"image","prompt","completion"}; paths relative to the file')
    .option("--json", 'one line a completion on stdout, {"tokens","logprobs"}, nothing else')
    .action((options: LogprobsOptions) => logprobs(options, context));
}
