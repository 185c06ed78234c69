/** @file `dip-r1 detect`: what a model finds in pictures, as JSON and as overlays. */
import { basename, extname, join } from "node:path";
import { Command } from "commander";
import type { Box } from "../geometry/box.js";
import type { CliContext } from "./context.js";
import { addOpenAiOptions, type OpenAiOptions } from "./openai-options.js";
import { judgeImages } from "./judge-images.js";
import {
  addModelOptions,
  addTaskOptions,
  openModel,
  taskOf,
  type ModelOptions,
  type TaskOptions,
} from "./model-options.js";

interface DetectOptions extends ModelOptions, TaskOptions, OpenAiOptions {
  readonly out: string;
  readonly json?: boolean;
}

const corners = ({ x1, y1, x2, y2 }: Box) => [x1, y1, x2, y2].map((value) => Math.round(100 * value) / 100);

/** A file name for each picture; pictures of one name from several folders are told apart. */
function outputNames(paths: readonly string[]): string[] {
  const taken = new Set<string>();
  return paths.map((path) => {
    const stem = basename(path, extname(path));
    let name = stem;
    for (let n = 2; taken.has(name.toLowerCase()); n++) name = `${stem}-${n}`;
    taken.add(name.toLowerCase());
    return name;
  });
}

async function detect(paths: readonly string[], options: DetectOptions, context: CliContext): Promise<void> {
  const { print, logger } = context;
  const { decodeImage } = await import("../datasets/index.js");
  const { writeFileAtomic, writeJsonAtomic } = await import("../base/index.js");
  const { defaultRewardConfig } = await import("../rewards/index.js");
  const { renderPanels } = await import("../study/index.js");
  const { openServed } = await import("./openai-judge.js");
  // All pictures are opened first: a wrong path shows at once, not after the ones before it were worked on.
  const images = await Promise.all(paths.map((path) => decodeImage(path)));
  const served = options.engine === "openai" ? await openServed(options, context) : undefined;
  const task = served?.task ?? (await taskOf(options.model, options));
  const model = served?.model ?? (await openModel(options));
  try {
    const names = outputNames(paths);
    const samples = images.map((image, i) => ({
      id: String(i),
      image: { kind: "pixels" as const, image },
      width: image.width,
      height: image.height,
      objects: [],
      ignore: [],
    }));
    for await (const { id, width, height, responses } of judgeImages(model, samples, {
      task,
      rewards: defaultRewardConfig,
      maxTokens: options.maxTokens,
      seed: options.seed,
    })) {
      const i = Number(id);
      const response = responses[0]!;
      const found = {
        image: paths[i]!,
        width,
        height,
        grade: response.grade,
        ...(response.mismatch !== undefined && { mismatch: response.mismatch }),
        stopReason: response.stopReason,
        think: response.think ?? null,
        look: response.look.map(corners),
        boxes: response.answer.map(({ box, label }) => ({
          bbox: corners(box),
          label: label ?? task.labels[0]!,
        })),
        text: response.text,
      };
      await writeJsonAtomic(join(options.out, `${names[i]}.json`), found);
      const png = await renderPanels([
        {
          image: images[i]!,
          title: basename(paths[i]!),
          caption: `${found.boxes.length} found (${found.grade})`,
          look: response.look,
          answers: response.answer.map(({ box }) => ({ box, verdict: "unknown" as const })),
        },
      ]);
      await writeFileAtomic(join(options.out, `${names[i]}.png`), png);
      if (options.json === true) await print(JSON.stringify(found));
      else await print(`${paths[i]}: ${found.boxes.length} found (${found.grade})`);
    }
    if (served !== undefined) logger.info(served.usage());
    logger.info(`boxes and overlays in ${options.out}`);
  } finally {
    await model.close();
  }
}

/** The command. */
export function detectCommand(context: CliContext): Command {
  const command = new Command("detect")
    .description("find every instance in pictures: boxes as JSON, overlays as PNG")
    .argument("<image...>", "PNG, JPEG, WebP, AVIF, TIFF or GIF");
  return addOpenAiOptions(addTaskOptions(addModelOptions(command)))
    .requiredOption("--out <folder>", "where NAME.json and NAME.png go")
    .option("--json", "one JSON object an image on stdout, nothing else")
    .action((paths: string[], options: DetectOptions) => detect(paths, options, context));
}
