/**
 * @file Rewards of responses that came from anywhere: no model, no image, only sizes, ground truth and texts.
 * Boxes are in pixels of the image, in the ground truth and in the responses alike.
 */
import { z } from "zod";
import { InputError, readJsonl, toError } from "../base/index.js";
import { readJsonlTruth } from "../datasets/jsonl.js";
import type { Sample } from "../datasets/sample.js";
import { parseResponse } from "../response/index.js";
import {
  scoreGroup,
  truthFromSample,
  type ResponseScore,
  type RewardConfig,
  type RewardTruth,
} from "../rewards/index.js";
import { groupAdvantages, type AdvantageKind } from "../rl/advantage.js";

/** A line of the responses file: one group. */
const responseLine = z.object({ id: z.string(), responses: z.array(z.string()).min(1) });

/** The responses to one sample. */
export interface ResponseGroup {
  readonly id: string;
  readonly truth: RewardTruth<"image">;
  readonly responses: readonly string[];
  /** Where the group came from, for messages. */
  readonly where: string;
}

/** What one response earned: a line of `dip-r1 score`. */
export interface ScoredResponse extends Pick<
  ResponseScore,
  "grade" | "format" | "look" | "accuracy" | "total" | "truePositives" | "predictions" | "dropped"
> {
  readonly id: string;
  /** Place in its group, from 0. */
  readonly index: number;
  /** Total compared with the group's (design, 4.5). */
  readonly advantage: number;
}

/**
 * Reads groups of responses and the samples they answer.
 * @throws InputError naming file and line for anything that does not fit.
 */
export async function readResponseGroups(
  samplesPath: string,
  responsesPath: string,
): Promise<ResponseGroup[]> {
  const truths = new Map<string, RewardTruth<"image">>();
  for await (const sample of readJsonlTruth(samplesPath))
    // The picture, which may be missing here, is not looked at.
    truths.set(sample.id, truthFromSample(sample as Sample, { frame: "image" }));
  return (await readJsonl(responsesPath)).map(({ line, value }) => {
    const where = `${responsesPath}:${line}`;
    const parsed = responseLine.safeParse(value);
    if (!parsed.success) {
      const issue = parsed.error.issues[0]!;
      const field = issue.path.length > 0 ? `"${issue.path.join(".")}": ` : "";
      throw new InputError(`${where}: ${field}${issue.message.replace(/^Invalid input: /, "")}`, {
        hint: 'A line has the form {"id","responses":["...", ...]}, one group a line.',
      });
    }
    const { id, responses } = parsed.data;
    const truth = truths.get(id);
    if (truth === undefined)
      throw new InputError(`${where}: there is no sample with the id "${id}" in ${samplesPath}`);
    return { id, truth, responses, where };
  });
}

/**
 * Scores groups of responses.
 * @throws InputError naming the group that cannot be scored (a group of one has no disagreement to look at).
 * @example scoreResponses(await readResponseGroups("samples.jsonl", "responses.jsonl"), recipe.rewards)
 */
export function scoreResponses(
  groups: readonly ResponseGroup[],
  rewards: RewardConfig,
  options: { readonly advantage?: AdvantageKind } = {},
): ScoredResponse[] {
  const scored = groups.map(({ truth, responses, where }) => {
    try {
      const parsed = responses.map((text) => parseResponse<"image">(text, truth.size));
      return scoreGroup(truth, parsed, rewards).responses;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      throw new InputError(`${where}: ${toError(error).message}`, { hint: error.hint, cause: error });
    }
  });
  const { advantages } = groupAdvantages(
    scored.map((group) => group.map(({ total }) => total)),
    { kind: options.advantage ?? "group" },
  );
  return groups.flatMap(({ id }, g) =>
    scored[g]!.map((score, index) => ({
      id,
      index,
      grade: score.grade,
      format: score.format,
      look: score.look,
      accuracy: score.accuracy,
      total: score.total,
      advantage: advantages[g]![index]!,
      truePositives: score.truePositives,
      predictions: score.predictions,
      dropped: score.dropped,
    })),
  );
}
