/**
 * @file How boxes are wrapped in text: the Think-Look-Answer grammar, JSON objects with a key, markers around nested
 * lists, bare lists. Each form can be told by what it must contain; what is seen in a response is only ever used to
 * report that it is not the declared one.
 */

/** A form. */
export type Form = "think-look-answer" | "bbox_2d" | "box_2d" | "det-markers" | "box-markers" | "list";

/** What each form is, for messages. */
export const formWords: Readonly<Record<Form, string>> = {
  "think-look-answer": "Think-Look-Answer sections",
  bbox_2d: 'JSON objects with "bbox_2d"',
  box_2d: 'JSON objects with "box_2d"',
  "det-markers": "<|det|> markers",
  "box-markers": "<box> markers",
  list: "bare lists of numbers",
};

/** What a text must hold to be of a form; a bare list is what holds none of these. */
const signs: readonly (readonly [Form, readonly string[]])[] = [
  ["think-look-answer", ["<look>", "<answer>"]],
  ["det-markers", ["<|det|>"]],
  ["box-markers", ["<box>"]],
  ["bbox_2d", ["bbox_2d"]],
  ["box_2d", ["box_2d"]],
];

/** Four numbers in brackets; what a number may be followed by is never part of one, so a failed match costs one pass. */
const FOUR = /\[\s*-?\d+(?:\.\d+)?\s*(?:,\s*-?\d+(?:\.\d+)?\s*){3}\]/;

/** Every form that a text shows signs of; `list` where it has a bare list and no other sign. Linear. */
export function formsSeen(text: string): Form[] {
  // "bbox_2d" holds no "box_2d" of its own: the longer word is taken out first.
  const shorter = text.replaceAll("bbox_2d", "");
  const seen = signs.flatMap(([form, words]) =>
    words.some((word) => (form === "box_2d" ? shorter : text).includes(word)) ? [form] : [],
  );
  return seen.length > 0 ? seen : FOUR.test(text) ? ["list"] : [];
}

/** Text that ends a response and is no part of it, where a server leaves special tokens in. */
const ENDS = ["<|im_end|>", "<|endoftext|>", "<｜end▁of▁sentence｜>", "<eos>", "<end_of_turn>"];

/** A response without end tokens behind it. */
export function withoutEndTokens(text: string): string {
  let rest = text.trimEnd();
  for (;;) {
    const end = ENDS.find((token) => rest.endsWith(token));
    if (end === undefined) return rest.length === text.trimEnd().length ? text : rest;
    rest = rest.slice(0, -end.length).trimEnd();
  }
}
