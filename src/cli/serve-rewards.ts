/** @file `dip-r1 serve rewards`: the reward server, until it is told to stop. */
import { isIP } from "node:net";
import { Command, Option } from "commander";
import type { SampleTruth } from "../datasets/index.js";
import type { FrameName, ServerLimits } from "../server/index.js";
import { collect, numberOption, type CliContext } from "./context.js";
import { onErrorOption, openAnnotationSource, type SourceOptions } from "./data-source.js";

interface ServeOptions extends SourceOptions {
  readonly port: number;
  readonly host: string;
  readonly recipe: string;
  readonly data?: string;
  readonly frame?: FrameName;
  readonly model?: string;
  readonly minPixels?: number;
  readonly maxPixels?: number;
  readonly label?: readonly string[];
  readonly look: boolean;
  readonly workers?: number;
  readonly tokenFile?: string;
  readonly maxBodyMb?: number;
  readonly maxBoxes?: number;
  readonly maxTruthBoxes?: number;
  readonly maxGroup?: number;
  readonly maxQueue?: number;
  readonly sampleSeconds?: number;
  readonly gatherSeconds?: number;
}

function limitsOf(options: ServeOptions): Partial<ServerLimits> {
  const { maxBodyMb, maxBoxes, maxTruthBoxes, maxGroup, maxQueue, sampleSeconds, gatherSeconds } = options;
  const bodyBytes = maxBodyMb === undefined ? undefined : maxBodyMb * 2 ** 20;
  return Object.fromEntries(
    Object.entries({
      bodyBytes,
      // Eight of the largest bodies, but never less than usual.
      bufferedBytes: bodyBytes === undefined ? undefined : Math.max(256 * 2 ** 20, 8 * bodyBytes),
      responseBoxes: maxBoxes,
      truthBoxes: maxTruthBoxes,
      groupResponses: maxGroup,
      queueGroups: maxQueue,
      sampleSeconds,
      gatherSeconds,
    }).filter(([, value]) => value !== undefined),
  );
}

async function resizeOf({ model, minPixels, maxPixels }: ServeOptions) {
  const { QWEN25_RESIZE } = await import("../datasets/index.js");
  const base =
    model === undefined
      ? QWEN25_RESIZE
      : await (await import("../qwen/index.js")).loadImageProcessorConfig(model);
  return {
    ...base,
    ...(minPixels !== undefined && { minPixels }),
    ...(maxPixels !== undefined && { maxPixels }),
  };
}

/** The dataset's annotations; pictures need not be named, and those of generated scenes are not kept. */
async function samplesOf(options: ServeOptions, context: CliContext): Promise<SampleTruth[]> {
  if (options.data === undefined) return [];
  const dataset = await openAnnotationSource(options.data, options, context);
  const samples: SampleTruth[] = [];
  for await (const { image: _image, ...truth } of dataset.samples()) samples.push(truth);
  return samples;
}

/** Whether only this machine can reach the address. */
function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}

async function serveRewards(options: ServeOptions, context: CliContext): Promise<void> {
  const { rewardsOf } = await import("../runs/rewards-of.js");
  const { readToken, startRewardServer, TOKEN_VARIABLE } = await import("../server/index.js");
  const { logger } = context;
  const { rewards } = await rewardsOf(options.recipe);
  const token = await readToken(options.tokenFile);
  const samples = await samplesOf(options, context);
  if (!isLoopback(options.host) && token === undefined)
    logger.warn(
      `anybody who can reach ${options.host} can use this server: give it a token (${TOKEN_VARIABLE} or --token-file)`,
    );
  const server = await startRewardServer({
    rewards,
    samples,
    host: options.host,
    port: options.port,
    ...(options.workers !== undefined && { workers: options.workers }),
    limits: limitsOf(options),
    // Who names a model means its pixels.
    frame: options.frame ?? (options.model === undefined ? "image" : "model"),
    resize: await resizeOf(options),
    ...(options.label && { labels: options.label }),
    withoutLook: !options.look,
    ...(token !== undefined && { token }),
    logger,
  });
  const stopped = new Promise<void>((resolve, reject) => {
    let asked = false;
    const stop = (signal: NodeJS.Signals) => {
      if (asked) {
        logger.warn(`${signal} again: ${server.inFlight()} requests are left without an answer`);
        process.exit(1);
      }
      asked = true;
      logger.info(`${signal}: finishing ${server.inFlight()} requests`);
      server.stop().then(resolve, reject);
    };
    process.on("SIGTERM", stop);
    process.on("SIGINT", stop);
  });
  await context.print(`rewards of ${options.recipe} at ${server.url}`);
  if (samples.length > 0) logger.info(`${samples.length} samples can be named by id`);
  await stopped;
  logger.info("stopped");
}

/** The sub-command. */
export function serveRewardsCommand(context: CliContext): Command {
  const whole = (name: string, max?: number) =>
    numberOption(name, { min: 1, integer: true, ...(max !== undefined && { max }) });
  const seconds = (name: string) => numberOption(name, { min: 0.05, max: 86_400 });
  return new Command("rewards")
    .description(
      "the three rewards for any trainer: TRL, verl, EasyR1, ms-swift, OpenRLHF (docs/integrations.md)",
    )
    .option(
      "--port <n>",
      "0: any free one",
      numberOption("--port", { min: 0, max: 65_535, integer: true }),
      8420,
    )
    .option(
      "--host <address>",
      "address to listen on; others than loopback are open to the network",
      "127.0.0.1",
    )
    .option(
      "--recipe <recipe>",
      "recipe file, or preset (paper, recommended), that says how rewards are made",
      "paper",
    )
    .option("--no-look", "leave the look reward out of every score: then responses need no group")
    .option(
      "--token-file <file>",
      "bearer token that requests must carry (default: the variable DIP_R1_TOKEN, else none)",
    )
    .option(
      "--workers <n>",
      "worker threads (default: cores less one, two at least)",
      whole("--workers", 256),
    )
    .optionsGroup("Samples by id:")
    .option(
      "--data <spec>",
      "dataset whose samples requests may name by id, like crowdhuman:annotation_val.odgt; pictures are not needed",
    )
    .addOption(onErrorOption())
    .option("--label <label>", "count objects of this label only (repeatable; default: all)", collect)
    .addOption(
      new Option(
        "--frame <frame>",
        "of responses to them: pixels of the original, pixels the model sees, or thousandths (default: image, with --model: model)",
      ).choices(["image", "model", "norm1000"]),
    )
    .option("--model <folder>", "take patches and pixel limits from this model (default: Qwen2.5-VL's)")
    .option("--min-pixels <n>", "of the resized picture", whole("--min-pixels"))
    .option("--max-pixels <n>", "of the resized picture", whole("--max-pixels"))
    .optionsGroup("Limits:")
    .option("--max-body-mb <n>", "of one request (default: 32)", whole("--max-body-mb", 1024))
    .option(
      "--max-boxes <n>",
      "of one response; one with more earns 0 and says so (default: 2000)",
      whole("--max-boxes"),
    )
    .option("--max-truth-boxes <n>", "of one ground truth (default: 2000)", whole("--max-truth-boxes"))
    .option("--max-group <n>", "responses of a group (default: 256)", whole("--max-group"))
    .option(
      "--max-queue <n>",
      "groups in work at once; beyond them 429 (default: 4096)",
      whole("--max-queue"),
    )
    .option(
      "--sample-seconds <n>",
      "for one response; one that takes longer earns 0 and says so (default: 5)",
      seconds("--sample-seconds"),
    )
    .option(
      "--gather-seconds <n>",
      "wait for the rest of a group that comes in several requests (default: 150)",
      seconds("--gather-seconds"),
    )
    .action((options: ServeOptions) => serveRewards(options, context));
}
