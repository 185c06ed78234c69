/**
 * @file Checks the whole chain before a GPU is spent: data, frames, prompt, answers, token budget, rewards, and the parser on
 * real responses. Each check says what it saw and, where that is not well, what to do.
 */
import { auditRewards, exploits } from "../rewards/index.js";
import type { LoadedRecipe } from "./recipe.js";
import { check, failed, type Check } from "./doctor-check.js";
import { dataChecks } from "./doctor-data.js";
import { modelChecks, openDoctorModel } from "./doctor-model.js";
import { responseChecks, sampleResponses, type RealResponses } from "./doctor-responses.js";

/** Options of {@link examine}. */
export interface DoctorOptions {
  /** Samples that are decoded, encoded and answered. @default 16 */
  readonly samples?: number;
  /** Images that the model answers; 0 = none is asked. @default 4 */
  readonly ask?: number;
  /** Responses that were had elsewhere, instead of asking the model. */
  readonly responses?: RealResponses;
  /** Told of each check as it begins. */
  readonly onStage?: (name: string) => void;
}

/** What the doctor found. */
export interface DoctorReport {
  readonly checks: readonly Check[];
  /** No check failed. */
  readonly healthy: boolean;
  /** One scored response, to be looked at by a person. */
  readonly example?: string;
}

function rewardChecks({ recipe }: LoadedRecipe): Check[] {
  const { rewards } = recipe;
  const report = auditRewards(rewards, {
    draws: 1,
    exploits: exploits.filter(({ heavy }) => heavy !== true),
  });
  const beaten = report.rows.filter(({ verdict }) => verdict === "fail").map(({ name }) => name);
  const audit = check(
    "rewards cannot be gamed",
    report.passed ? "pass" : "warn",
    report.passed
      ? `none of ${report.rows.length} known exploits earns more than an honest good response`
      : `more than an honest good response: ${beaten.join(", ")}`,
    "`dip-r1 audit --recipe ...` shows what each earns; docs/rewards.md names the option that answers it.",
  );
  if (recipe.kind !== "grpo") return [audit];
  const { groupSize } = recipe.grpo;
  const small = rewards.weights.look > 0 && groupSize < 4;
  return [
    audit,
    check(
      "group is large enough",
      small ? "warn" : "pass",
      `${groupSize} responses to each image`,
      "The look reward is the disagreement of a group: with fewer than 4 there is little of it. Raise grpo.groupSize.",
    ),
  ];
}

/**
 * Runs every check of a recipe.
 *
 * @param loaded a recipe that was read; data, model and engine may be missing, which is then a failed check
 * @example (await examine(await loadRecipe("recipes/start.yaml"))).healthy
 */
export async function examine(loaded: LoadedRecipe, options: DoctorOptions = {}): Promise<DoctorReport> {
  const { samples: count = 16, ask = 4, responses, onStage } = options;
  const checks: Check[] = [];
  onStage?.("data");
  const data = await dataChecks(loaded, count);
  checks.push(...data.checks);
  onStage?.("model");
  const model = await openDoctorModel(loaded);
  checks.push(model.check);
  let example: string | undefined;
  if (model.opened === undefined || data.samples.length === 0) {
    const why = model.opened === undefined ? "needs the model folder" : "needs data";
    checks.push(check("answers, frames and tokens", "skip", why));
  } else {
    onStage?.("answers, frames and tokens");
    const { checks: found, encoded } = await modelChecks(loaded, model.opened, data);
    checks.push(...found);
    onStage?.("real responses");
    const name = "real responses can be read";
    try {
      const real =
        responses ?? (ask > 0 ? await sampleResponses(loaded, model.opened, encoded.slice(0, ask)) : undefined);
      if (real === undefined) checks.push(check(name, "skip", "none were asked for"));
      else {
        const read = responseChecks(real, model.opened.profile, loaded.recipe.rewards);
        checks.push(...read.checks);
        example = read.example;
      }
    } catch (error) {
      checks.push(failed(name, error));
    }
  }
  onStage?.("rewards");
  checks.push(...rewardChecks(loaded));
  return {
    checks,
    healthy: checks.every(({ status }) => status !== "fail"),
    ...(example !== undefined && { example }),
  };
} // prettier-ignore
