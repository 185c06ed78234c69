/** @file The doctor's checks of real responses: can they be read, are they in the right frame, do they differ enough to teach. */
import { readJsonl, InputError } from "../base/index.js";
import type { Sample } from "../datasets/index.js";
import {
  checkFrame,
  boxFromAnswer,
  frameWarning,
  type Box,
  type CoordinateProfile,
  type FrameEvidence,
} from "../geometry/index.js";
import { coordinateProfiles, type AnswerFrame } from "../geometry/profiles.js";
import { parseResponse, type Grade } from "../response/index.js";
import { explainGroup, type RewardConfig, type RewardTruth } from "../rewards/index.js";
import { qwenCodec, responseText } from "../rl/index.js";
import { check, type Check } from "./doctor-check.js";
import type { DoctorModel, DoctorSample } from "./doctor-model.js";
import type { LoadedRecipe } from "./recipe.js";

/** Real responses to one image. */
export interface RealGroup {
  readonly id: string;
  readonly texts: readonly string[];
  /** What there is to find, where it is known: without it only the form is judged. */
  readonly truth?: RewardTruth<AnswerFrame>;
  readonly image?: Pick<Sample, "width" | "height">;
  /** Responses that were ended by the token limit, where it is known. */
  readonly cut?: number;
}

/** Responses of a model. */
export type RealResponses = readonly RealGroup[];

/** Responses asked of each image. */
const PER_IMAGE = 4;

/**
 * Reads responses from a file: lines of `{"responses": ["...", ...]}`, `{"text": "..."}` (a run's rollouts.jsonl) or bare
 * JSON strings.
 * @throws InputError for a line that is none of them.
 */
export async function readRealResponses(path: string): Promise<RealResponses> {
  const lines = await readJsonl(path);
  return lines.map(({ line, value }): RealGroup => {
    const id = `line ${line}`;
    const fields = (typeof value === "object" && value !== null ? value : {}) as Record<string, unknown>;
    const texts = typeof value === "string" ? [value] : (fields["responses"] ?? [fields["text"]]);
    if (Array.isArray(texts) && texts.every((text) => typeof text === "string")) return { id, texts };
    throw new InputError(`${path}:${line}: no response`, {
      hint: 'A line is {"responses": ["...", ...]}, {"text": "..."} or one JSON string.',
    });
  });
}

/** Asks the model, as training would. */
export async function sampleResponses(
  { recipe }: LoadedRecipe,
  { directory }: DoctorModel,
  all: readonly DoctorSample[],
): Promise<RealResponses> {
  const { openLocalModel } = await import("../engines/local/engine.js");
  const sampling = recipe.kind === "grpo" ? recipe.grpo.sampling : { temperature: 1, topP: 1, topK: 0 };
  const { maxTokens, maxBoxRepeats } = recipe.kind === "grpo" ? recipe.grpo.sampling : recipe.evaluation;
  const model = await openLocalModel({
    modelDir: directory,
    device: recipe.engine.device,
    maxPixels: recipe.engine.maxPixels,
  });
  try {
    const codec = qwenCodec(model.processor, model.config.tokens.eos);
    const rollouts = await model.sampler.sampleBatch(
      all.map(({ encoded }) => encoded.prompt),
      all.map((_, i) => ({
        ...sampling,
        maxTokens,
        maxBoxRepeats,
        n: PER_IMAGE,
        seed: recipe.seed + i,
        stop: codec.endTokens,
      })),
    );
    return all.map(({ sample, encoded }, i) => ({
      id: sample.id,
      texts: rollouts[i]!.map((rollout) => responseText(rollout, codec)),
      truth: encoded.truth,
      image: sample,
      cut: rollouts[i]!.filter(({ stopReason }) => stopReason === "length").length,
    }));
  } finally {
    await model.close();
  }
}

const GRADES: readonly Grade[] = ["strict", "repaired", "truncated", "none"];
/** A canvas that clips nothing that a model would write. */
const UNBOUNDED = { width: 1e9, height: 1e9 };

function gradeCheck(real: RealResponses): Check {
  const grades = real.flatMap(({ texts, truth }) =>
    texts.map((text) => parseResponse(text, truth?.size ?? UNBOUNDED).grade),
  );
  const count = (grade: Grade) => grades.filter((one) => one === grade).length;
  const histogram = GRADES.map((grade) => `${grade} ${count(grade)}`).join(", ");
  const cut = real.reduce((sum, one) => sum + (one.cut ?? 0), 0);
  const found = `${grades.length} responses: ${histogram}${cut > 0 ? `; ${cut} ended by the token limit` : ""}`;
  const [none, strict] = [count("none") / grades.length, count("strict") / grades.length];
  return check(
    "real responses can be read",
    none === 1 ? "fail" : none > 0.5 || strict < 0.1 ? "warn" : "pass",
    found,
    none > 0.5
      ? "Accuracy is 0 where nothing can be read, and nothing is learned from it: teach the form by SFT first (recipes/sft.yaml), or take the prompt the model knows."
      : "The format reward is 0 almost everywhere: training will move the form first. A little SFT (recipes/sft.yaml) spares that.",
  );
}

function evidenceOf({ texts, truth, image }: RealGroup, profile: CoordinateProfile): FrameEvidence[] {
  if (truth === undefined || image === undefined) return [];
  const model = { width: truth.size.width, height: truth.size.height };
  const toImage = (box: Box<AnswerFrame>) => boxFromAnswer(box, profile, { image, model });
  return texts.map((text) => ({
    written: (parseResponse(text, UNBOUNDED).answer?.boxes ?? []).map(
      ({ box: { x1, y1, x2, y2 } }) => [x1, y1, x2, y2] as const,
    ),
    truth: truth.objects.map(({ box }) => toImage(box)),
    ignore: truth.ignore.map(toImage),
    image,
    ...(profile === "absolute" && { model }),
  }));
}

function frameCheck(real: RealResponses, profile: CoordinateProfile): Check {
  const name = "real responses are in the right frame";
  const evidence = real.flatMap((group) => evidenceOf(group, profile));
  if (evidence.length === 0) return check(name, "skip", "the ground truth of these responses is not known");
  const finding = checkFrame(evidence, { scale: coordinateProfiles[profile], layout: "xyxy" });
  const warning = frameWarning(finding);
  return check(
    name,
    warning === undefined ? "pass" : "fail",
    warning ?? `no other frame or order of numbers fits better (soft F1 ${finding.declared.fit.toFixed(2)})`,
    "Set profile in the recipe to what the model speaks, or teach it the declared frame by SFT.",
  );
}

function spreadCheck(real: RealResponses, rewards: RewardConfig): { check: Check; example?: string } {
  const name = "rewards differ within groups";
  const groups = real.flatMap(({ truth, texts, id }) =>
    truth === undefined || texts.length < 2 ? [] : [{ id, texts, explained: explainGroup(truth, texts, rewards) }],
  );
  if (groups.length === 0) return { check: check(name, "skip", "needs groups of responses with ground truth") };
  const flat = groups.filter(({ explained: { responses } }) =>
    responses.every(({ total }) => Math.abs(total - responses[0]!.total) < 1e-8),
  ).length;
  const all = groups.flatMap(({ explained }) => explained.responses);
  const mean = all.reduce((sum, { total }) => sum + total, 0) / all.length;
  const { id, texts, explained } = groups[0]!;
  const [first] = explained.responses;
  const example = [
    `${id}, response 0: ${texts[0]!.slice(0, 400)}${texts[0]!.length > 400 ? "..." : ""}`,
    ...first!.terms.map(({ part, value, because }) => `  ${part} ${value.toFixed(3)}: ${because}`),
  ].join("\n");
  return {
    example,
    check: check(
      name,
      flat === groups.length ? "fail" : flat > groups.length / 2 ? "warn" : "pass",
      `mean reward ${mean.toFixed(2)}; ${flat} of ${groups.length} groups earn all the same`,
      "Such groups give no gradient. Sample at temperature 1, take images that are neither trivial nor hopeless, or begin from a better model.",
    ),
  };
} // prettier-ignore

/** Judges real responses. */
export function responseChecks(
  real: RealResponses,
  profile: CoordinateProfile,
  rewards: RewardConfig,
): { readonly checks: readonly Check[]; readonly example?: string } {
  const spread = spreadCheck(real, rewards);
  return {
    checks: [gradeCheck(real), frameCheck(real, profile), spread.check],
    ...(spread.example !== undefined && { example: spread.example }),
  };
}
