/**
 * @file A run from beginning to end: recipe, loop, folder. Whatever ends it (done, time limit, interruption, kill),
 * `resume` goes on with the same next batch and the same weights as if it had not ended.
 */
import { basename, join } from "node:path";
import {
  canonicalJson,
  InputError,
  silentLogger,
  toError,
  writeFolderAtomic,
  type Logger,
} from "../base/index.js";
import type { Sample } from "../datasets/index.js";
import {
  grpo,
  sft,
  startState,
  type GrpoStep,
  type LoopState,
  type SftStep,
  type TimeShare,
} from "../rl/index.js";
import { evaluateStep, type EvaluationProgress } from "./evaluations.js";
import { RESULT_FOLDER } from "./model-folder.js";
import { openParts } from "./parts.js";
import type { LoadedRecipe } from "./recipe.js";
import { recipeSchema, type Recipe } from "./recipe-schema.js";
import { meterEngine, type TokenCount } from "./plan-meter.js";
import { rolloutLines } from "./rollout-lines.js";
import { createRunFolder, isRunFolder, openRunFolder, type RunFolder } from "./run-folder.js";
import type { RunParts, RunSample } from "./run-parts.js";
import { keepsTokens, tokenLines } from "./token-lines.js";

/** What happens in a run. */
export type RunEvent =
  | { readonly kind: "opened"; readonly path: string; readonly step: number }
  | { readonly kind: "evaluation"; readonly step: number; readonly progress: EvaluationProgress }
  | {
      readonly kind: "grpo";
      readonly step: GrpoStep;
      readonly steps: number;
      /** Seconds of training so far, over all resumptions; evaluations are not in it. */
      readonly seconds: number;
    }
  | { readonly kind: "sft"; readonly step: SftStep; readonly steps: number; readonly seconds: number }
  | { readonly kind: "checkpoint"; readonly step: number };

/** Options of {@link train}. */
export interface TrainOptions<S extends RunSample> {
  readonly loaded: LoadedRecipe;
  /** The run's folder. */
  readonly out: string;
  /** Go on with the run in the folder. @default false */
  readonly resume?: boolean;
  /** What `--set` said, for the manifest. */
  readonly set?: readonly string[];
  /** Opens engine and data. @default {@link openParts} */
  readonly open?: (loaded: LoadedRecipe) => Promise<RunParts<S>>;
  readonly logger?: Logger;
  readonly onEvent?: (event: RunEvent) => void;
  /** Ends the run after the step it is in, with a checkpoint. */
  readonly signal?: AbortSignal;
  /** Ends the run after the step in which this many tokens were reached (plan-meter.ts), counted over all resumptions. */
  readonly maxTokens?: number;
  /** Milliseconds. @default performance.now */
  readonly now?: () => number;
}

/** How a run ended. */
export interface TrainResult {
  readonly path: string;
  readonly step: number;
  /** `stopped` = by the signal or the token budget. */
  readonly state: "done" | "stopped";
}

/** What a checkpoint keeps beside weights and optimiser. */
interface RunProgress {
  readonly loop: LoopState;
  readonly seconds: number;
  /** Absent in checkpoints of before they were counted. */
  readonly tokens?: TokenCount;
}

/** Parts of a recipe that may change when a run goes on: how long, how watched, where computed. */
function comparable(recipe: Recipe): unknown {
  const {
    evaluation: _evaluation,
    checkpoints: _checkpoints,
    records: _records,
    name: _name,
    preset: _preset,
    ...rest
  } = recipe;
  const { device: _device, server: _server, ...engine } = rest.engine;
  if (rest.kind === "grpo") {
    const { steps: _steps, minutes: _minutes, ...choices } = rest.grpo;
    return { ...rest, engine, grpo: choices };
  }
  const { steps: _steps, minutes: _minutes, ...choices } = rest.sft;
  return { ...rest, engine, sft: choices };
}

/** Dotted names of the leaves where two values differ. */
function differences(a: unknown, b: unknown, path = ""): string[] {
  if (canonicalJson(a) === canonicalJson(b)) return [];
  const isObject = (value: unknown): value is Record<string, unknown> =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isObject(a) || !isObject(b)) return [path];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((key) =>
    differences(a[key], b[key], path === "" ? key : `${path}.${key}`),
  );
}

function checkSameRun(
  run: RunFolder,
  loaded: LoadedRecipe,
  parts: Pick<RunParts, "provenance">,
  logger: Logger,
): void {
  const { manifest } = run;
  const hint =
    "Resume with the recipe and data that the run was started with, or start a new run in another folder.";
  // Choices that the code did not have yet when the run began are those by default.
  const begun = recipeSchema.safeParse(manifest.recipe);
  const changed = differences(
    comparable(begun.success ? begun.data : manifest.recipe),
    comparable(loaded.recipe),
  );
  if (changed.length > 0)
    throw new InputError(`${run.path} was made with another recipe: ${changed.join(", ")} differ`, { hint });
  const { data, model, code } = parts.provenance;
  const otherData = differences(manifest.data["train"], data["train"], "data.train");
  if (otherData.length > 0 || manifest.model !== model)
    throw new InputError(
      `${run.path} was made with ${manifest.model === model ? "other training data" : "another base model"}`,
      { hint },
    );
  if (manifest.code.sha256 !== code.sha256)
    logger.warn("the code has changed since this run was started; its numbers may not go on exactly");
}

/** Opens or makes the folder and puts the engine where it was left. */
async function begin<S extends RunSample>(
  options: TrainOptions<S>,
  parts: RunParts<S>,
  logger: Logger,
): Promise<{ run: RunFolder; progress: RunProgress }> {
  const { loaded, out, set = [] } = options;
  const fresh: RunProgress = { loop: startState, seconds: 0 };
  if (options.resume !== true) {
    const run = await createRunFolder(out, {
      name: loaded.recipe.name,
      recipe: loaded.recipe,
      // Absolute: the report finds the data again wherever it is made.
      source: { path: join(loaded.folder, basename(loaded.path)), set },
      seed: loaded.recipe.seed,
      ...parts.provenance,
    });
    return { run, progress: fresh };
  }
  const run = await openRunFolder(out);
  try {
    checkSameRun(run, loaded, parts, logger);
    const latest = await run.latest();
    // Lines are cut back to the checkpoint: what came after it is done again, to the same result.
    run.rewind(latest?.step ?? 0);
    const progress = (latest?.state as RunProgress | undefined) ?? fresh;
    if (latest) await parts.engine.load({ path: latest.enginePath, step: latest.step });
    await run.update({
      recipe: loaded.recipe,
      state: "running",
      resumed: [...run.manifest.resumed, progress.loop.step],
    });
    return { run, progress };
  } catch (error) {
    await run.close();
    throw error;
  }
}

/**
 * Trains as the recipe says.
 *
 * @throws InputError for a recipe, data or folder that does not fit; whatever the engine throws, after it was noted in
 * the manifest.
 * @example await train({ loaded: await loadRecipe("recipes/start.yaml"), out: "runs/start" })
 */
export async function train<S extends RunSample = Sample>(options: TrainOptions<S>): Promise<TrainResult> {
  const { loaded, out, logger = silentLogger, onEvent, signal, now = () => performance.now() } = options;
  const { recipe } = loaded;
  // Before the minutes that a large model takes to open.
  if (options.resume !== true && isRunFolder(out))
    throw new InputError(`${out} holds a run already`, {
      hint: "Go on with it by --resume, or choose another folder by --out.",
    });
  if (options.resume === true && !isRunFolder(out))
    throw new InputError(`${out} holds no run to resume`, { hint: "Start it without --resume." });
  // The default opens datasets of Samples; another S only comes with an `open` of its own.
  const open = options.open ?? (openParts as unknown as NonNullable<typeof options.open>);
  const parts = await open(loaded);
  for (const warning of parts.warnings ?? []) logger.warn(warning);
  try {
    const { run, progress } = await begin(options, parts, logger);
    try {
      const result = await work(run, progress, parts);
      await run.update({ state: result.state });
      return result;
    } catch (error) {
      await run.update({ state: "failed", error: toError(error).message });
      throw error;
    } finally {
      await run.close();
    }
  } finally {
    await parts.engine.close();
  }

  async function work(
    run: RunFolder,
    progress: RunProgress,
    { engine: plain, ...rest }: RunParts<S>,
  ): Promise<TrainResult> {
    const meter = meterEngine(plain, progress.tokens);
    const { engine } = meter;
    const { every, keep } = recipe.checkpoints;
    const limits = recipe.kind === "grpo" ? recipe.grpo : recipe.sft;
    let { loop, seconds } = progress;
    let saved = loop.step;
    let ahead: GrpoStep["ahead"];
    onEvent?.({ kind: "opened", path: run.path, step: loop.step });

    const evaluate = async (step: number) => {
      // A new sampler must not take the place of one that is in use.
      if (engine.capabilities.samplers !== undefined && engine.capabilities.samplers !== "kept")
        await ahead?.();
      return evaluateStep(run, step, { engine, ...rest }, recipe, {
        logger,
        now,
        onProgress: (one) => onEvent?.({ kind: "evaluation", step, progress: one }),
      });
    };
    const evaluationDue = (step: number) =>
      step === 0 || (recipe.evaluation.every > 0 && step % recipe.evaluation.every === 0);
    const checkpoint = async () => {
      // What is being sampled for later steps is kept too; its tokens count once it is there.
      if (ahead !== undefined) loop = { ...loop, ahead: await ahead() };
      await run.checkpoint(loop.step, { loop, seconds, tokens: meter.count() } satisfies RunProgress, {
        keep,
        save: async (path) => {
          await engine.save(path);
          await rest.saveTask?.(path);
        },
      });
      saved = loop.step;
      onEvent?.({ kind: "checkpoint", step: saved });
    };
    const overBudget = () => meter.total() >= (options.maxTokens ?? Infinity);
    const stopped = () => signal?.aborted === true || overBudget();
    const outOfTime = () => seconds >= 60 * (limits.minutes ?? Infinity);

    // Also on resume: the kill may have come between a step and its evaluation.
    if (evaluationDue(loop.step) && !stopped()) await evaluate(loop.step);

    if (!stopped() && !outOfTime()) {
      let started = now();
      const timeShare = () => (limits.minutes === undefined ? 0 : seconds / (60 * limits.minutes));
      for await (const event of loopOf(recipe, { engine, ...rest }, loop, timeShare)) {
        seconds += (now() - started) / 1000;
        loop = event.step.state;
        if (event.kind === "grpo") {
          ({ ahead } = event.step);
          for (const line of rolloutLines(event.step)) run.append("rollouts", line);
          if (keepsTokens(loop.step, recipe.records.tokensEvery))
            for (const line of tokenLines(event.step)) run.append("tokens", line);
        }
        run.append("metrics", { step: loop.step, trainedSeconds: seconds, ...event.step.metrics });
        onEvent?.({ ...event, steps: limits.steps, seconds } as RunEvent);
        if (loop.step % every === 0) await checkpoint();
        if (stopped() || outOfTime()) break;
        if (evaluationDue(loop.step) && loop.step < limits.steps) await evaluate(loop.step);
        started = now();
      }
    }
    if (saved < loop.step) await checkpoint();
    if (overBudget())
      logger.warn(
        `the budget of ${options.maxTokens} tokens is spent: ${meter.total()} after step ${loop.step}`,
      );
    if (stopped()) return { path: run.path, step: loop.step, state: "stopped" };
    await evaluate(loop.step);
    const { exportModel, summary } = rest;
    if (exportModel) await writeFolderAtomic(join(run.path, RESULT_FOLDER), exportModel);
    if (summary) logger.info(summary());
    return { path: run.path, step: loop.step, state: "done" };
  }
}

/** The recipe's loop. */
async function* loopOf<S extends RunSample>(
  recipe: Recipe,
  parts: RunParts<S>,
  state: LoopState,
  timeShare: TimeShare,
): AsyncGenerator<{ kind: "grpo"; step: GrpoStep } | { kind: "sft"; step: SftStep }> {
  const { engine, source, encode, codec } = parts;
  if (recipe.kind === "grpo") {
    const { minutes: _minutes, ...choices } = recipe.grpo;
    const { fitGrpo = (same) => same } = parts;
    const config = fitGrpo({ ...choices, seed: recipe.seed, rewards: recipe.rewards });
    for await (const step of grpo({ engine, source, encode, codec, config, state, timeShare }))
      yield { kind: "grpo", step };
  } else {
    const { minutes: _minutes, ...config } = recipe.sft;
    for await (const step of sft({
      engine,
      source,
      encode,
      codec,
      teach: parts.teach,
      config,
      state,
      timeShare,
    }))
      yield { kind: "sft", step };
  }
}
