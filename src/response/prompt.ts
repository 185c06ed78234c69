/**
 * @file The user's text beside the image: the Think-Look-Answer task in words. The paper's own prompt is not at hand, so
 * these are ours, known by name: a result is only comparable with one that was had with the same prompt. A text that
 * changes gets a new name.
 */
import { InputError } from "../base/errors.js";
import type { CoordinateProfile } from "../geometry/profiles.js";

/** A named prompt. */
export interface PromptTemplate {
  /** What it is for. */
  readonly description: string;
  /** The user's text for these labels (at least one), in the numbers that the model speaks. */
  readonly text: (labels: readonly string[], profile?: CoordinateProfile) => string;
}

/** `a`, `a and b`, `a, b and c`. */
function list(labels: readonly string[], last: string): string {
  if (labels.length < 2) return labels.join("");
  return `${labels.slice(0, -1).join(", ")} ${last} ${labels.at(-1)}`;
}

/** What the numbers of a box count. */
const units: Readonly<Record<CoordinateProfile, string>> = {
  absolute: "whole pixels of the image",
  norm1000: "whole thousandths of the image's width and height (0 to 1000)",
};

/** All prompts by name. */
export const prompts = {
  "dip-r1": {
    description: "the whole task in full sentences, for published Qwen2.5-VL models",
    text: (labels, profile = "absolute") =>
      [
        `Find every ${list(labels, "and every")} in this image. Leave none out: count also those that are small, ` +
          "cut off by the border or mostly hidden behind others, and give each of them a box of its own.",
        "Work in three steps and write exactly three sections, with nothing before, between or after them.",
        "<think> Describe the scene as a whole in one or two sentences: what is there, how many, where it is dense. </think>",
        "<look> Name the regions where you could be wrong, such as groups that overlap or shapes hard to make out, as a JSON " +
          'array: [{"bbox_2d": [x1, y1, x2, y2]}, ...] </look>',
        "<answer> List all instances as a JSON array: " +
          `[{"bbox_2d": [x1, y1, x2, y2], "label": "${labels[0]}"}, ...] </answer>`,
        `Coordinates are ${units[profile]}, left, top, right, bottom.` +
          (labels.length > 1 ? ` The label is one of: ${labels.join(", ")}.` : "") +
          " An array with nothing to list is [].",
      ].join("\n"),
  },
  "dip-r1-short": {
    description: "one short sentence, for small models that learned the form of the response by SFT",
    text: (labels) => `Detect every ${list(labels, "and")}.`,
  },
} satisfies Record<string, PromptTemplate>;

/** Name of a prompt. */
export type PromptName = keyof typeof prompts;

/** Names of all prompts. */
export const promptNames = Object.keys(prompts) as PromptName[];

/**
 * The user's text of a named prompt.
 * @param labels what to find; `["person"]` unless told.
 * @param profile what its numbers are; a text that names no unit is the same for all.
 * @throws InputError for a name that is none (with the names there are) and for an empty list of labels.
 */
export function promptText(
  name: string,
  labels: readonly string[] = ["person"],
  profile: CoordinateProfile = "absolute",
): string {
  if (!Object.hasOwn(prompts, name)) {
    throw new InputError(`there is no prompt named "${name}"`, {
      hint: `Choose one of: ${promptNames.join(", ")}.`,
    });
  }
  if (labels.length === 0) {
    throw new InputError("a prompt needs at least one label", { hint: 'For example: labels: ["person"].' });
  }
  const template: PromptTemplate = prompts[name as PromptName];
  return template.text(labels, profile);
}
