/** @file `dip-r1 studio`: the page of runs, served on this machine until it is told to stop. */
import { spawn } from "node:child_process";
import { Command, Option } from "commander";
import type { ModelSource } from "../server/studio/index.js";
import { collect, numberOption, type CliContext } from "./context.js";
import { addServerOptions, DEFAULT_CACHE, type OpenAiOptions } from "./openai-options.js";

/** Options of the command. */
export interface StudioOptions extends OpenAiOptions {
  readonly port?: number;
  readonly host: string;
  readonly open: boolean;
  readonly model?: readonly string[];
  readonly device: "cpu" | "webgpu";
  readonly servedModel?: string;
  readonly label?: readonly string[];
  readonly page?: string;
}

/** Where the studio is looked for first; the next free port after it is taken where somebody has it. */
export const STUDIO_PORT = 6071;
const FURTHER_PORTS = 20;

/** The command that opens an address in the user's browser. */
export function openCommand(
  url: string,
  platform: NodeJS.Platform = process.platform,
): { readonly command: string; readonly args: readonly string[] } {
  if (platform === "darwin") return { command: "open", args: [url] };
  // `start` is of the shell; the first argument in quotes would be a title.
  if (platform === "win32") return { command: "cmd", args: ["/c", "start", "", url] };
  return { command: "xdg-open", args: [url] };
}

/** Opens the browser where there is one; where there is none, the printed address is enough. */
function openBrowser(url: string): void {
  const { command, args } = openCommand(url);
  const child = spawn(command, args, { stdio: "ignore", detached: true });
  child.on("error", () => undefined);
  child.unref();
}

/** A model behind an OpenAI-compatible server, as Detect asks it; nothing where none is named. @throws InputError, OpenAiError where it cannot be asked */
export async function servedSource(
  options: StudioOptions,
  context: CliContext,
): Promise<ModelSource | undefined> {
  const { servedModel } = options;
  if (servedModel === undefined) return undefined;
  const { openServed } = await import("./openai-judge.js");
  const open = (labels: readonly string[]) =>
    openServed({ cache: DEFAULT_CACHE, ...options, model: servedModel, label: labels }, context);
  // Once now: a server that is not there is told of at the start, not when a picture is dropped in.
  const first = await open(options.label ?? ["person"]);
  await first.model.close();
  const { task, identity } = first;
  return {
    version: identity.sha256,
    model: {
      id: `server:${servedModel}`,
      title: identity.path,
      from: "server",
      engine: "openai",
      ...task,
      streams: false,
    },
    open: async (labels) => (await open(labels)).model,
  };
}

async function studio(folder: string, options: StudioOptions, context: CliContext): Promise<void> {
  const { isLoopback, startStudio, weightsOf } = await import("../server/studio/index.js");
  const { logger } = context;
  // A wrong folder shows now, not as a model that is missing from the page.
  const { modelFolderIn } = await import("../runs/model-folder.js");
  const given = options.model?.map(modelFolderIn);
  for (const model of given ?? []) await weightsOf(model);
  const served = await servedSource(options, context);
  const server = await startStudio({
    folder,
    host: options.host,
    port: options.port ?? STUDIO_PORT,
    furtherPorts: FURTHER_PORTS,
    models: { device: options.device, ...(given && { given }) },
    ...(served && { served }),
    ...(options.page !== undefined && { page: [options.page] }),
    logger,
  });
  if (!isLoopback(options.host))
    logger.warn(
      `anybody who can reach ${options.host} can see the runs in ${folder} and use this machine's models`,
    );
  const stopped = new Promise<void>((resolve, reject) => {
    let asked = false;
    const stop = (signal: NodeJS.Signals) => {
      if (asked) process.exit(1);
      asked = true;
      logger.info(`${signal}: stopping`);
      server.stop().then(resolve, reject);
    };
    process.on("SIGTERM", stop);
    process.on("SIGINT", stop);
  });
  await context.print(`studio of ${folder} at ${server.url}`);
  if (options.open) openBrowser(server.url);
  await stopped;
  logger.info("stopped");
}

/** The command. */
export function studioCommand(context: CliContext): Command {
  const command = new Command("studio")
    .description("look at runs in the browser: curves, groups, comparisons, detection; live while they train")
    .argument("[runs]", "folder of runs, or one run", "runs")
    .option(
      "--port <port>",
      `port; 0 for any free one (default: ${STUDIO_PORT}, or the next free one)`,
      numberOption("--port", { min: 0, max: 65_535, integer: true }),
    )
    .option(
      "--host <address>",
      "address to listen on; others than this machine's own let others in",
      "127.0.0.1",
    )
    .option("--no-open", "do not open the browser")
    .option(
      "--model <folder>",
      "a further model for Detect: a Hugging Face folder (repeatable; models of runs are found)",
      collect,
    )
    .addOption(
      new Option("--device <device>", "where local models compute").choices(["cpu", "webgpu"]).default("cpu"),
    )
    .addOption(new Option("--page <folder>", "another build of the page, for who works on it").hideHelp())
    .option("--served-model <name>", "a model of an OpenAI-compatible server for Detect; needs --server")
    .option("--label <label>", "what a served model is asked to find (repeatable; default: person)", collect);
  return addServerOptions(command).action((folder: string, options: StudioOptions) =>
    studio(folder, options, context),
  );
}
