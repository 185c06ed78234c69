/**
 * @file Rewards of responses that came from anywhere: no model, no image, only sizes, ground truth and texts.
 * Boxes are in pixels of the image, in the ground truth and in the responses alike.
 */
import { z } from "zod";
import { InputError, readJsonl, toError } from "../base/index.js";
import { readJsonlTruth } from "../datasets/jsonl.js";
import type { ImageSource } from "../datasets/sample.js";
import { parseResponse } from "../response/index.js";
import {
  explainGroup,
  scoreGroup,
  truthFromSample,
  type ExplainedGroup,
  type ExplainedResponse,
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
  /** Where the pixels are, if the samples say so; only pictures need them. */
  readonly image?: ImageSource;
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
  const samples = new Map<string, Pick<ResponseGroup, "truth" | "image">>();
  for await (const sample of readJsonlTruth(samplesPath))
    samples.set(sample.id, {
      truth: truthFromSample(sample, { frame: "image" }),
      ...(sample.image && { image: sample.image }),
    });
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
    const sample = samples.get(id);
    if (sample === undefined)
      throw new InputError(`${where}: there is no sample with the id "${id}" in ${samplesPath}`);
    return { id, ...sample, responses, where };
  });
}

/** Runs the work; an error says where its input came from. */
function naming<T>(where: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(`${where}: ${toError(error).message}`, { hint: error.hint, cause: error });
  }
}

/** A group taken apart, with what training would make of it: a line of `dip-r1 score --explain`. */
export interface ExplainedScores extends Omit<ExplainedGroup<"image">, "responses"> {
  readonly id: string;
  readonly image?: ImageSource;
  readonly responses: readonly (ExplainedResponse<"image"> & { readonly advantage: number })[];
}

/**
 * Explains groups of responses; the numbers are those of {@link scoreResponses}.
 * @throws InputError naming the group that cannot be scored.
 */
export function explainResponses(
  groups: readonly ResponseGroup[],
  rewards: RewardConfig,
  options: { readonly advantage?: AdvantageKind } = {},
): ExplainedScores[] {
  const explained = groups.map(({ truth, responses, where }) =>
    naming(where, () => explainGroup(truth, responses, rewards)),
  );
  const { advantages } = groupAdvantages(
    explained.map(({ responses }) => responses.map(({ total }) => total)),
    { kind: options.advantage ?? "group" },
  );
  return groups.map(({ id, image }, g) => {
    const { responses, ...group } = explained[g]!;
    return {
      id,
      ...group,
      ...(image && { image }),
      responses: responses.map((one, i) => ({ ...one, advantage: advantages[g]![i]! })),
    };
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
  const scored = groups.map(({ truth, responses, where }) =>
    naming(where, () => {
      const parsed = responses.map((text) => parseResponse<"image">(text, truth.size));
      return scoreGroup(truth, parsed, rewards).responses;
    }),
  );
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
