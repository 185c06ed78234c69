/** @file `dip-r1 data convert`: one form of annotations into another, with a word on everything that is not kept. */
import { Command } from "commander";
import type { ChatFrame, ChatOptions, ConvertReport, FormName, ResizeRule } from "../datasets/index.js";
import { addSourceOptions, openSource, type SourceOptions } from "./data-source.js";
import { collect, numberOption, type CliContext } from "./context.js";

interface ConvertCommandOptions extends SourceOptions {
  readonly to: string;
  readonly out: string;
  readonly copyImages?: boolean;
  readonly absolutePaths?: boolean;
  readonly force?: boolean;
  readonly rename?: readonly string[];
  readonly year?: string;
  readonly frame?: string;
  readonly model?: string;
  readonly minPixels?: number;
  readonly maxPixels?: number;
  readonly prompt?: string;
  readonly promptText?: string;
  readonly label?: readonly string[];
  readonly round?: boolean;
  readonly clip: boolean;
  readonly response?: boolean;
  readonly json?: boolean;
}

/** Options that only the chat forms take, and how they are written. */
const CHAT_ONLY = {
  frame: "--frame",
  model: "--model",
  minPixels: "--min-pixels",
  maxPixels: "--max-pixels",
  prompt: "--prompt",
  promptText: "--prompt-text",
  label: "--label",
  round: "--round",
  response: "--response",
} as const;

async function chatOptions(options: ConvertCommandOptions): Promise<ChatOptions> {
  const { InputError } = await import("../base/errors.js");
  const { chatFrames, QWEN25_RESIZE } = await import("../datasets/index.js");
  if (options.frame !== undefined && !chatFrames.includes(options.frame as ChatFrame))
    throw new InputError(`--frame ${options.frame}: not a frame`, {
      hint: `One of: ${chatFrames.join(", ")}.`,
    });
  let resize: ResizeRule = QWEN25_RESIZE;
  let prompt = options.prompt;
  let profile: ChatFrame | undefined;
  if (options.model !== undefined) {
    const { loadImageProcessorConfig } = await import("../qwen/index.js");
    const { readModelTask } = await import("../runs/model-task.js");
    const { modelFolderIn } = await import("../runs/model-folder.js");
    const model = modelFolderIn(options.model);
    resize = await loadImageProcessorConfig(model);
    const task = await readModelTask(model);
    prompt ??= task.prompt;
    profile = task.profile;
  }
  const frame = (options.frame as ChatFrame | undefined) ?? profile;
  const { minPixels = resize.minPixels, maxPixels = resize.maxPixels } = options;
  if (minPixels > maxPixels)
    throw new InputError(`--min-pixels ${minPixels} is more than --max-pixels ${maxPixels}`);
  return {
    ...(frame !== undefined && { frame }),
    resize: { ...resize, minPixels, maxPixels },
    ...(prompt !== undefined && { prompt }),
    ...(options.promptText !== undefined && { promptText: options.promptText }),
    ...(options.label && { labels: options.label }),
    ...(options.round !== undefined && { round: options.round }),
    ...(options.clip ? {} : { clip: false }),
    ...(options.response === true && { response: true }),
  };
}

async function convert(spec: string, options: ConvertCommandOptions, context: CliContext): Promise<void> {
  const { InputError } = await import("../base/errors.js");
  const { convertDataset, formNamed, renameLabels } = await import("../datasets/index.js");
  formNamed(options.to);
  const format = options.to as FormName;
  const chat = format === "trl" || format === "ms-swift" || format === "vlm-r1";
  if (!chat) {
    const key = (Object.keys(CHAT_ONLY) as (keyof typeof CHAT_ONLY)[]).find(
      (name) => options[name] !== undefined,
    );
    if (key !== undefined || !options.clip)
      throw new InputError(`${key === undefined ? "--no-clip" : CHAT_ONLY[key]} is for the chat forms only`, {
        hint: "They are trl, ms-swift and vlm-r1; other forms keep boxes in pixels of the original picture.",
      });
  }
  if (options.year !== undefined && (format !== "widerpedestrian" || !/^201[89]$/.test(options.year)))
    throw new InputError(`--year ${options.year}: only --to widerpedestrian has it, 2018 or 2019`);
  const opened = await openSource(spec, options, context);
  const dataset =
    options.rename === undefined ? opened : renameLabels(opened, parseRenames(options.rename, InputError));
  const report = await convertDataset(dataset, {
    format,
    out: options.out,
    copyImages: options.copyImages ?? false,
    absolutePaths: options.absolutePaths ?? false,
    force: options.force ?? false,
    ...(options.year !== undefined && { year: options.year === "2018" ? 2018 : 2019 }),
    ...(chat && { chat: await chatOptions(options) }),
    onProgress: (done, total) => {
      if (done % 100 === 0) context.logger.progress(`${dataset.name}: ${done}/${total} images`);
    },
  });
  context.logger.endProgress();
  if (options.json === true) await context.print(JSON.stringify({ ...report, problems: dataset.problems }));
  else await printReport(report, context);
}

function parseRenames(
  texts: readonly string[],
  InputError: new (message: string, options: { hint: string }) => Error,
): Map<string, string> {
  return new Map(
    texts.map((text) => {
      const at = text.indexOf("=");
      if (at < 1 || at === text.length - 1)
        throw new InputError(`--rename ${text}: not a pair of labels`, {
          hint: "For instance: --rename rider=person.",
        });
      return [text.slice(0, at), text.slice(at + 1)] as const;
    }),
  );
}

async function printReport(report: ConvertReport, { print }: CliContext): Promise<void> {
  const { renderTable } = await import("../study/table.js");
  const { format, out, images, objects, ignore, losses } = report;
  await print(`${out}: ${format}, ${images} images, ${objects} objects, ${ignore} ignore regions read`);
  if (losses.length === 0) await print("nothing was lost");
  else
    await print(
      renderTable(
        losses.map(({ kind, what, count }) => [kind, String(count), what]),
        { align: ["left", "right", "left"] },
      ),
    );
}

/** The sub-command. */
export function convertCommand(context: CliContext, specHelp: string): Command {
  const pixels = (name: string) => numberOption(name, { min: 1, integer: true });
  return addSourceOptions(new Command("convert"), specHelp)
    .description("write a dataset in another form, and say what that form cannot hold")
    .requiredOption(
      "--to <form>",
      "coco, jsonl, crowdhuman, citypersons, widerpedestrian, uavdt, visdrone, mot, trl, ms-swift or vlm-r1",
    )
    .requiredOption(
      "--out <path>",
      "the file, or the folder where a form has several files or pictures are copied",
    )
    .option("--copy-images", "copy the pictures beside the annotations, into the folder --out")
    .option("--absolute-paths", "refer to pictures by absolute paths (default: relative to the new file)")
    .option("--force", "replace what is at --out")
    .option("--rename <old=new>", "give a label another name first (repeatable)", collect)
    .option("--year <year>", "layout of widerpedestrian: 2018 or 2019 (default: 2019)")
    .option("--json", "the report as one JSON object")
    .optionsGroup("Chat forms:")
    .option(
      "--frame <frame>",
      "of the boxes: absolute (after smart-resize), norm1000 or image (default: the model's, else absolute)",
    )
    .option(
      "--model <folder>",
      "take patches, pixel limits, frame and prompt from this model (default: Qwen2.5-VL's)",
    )
    .option("--min-pixels <n>", "of the resized picture", pixels("--min-pixels"))
    .option("--max-pixels <n>", "of the resized picture", pixels("--max-pixels"))
    .option("--prompt <name>", "named prompt (default: the model's, else dip-r1)")
    .option("--prompt-text <text>", "the user's words instead of a named prompt")
    .option("--label <label>", "what is asked for (repeatable; default: all labels of the dataset)", collect)
    .option("--round", "whole numbers in the frame image as well")
    .option("--no-round", "keep fractions of pixels in the frames absolute and norm1000")
    .option("--no-clip", "leave boxes as they are where they leave the picture")
    .option("--response", "add the teacher's think-look-answer response as the assistant's turn, for SFT")
    .action((text: string, options: ConvertCommandOptions) => convert(text, options, context));
}
