/** @file What `train` and `start` share: a run with live progress, an end by Ctrl-C that can be resumed, and its report. */
import picocolors from "picocolors";
import type { LoadedRecipe } from "../runs/recipe.js";
import { train } from "../runs/train.js";
import { comparisonTable } from "../study/table.js";
import { writeRunReport } from "../study/run-report.js";
import type { CliContext } from "./context.js";
import { createProgress } from "./progress.js";

/** What is trained, and where to. */
export interface TrainingJob {
  readonly loaded: LoadedRecipe;
  readonly out: string;
  readonly resume?: boolean;
  readonly set?: readonly string[];
  /** Tokens after which the run stops. */
  readonly maxTokens?: number;
}

/** A signal that Ctrl-C sets off; pressed again it ends the process at once (the folder stays usable all the same). */
function interruption(logger: CliContext["logger"]): { signal: AbortSignal; release: () => void } {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(130);
    logger.info("stopping after this step, with a checkpoint (again: stop at once)");
    controller.abort();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return {
    signal: controller.signal,
    release() {
      process.off("SIGINT", onSignal);
      process.off("SIGTERM", onSignal);
    },
  };
}

/** Trains, then prints the table and writes report and overlays. */
export async function runTraining(job: TrainingJob, { logger, print }: CliContext): Promise<void> {
  const { recipe } = job.loaded;
  const { minutes } = recipe.kind === "grpo" ? recipe.grpo : recipe.sft;
  const line = createProgress({ minutes });
  const { signal, release } = interruption(logger);
  let phase = "";
  try {
    const result = await train({
      ...job,
      logger,
      signal,
      onEvent(event) {
        if (event.kind === "opened")
          logger.info(
            `${event.step > 0 ? `resuming ${event.path} after step ${event.step}` : `run folder ${event.path}`}`,
          );
        // A new phase leaves the last line of the one before on the screen.
        const now = event.kind === "grpo" || event.kind === "sft" ? "train" : event.kind;
        const text = line(event);
        if (text === undefined) return;
        if (now !== phase) logger.endProgress();
        phase = now;
        logger.progress(text);
      },
    });
    logger.endProgress();
    if (result.state === "stopped") {
      logger.info(`stopped after step ${result.step}; go on with --resume --out ${result.path}`);
      return;
    }
    const report = await writeRunReport(result.path, { logger });
    if (report.comparison.rows.length > 0) await print(comparisonTable(report.comparison));
    if (report.overlays.length > 0)
      logger.info(`${report.overlays.length} overlays in ${picocolors.bold(`${result.path}/overlays`)}`);
    logger.info(`report: ${picocolors.bold(report.path)}`);
  } finally {
    release();
  }
}
