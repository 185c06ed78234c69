/** @file `dip-r1 data`: write a dataset as a folder of pictures and annotations, or say what is in one. */
import { join } from "node:path";
import { Command } from "commander";
import { numberOption, type CliContext } from "./context.js";

interface GenerateOptions {
  readonly out: string;
  readonly overwrite?: boolean;
}

interface InspectOptions {
  readonly json?: boolean;
  readonly pictures?: number;
  readonly out?: string;
}

async function generate(spec: string, options: GenerateOptions, { logger }: CliContext): Promise<void> {
  const { openDataset, writeDataset } = await import("../datasets/index.js");
  const dataset = await openDataset(spec);
  await writeDataset(dataset, options.out, {
    overwrite: options.overwrite ?? false,
    onProgress: (done, total) => logger.progress(`${dataset.name}: ${done}/${total} pictures`),
  });
  logger.endProgress();
  logger.info(`${dataset.length} pictures in ${options.out} (fingerprint ${dataset.fingerprint})`);
}

async function inspect(spec: string, options: InspectOptions, { print, logger }: CliContext): Promise<void> {
  const { inspectSamples, loadPixels, openDataset } = await import("../datasets/index.js");
  const { InputError, writeFileAtomic } = await import("../base/index.js");
  if ((options.pictures === undefined) !== (options.out === undefined))
    throw new InputError("--pictures and --out go together", {
      hint: "For instance: --pictures 8 --out look.",
    });
  const dataset = await openDataset(spec);
  const report = await inspectSamples(dataset.samples());
  if (options.json === true) {
    const { name, fingerprint } = dataset;
    await print(JSON.stringify({ name, fingerprint, ...report }));
  } else {
    const { renderTable } = await import("../study/table.js");
    const short = (value: number) => (Number.isInteger(value) ? String(value) : value.toFixed(2));
    const { crowding } = report;
    await print(`${dataset.name} (fingerprint ${dataset.fingerprint})`);
    await print(
      renderTable(
        [
          ["images", short(report.images)],
          ["  without an object", short(report.empty)],
          ["objects", short(report.objects)],
          ...Object.entries(report.labels).map(([label, count]) => [`  ${label}`, short(count)]),
          ["ignore regions", short(report.ignore)],
          ...Object.entries(report.sizes)
            .slice(0, 5)
            .map(([size, count]) => [`size ${size}`, short(count)]),
          ["pairs over IoU 0.3, an image", short(crowding.pairsPerImage)],
          ["objects overlapping over 0.15", short(crowding.overlapping)],
        ],
        { align: ["left", "right"] },
      ),
    );
    const rows = (["objectsPerImage", "height", "relativeHeight", "visibility"] as const).map((key) => {
      const { min, median, mean, max } = report[key];
      const title = {
        objectsPerImage: "objects an image",
        height: "height, pixels",
        relativeHeight: "height, share",
        visibility: "visible share",
      }[key];
      return [
        title,
        ...(report[key].count === 0 ? ["-", "-", "-", "-"] : [min, median, mean, max].map(short)),
      ];
    });
    await print("\n" + renderTable([["", "min", "median", "mean", "max"], ...rows]));
  }
  if (options.pictures !== undefined && options.out !== undefined) {
    const { renderPanels } = await import("../study/overlay.js");
    let done = 0;
    for await (const sample of dataset.samples()) {
      const png = await renderPanels([
        {
          image: await loadPixels(sample),
          title: sample.id,
          caption: `${sample.objects.length} objects`,
          truth: sample.objects.map(({ box }) => box),
          ignore: sample.ignore,
        },
      ]);
      await writeFileAtomic(join(options.out, `${sample.id.replaceAll(/[^\w.-]+/g, "_")}.png`), png);
      if (++done >= options.pictures) break;
    }
    logger.info(`${done} pictures in ${options.out}`);
  }
}

/** The command and its two sub-commands. */
export function dataCommand(context: CliContext): Command {
  const spec = "dataset: scenes:night?count=64, coco:FILE, mot:FOLDER, or the path of a file";
  const data = new Command("data").description("write and inspect datasets");
  data
    .command("generate")
    .description("write a dataset as PNG pictures, COCO json and JSON Lines")
    .argument("<spec>", spec)
    .requiredOption("--out <folder>", "where to")
    .option("--overwrite", "replace a dataset that this command wrote there before")
    .action((text: string, options: GenerateOptions) => generate(text, options, context));
  data
    .command("inspect")
    .description("what a dataset holds, in numbers and pictures")
    .argument("<spec>", spec)
    .option("--json", "one JSON object on stdout, nothing else")
    .option(
      "--pictures <n>",
      "draw the boxes of the first n pictures",
      numberOption("--pictures", { min: 1, integer: true }),
    )
    .option("--out <folder>", "where the pictures go")
    .action((text: string, options: InspectOptions) => inspect(text, options, context));
  return data;
}
