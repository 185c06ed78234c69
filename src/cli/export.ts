/** @file `dip-r1 export`: a run for other people's trackers (docs/export.md). */
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Command } from "commander";
import { collect, numberOption, type CliContext } from "./context.js";

interface MediaOptions {
  readonly images: number;
  readonly rolloutsEvery: number;
}

interface TensorBoardOptions extends MediaOptions {
  readonly out?: string;
  readonly follow?: boolean;
  readonly interval: number;
}

interface WandbOptions extends MediaOptions {
  readonly out?: string;
  readonly project?: string;
  readonly entity?: string;
  readonly group?: string;
  readonly tag?: readonly string[];
}

interface MlflowOptions {
  readonly trackingUri?: string;
  readonly experiment?: string;
  readonly runId?: string;
  readonly artifacts: boolean;
  readonly json?: boolean;
}

/** Resolves to true after so many seconds, to false on Ctrl-C. */
function ticker(seconds: number): { next: () => Promise<boolean>; release: () => void } {
  const controller = new AbortController();
  const stop = () => controller.abort();
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  return {
    next: () =>
      delay(1000 * seconds, true, { signal: controller.signal }).catch((error: unknown) => {
        if (controller.signal.aborted) return false;
        throw error;
      }),
    release() {
      process.off("SIGINT", stop);
      process.off("SIGTERM", stop);
    },
  };
}

async function tensorBoard(run: string, options: TensorBoardOptions, context: CliContext): Promise<void> {
  const { exportTensorBoard } = await import("../study/export/index.js");
  const { out, images, rolloutsEvery, follow = false, interval } = options;
  const clock = follow ? ticker(interval) : undefined;
  try {
    if (follow) context.logger.info("following the run until it ends (Ctrl-C: stop following)");
    const { path } = await exportTensorBoard(run, {
      images,
      rolloutsEvery,
      logger: context.logger,
      ...(out !== undefined && { out }),
      ...(clock && { follow: clock.next }),
    });
    await context.print(path);
    context.logger.info(`look at it: tensorboard --logdir ${dirname(path)}`);
  } finally {
    clock?.release();
  }
}

async function wandb(run: string, options: WandbOptions, { print, logger }: CliContext): Promise<void> {
  const { exportWandb } = await import("../study/export/index.js");
  const { tag, ...choices } = options;
  const { path, rows, files } = await exportWandb(run, { ...choices, tags: tag ?? [], logger });
  await print(path);
  logger.info(`${rows} steps, ${files} pictures and tables; upload: wandb sync ${path}`);
}

async function mlflow(run: string, options: MlflowOptions, { print, logger }: CliContext): Promise<void> {
  const { createMlflowClient, exportMlflow } = await import("../study/export/index.js");
  const { trackingUri, json, ...choices } = options;
  const client = createMlflowClient({
    ...(trackingUri !== undefined && { trackingUri }),
    onRetry: (message, wait) => logger.warn(`${message}; again in ${(wait / 1000).toFixed(1)} s`),
  });
  const result = await exportMlflow(run, { ...choices, client, logger });
  if (json === true) return print(JSON.stringify(result));
  await print(result.url);
  const { resumed, metrics, params, artifacts, runId } = result;
  logger.info(
    `${resumed ? "went on with" : "made"} run ${runId}: ${metrics} numbers, ${params} settings, ${artifacts} files`,
  );
}

function addMediaOptions(command: Command): Command {
  return command
    .option(
      "--images <n>",
      "overlays of so many images of the in-domain set at each evaluation, one of the others; 0 = none",
      numberOption("--images", { min: 0, integer: true }),
      4,
    )
    .option(
      "--rollouts-every <steps>",
      "steps between two whose first group of responses is kept as text; 0 = none",
      numberOption("--rollouts-every", { min: 0, integer: true }),
      10,
    );
}

const runArgument = ["<run>", "the folder that `dip-r1 train` made"] as const;

/** The command. */
export function exportCommand(context: CliContext): Command {
  const command = new Command("export").description("a run for TensorBoard, Weights & Biases or MLflow");
  addMediaOptions(
    command
      .command("tensorboard")
      .description("an event file: scalars, rollouts as text, overlays, settings")
      .argument(...runArgument)
      .option("--out <folder>", "of the event file (default: tensorboard/ in the run's folder)"),
  )
    .option("--follow", "go on until the run ends")
    .option("--interval <s>", "seconds between two looks", numberOption("--interval", { min: 0.1 }), 5)
    .action((run: string, options: TensorBoardOptions) => tensorBoard(run, options, context));
  addMediaOptions(
    command
      .command("wandb")
      .description("an offline run that `wandb sync` uploads")
      .argument(...runArgument)
      .option("--out <folder>", "of offline runs (default: wandb/ in the run's folder)")
      .option("--project <name>", "project to sync to", "dip-r1")
      .option("--entity <name>", "user or team to sync to (default: whoever syncs)")
      .option("--group <name>", "group of runs")
      .option("--tag <tag>", "of the run (repeatable)", collect),
  ).action((run: string, options: WandbOptions) => wandb(run, options, context));
  command
    .command("mlflow")
    .description("a run on an MLflow server; again sends what is new")
    .argument(...runArgument)
    .option("--tracking-uri <url>", "the server (default: MLFLOW_TRACKING_URI)")
    .option("--experiment <name>", "made where there is none", "dip-r1")
    .option("--run-id <id>", "go on with this run of the server (default: the one that was made before)")
    .option("--no-artifacts", "numbers and settings alone, without report and overlays")
    .option("--json", "one JSON object on stdout, nothing else")
    .action((run: string, options: MlflowOptions) => mlflow(run, options, context))
    .addHelpText(
      "after",
      "\nMLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, are taken from the environment.",
    );
  return command;
}
