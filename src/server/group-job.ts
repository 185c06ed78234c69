/**
 * @file One group scored within limits: what a worker thread does, without the thread. A response that breaks a limit earns
 * nothing, says why, and counts for its group as one without an answer; the others are scored as ever.
 */
import { toError } from "../base/errors.js";
import { parseResponse, type Grade, type ParsedResponse } from "../response/index.js";
import {
  accuracyReward,
  formatReward,
  scoreGroup,
  type ResponseScore,
  type RewardConfig,
  type RewardTruth,
} from "../rewards/index.js";

/** Why one response has an error of its own. */
export type ResponseErrorCode = "too-many-boxes" | "over-time" | "failed";

/** An error of one response. */
export interface ResponseError {
  readonly code: ResponseErrorCode;
  readonly message: string;
}

/** A group to be scored. */
export interface GroupJob {
  readonly truth: RewardTruth;
  readonly responses: readonly string[];
  /** No look reward: it is left out of the total, and a group of one will do. */
  readonly withoutLook: boolean;
}

/** How a job is done. */
export interface JobOptions {
  readonly rewards: RewardConfig;
  /** Boxes of a response. */
  readonly responseBoxes: number;
  /** Responses that are known to fail, by index. */
  readonly excluded?: ReadonlyMap<number, ResponseError>;
  /** Called before each response is measured alone, and with the number of responses before the group is scored. */
  readonly announce?: (index: number) => void;
}

/** What one response earned; all zero where it has an error. */
export interface ScoredResponse {
  readonly grade: Grade;
  readonly format: number;
  /** `null`: not asked for. */
  readonly look: number | null;
  readonly accuracy: number;
  readonly total: number;
  readonly precision: number;
  readonly recall: number;
  readonly truePositives: number;
  readonly predictions: number;
  readonly dropped: number;
  readonly error?: ResponseError;
}

/** The score of a response that cannot be scored. */
export function failedResponse(error: ResponseError, withoutLook: boolean): ScoredResponse {
  return {
    grade: "none",
    format: 0,
    look: withoutLook ? null : 0,
    accuracy: 0,
    total: 0,
    precision: 0,
    recall: 0,
    truePositives: 0,
    predictions: 0,
    dropped: 0,
    error,
  };
}

const NOTHING: ParsedResponse = { grade: "none" };

function boxCount({ look, answer }: ParsedResponse): number {
  let count = 0;
  for (const section of [look, answer]) count += (section?.boxes.length ?? 0) + (section?.dropped ?? 0);
  return count;
}

/**
 * Scores a group. With `announce` each response is read and matched alone first, so that a watcher knows which one is
 * slow; the results are the same.
 * @throws InputError for a group of one with its look reward
 */
export function scoreJob(job: GroupJob, options: JobOptions): ScoredResponse[] {
  const { truth, responses, withoutLook } = job;
  const { rewards, responseBoxes, announce } = options;
  const errors = new Map<number, ResponseError>(options.excluded);
  const parsed = responses.map((text, index) => {
    if (errors.has(index)) return NOTHING;
    announce?.(index);
    const response = read(text, truth);
    if ("error" in response) {
      errors.set(index, response.error);
      return NOTHING;
    }
    const boxes = boxCount(response);
    if (boxes > responseBoxes) {
      errors.set(index, {
        code: "too-many-boxes",
        message: `${boxes} boxes in one response, at most ${responseBoxes} are scored`,
      });
      return NOTHING;
    }
    if (announce !== undefined) accuracyReward(truth, response, rewards.accuracy);
    return response;
  });
  announce?.(responses.length);
  const scores = withoutLook
    ? parsed.map((response) => scoreAlone(truth, response, rewards))
    : scoreGroup(truth, parsed, rewards).responses.map(toScored);
  return scores.map((score, index) => {
    const error = errors.get(index);
    return error === undefined ? score : failedResponse(error, withoutLook);
  });
}

function read(text: string, truth: RewardTruth): ParsedResponse | { readonly error: ResponseError } {
  try {
    return parseResponse(text, truth.size);
  } catch (error) {
    // The parser is made never to throw: a defect must not take the rest of the group with it.
    return { error: { code: "failed", message: toError(error).message } };
  }
}

function toScored(score: ResponseScore): ScoredResponse {
  const { matches: _matches, ...rest } = score;
  return rest;
}

/** The total without its look term; precision and recall are of the answer alone, so no group is needed. */
function scoreAlone(truth: RewardTruth, response: ParsedResponse, rewards: RewardConfig): ScoredResponse {
  const { value: accuracy, precision, recall, match } = accuracyReward(truth, response, rewards.accuracy);
  const format = formatReward(response);
  return {
    grade: response.grade,
    format,
    look: null,
    accuracy,
    total: rewards.weights.format * format + rewards.weights.accuracy * accuracy,
    precision,
    recall,
    truePositives: match.truePositives,
    predictions: match.predictions,
    dropped: response.answer?.dropped ?? 0,
  };
}
