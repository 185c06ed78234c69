/**
 * @file Writes the canonical response, which the parser reads back at grade `strict` (design, 4.1): the teacher's text for SFT.
 * Compact JSON without spaces, whole numbers. A look region is `{"bbox_2d":[x1,y1,x2,y2]}` without a label: it begins with the
 * same tokens as an instance and costs only its numbers more.
 */
import { InputError } from "../base/errors.js";
import type { Box, Frame } from "../geometry/box.js";
import { roundBox } from "../geometry/overlap.js";
import { findTags } from "./tags.js";

/** An instance to be written. */
export interface LabelledBox<F extends Frame = Frame> {
  readonly box: Box<F>;
  readonly label: string;
}

/** `objects` = the canonical form; `arrays` = bare `[x1,y1,x2,y2]`, which tells no label (for tasks of one label). */
export type ResponseStyle = "objects" | "arrays";

/** What a response says. */
export interface ResponseContent<F extends Frame = Frame> {
  /** Must not hold one of the six tags. */
  readonly think: string;
  readonly look: readonly Box<F>[];
  readonly answer: readonly LabelledBox<F>[];
  /** @default "objects" */
  readonly style?: ResponseStyle;
}

function corners(box: Box): string {
  const rounded = roundBox(box);
  const numbers = [rounded.x1, rounded.y1, rounded.x2, rounded.y2];
  if (!numbers.every(Number.isSafeInteger) || !(box.x2 > box.x1 && box.y2 > box.y1)) {
    throw new InputError(`a response cannot hold the box [${box.x1}, ${box.y1}, ${box.x2}, ${box.y2}]`, {
      hint: "Boxes need finite numbers with x2 > x1 and y2 > y1; clip them to the frame first.",
    });
  }
  // Adding 0 turns -0 into 0.
  return `[${numbers.map((value) => value + 0).join(",")}]`;
}

/** A label as JSON in which no tag can stand. */
function quote(label: string): string {
  return JSON.stringify(label).replaceAll("<", "\\u003c");
}

/**
 * The canonical text. Numbers are rounded to whole ones, x2 > x1 and y2 > y1 stay true.
 *
 * @example
 * renderResponse({ think: "1 person.", look: [], answer: [{ box: box(1, 2, 30, 40), label: "person" }] });
 * // <think>1 person.</think><look>[]</look><answer>[{"bbox_2d":[1,2,30,40],"label":"person"}]</answer>
 *
 * @throws InputError for a box that is empty or not finite, or a think text that holds a tag.
 */
export function renderResponse<F extends Frame>(content: ResponseContent<F>): string {
  const { think, look, answer, style = "objects" } = content;
  if (findTags(think).length > 0) {
    throw new InputError("the think text holds one of the tags that mark the sections of a response", {
      hint: "Remove <think>, <look>, <answer> and their closing tags from it.",
    });
  }
  const bare = style === "arrays";
  const regions = look.map((box) => (bare ? corners(box) : `{"bbox_2d":${corners(box)}}`));
  const instances = answer.map(({ box, label }) =>
    bare ? corners(box) : `{"bbox_2d":${corners(box)},"label":${quote(label)}}`,
  );
  return `<think>${think}</think><look>[${regions.join(",")}]</look><answer>[${instances.join(",")}]</answer>`;
}
