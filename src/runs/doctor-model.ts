/**
 * @file The doctor's checks of data and model together: the prompt fits, ground truth in the model's dialect earns the
 * maximum, in another frame it does not, and responses fit the token budget. Needs the model's folder, not its weights.
 */
import type { Sample } from "../datasets/index.js";
import { modelInspector } from "../datasets/inspect-model.js";
import { type AnswerFrame, type CoordinateProfile, type Frame } from "../geometry/index.js";
import { coordinateProfiles } from "../geometry/profiles.js";
import type { QwenConfig } from "../qwen/config.js";
import type { QwenProcessor } from "../qwen/processor.js";
import { parseResponse } from "../response/index.js";
import { accuracyReward, formatReward, truthFromSample } from "../rewards/index.js";
import { qwenEncoder, qwenTeacher, type EncodedSample } from "../rl/index.js";
import { check, failed, type Check } from "./doctor-check.js";
import type { DoctorData } from "./doctor-data.js";
import { readModelTask } from "./model-task.js";
import { modelFolder } from "./parts.js";
import type { LoadedRecipe } from "./recipe.js";

/** A model folder without its weights. */
export interface DoctorModel {
  readonly directory: string;
  readonly processor: QwenProcessor;
  readonly config: QwenConfig;
  readonly profile: CoordinateProfile;
}

/** A sample and how the model meets it. */
export interface DoctorSample {
  readonly sample: Sample;
  readonly encoded: EncodedSample;
}

/** Reads everything of a model folder but the weights. */
export async function openDoctorModel(
  loaded: LoadedRecipe,
): Promise<{ readonly check: Check; readonly opened?: DoctorModel }> {
  const name = "model folder";
  try {
    const directory = modelFolder(loaded);
    const { loadConfig } = await import("../qwen/config.js");
    const { loadProcessor } = await import("../qwen/processor.js");
    const [config, processor, task] = await Promise.all([
      loadConfig(directory),
      loadProcessor(directory, { maxPixels: loaded.recipe.engine.maxPixels }),
      readModelTask(directory),
    ]);
    const profile = loaded.recipe.profile ?? task.profile;
    return {
      check: check(name, "pass", `${directory}: answers in ${profile === "absolute" ? "pixels of the resized picture" : "thousandths"}`),
      opened: { directory, processor, config, profile },
    };
  } catch (error) {
    return { check: failed(name, error) };
  }
} // prettier-ignore

const maxTokensOf = ({ recipe }: LoadedRecipe) =>
  recipe.kind === "grpo" ? recipe.grpo.sampling.maxTokens : recipe.evaluation.maxTokens;

const tokensOf = ({ prompt }: EncodedSample): number =>
  prompt.chunks.reduce((sum, chunk) => sum + (chunk.kind === "text" ? chunk.tokens.length : chunk.tokens), 0);

function promptCheck(loaded: LoadedRecipe, { config }: DoctorModel, all: readonly DoctorSample[]): Check {
  const longest = Math.max(...all.map(({ encoded }) => tokensOf(encoded)));
  const budget = maxTokensOf(loaded);
  const room = config.text.maxPositions;
  return check(
    "prompt fits",
    longest + budget > room ? "fail" : "pass",
    `${longest} tokens at most with its picture, and ${budget} for the response, of ${room} positions`,
    "Show smaller pictures (engine.maxPixels) or allow shorter responses.",
  );
}

/** What the ground truth earns when it is written as if the answer's canvas were `frame`. */
function earned(
  { sample, encoded: { truth } }: DoctorSample,
  frame: Frame | undefined,
  { processor }: DoctorModel,
  { recipe }: LoadedRecipe,
): { readonly format: number; readonly accuracy: number; readonly text: string; readonly read: string } {
  const { labels } = recipe.data;
  // The teacher writes on the canvas of the truth it is given.
  const answer = frame === undefined ? truth : truthFromSample(sample, { frame, labels });
  const written = qwenTeacher({ labels })(sample, { prompt: { chunks: [] }, truth: answer as typeof truth });
  const { tokenizer } = processor;
  const read = tokenizer.decode(tokenizer.encode(written));
  const response = parseResponse<AnswerFrame>(read, truth.size);
  return {
    format: formatReward(response),
    accuracy: accuracyReward(truth, response, { ...recipe.rewards.accuracy, soft: false }).value,
    text: written,
    read,
  };
} // prettier-ignore

function truthCheck(loaded: LoadedRecipe, model: DoctorModel, all: readonly DoctorSample[]): Check {
  const name = "ground truth earns the maximum";
  const results = all.map((one) => ({ one, ...earned(one, undefined, model, loaded) }));
  const changed = results.find(({ text, read }) => text !== read);
  if (changed !== undefined)
    return check(name, "fail", `${changed.one.sample.id}: the tokenizer does not give back what it is given: ${JSON.stringify(changed.read.slice(0, 60))}`, "The model cannot write this form: it needs a tokenizer that covers digits, brackets and the tags.");
  const short = results.filter(({ format, accuracy }) => format < 1 || accuracy < 1 - 1e-9);
  const mean = results.reduce((sum, { format, accuracy }) => sum + (format + accuracy) / 2, 0) / results.length;
  const worst = short.toSorted((a, b) => a.accuracy - b.accuracy)[0];
  const found =
    worst === undefined
      ? `format 1 and accuracy 1 on ${results.length} samples, written in the model's dialect, tokenized and read back`
      : `${short.length} of ${results.length} samples earn less: ${worst.one.sample.id} format ${worst.format}, accuracy ${worst.accuracy.toFixed(2)}`;
  return check(name, worst === undefined ? "pass" : mean >= 0.9 ? "warn" : "fail", found, "Objects of a pixel or two are lost in whole numbers; larger pictures (engine.maxPixels) keep them. Otherwise prompt, parser and data do not belong together.");
} // prettier-ignore

function wrongFrameCheck(loaded: LoadedRecipe, model: DoctorModel, all: readonly DoctorSample[]): Check {
  const name = "a wrong frame does not earn it";
  const own: Frame = coordinateProfiles[model.profile];
  const peopled = all.filter(({ encoded }) => encoded.truth.objects.length > 0);
  const frames = (["image", "norm1000"] as const).filter((frame) => frame !== own);
  const results = frames.map((frame) => {
    // Where a picture is shown as it is, its pixels are the answer's.
    const other = peopled.filter(({ sample, encoded: { truth: { size } } }) => {
      const canvas = frame === "image" ? sample : { width: 1000, height: 1000 };
      return Math.max(canvas.width / size.width, size.width / canvas.width) > 1.2 || Math.max(canvas.height / size.height, size.height / canvas.height) > 1.2;
    });
    const sum = other.reduce((total, one) => total + earned(one, frame, model, loaded).accuracy, 0);
    return { frame, count: other.length, mean: other.length === 0 ? 0 : sum / other.length };
  });
  const words = { image: "pixels of the original", norm1000: "thousandths" } as const;
  const found = results.map(({ frame, count, mean }) =>
    count === 0 ? `${words[frame]}: the same numbers here` : `${words[frame]}: accuracy ${mean.toFixed(2)} on ${count} samples`).join("; ");
  const fooled = results.some(({ count, mean }) => count > 0 && mean > 0.5);
  if (results.every(({ count }) => count === 0)) return check(name, "skip", found);
  return check(name, fooled ? "fail" : "pass", found, "Answers in the wrong frame would be praised: look at profile and at the data's boxes.");
} // prettier-ignore

function budgetChecks(loaded: LoadedRecipe, { processor, profile }: DoctorModel, many: readonly Sample[], all: readonly DoctorSample[]): Check[] {
  const budget = maxTokensOf(loaded);
  const { labels } = loaded.recipe.data;
  const inspector = modelInspector({
    image: processor.image,
    countTokens: (text) => processor.tokenizer.encode(text).length,
    promptTokens: tokensOf(all[0]!.encoded),
    profile,
    labels,
    maxTokens: [budget],
  });
  for (const sample of many) inspector.add(sample);
  const { tokens, cutOff, small, scale, refused } = inspector.report();
  const cut = cutOff[0]!;
  const share = cut.images / Math.max(1, many.length);
  const where = loaded.recipe.kind === "grpo" ? "grpo.sampling.maxTokens" : "evaluation.maxTokens";
  return [
    check(
      "responses fit the token budget",
      share === 0 ? "pass" : share > 0.2 ? "fail" : "warn",
      `longest ground truth ${tokens.response.max} tokens (about ${tokens.perObject.toFixed(0)} an object) of ${budget}; ${cut.images} of ${many.length} images would be cut off`,
      `Raise ${where} to ${tokens.response.max}, or train on images with fewer objects (where in the dataset).`,
    ),
    check(
      "objects are large enough to see",
      refused > 0 || small.share > 0.3 ? "warn" : "pass",
      `pictures are shown at ${scale.median.toFixed(2)} of their size; ${(100 * small.share).toFixed(0)}% of the objects are under 16 pixels high there` +
        (refused > 0 ? `; ${refused} pictures are too long and narrow to be shown` : ""),
      "Raise max_pixels in the model's preprocessor_config.json, or crop.",
    ),
  ];
} // prettier-ignore

/** Runs the checks of data and model together. */
export async function modelChecks(
  loaded: LoadedRecipe,
  model: DoctorModel,
  { samples, many }: DoctorData,
): Promise<{ readonly checks: readonly Check[]; readonly encoded: readonly DoctorSample[] }> {
  const { prompt, data } = loaded.recipe;
  try {
    const encode = qwenEncoder(model.processor, { prompt, labels: data.labels, profile: model.profile });
    const all: DoctorSample[] = [];
    for (const sample of samples) all.push({ sample, encoded: await encode(sample) });
    return {
      encoded: all,
      checks: [
        promptCheck(loaded, model, all),
        truthCheck(loaded, model, all),
        wrongFrameCheck(loaded, model, all),
        ...budgetChecks(loaded, model, many, all),
      ],
    };
  } catch (error) {
    return { encoded: [], checks: [failed("answers, frames and tokens", error)] };
  }
}
