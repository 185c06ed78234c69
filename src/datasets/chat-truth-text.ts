/** @file Ground truth out of the text of a chat: `[{"bbox_2d":[...],"label":"..."}]`, with whatever people put around it. */
import { toError } from "../base/errors.js";
import { fieldError, quoted, type Where } from "./fields.js";

/** A box as the text has it, not yet looked at. */
export interface WrittenBox {
  readonly box: unknown;
  readonly label?: string;
}

/**
 * Reads the boxes: inside the last `<answer>` and the last code fence where there are such, as a list of objects with
 * `bbox_2d` (or `bbox`), a list of lists of four, a single one of either, or `None`.
 * @throws AnnotationError naming the field
 */
export function parseTruthText(text: string, where: Where, field: string): WrittenBox[] {
  const answer = /<answer>((?:(?!<answer>)[\s\S])*?)<\/answer>\s*$/.exec(text)?.[1] ?? text;
  const fences = answer.split("```");
  // Between an odd and an even fence is code; the last such piece counts.
  const fenced =
    fences.length >= 3 ? fences[fences.length % 2 === 1 ? fences.length - 2 : fences.length - 3] : answer;
  const body = fenced!.replace(/^json\b/i, "").trim();
  if (body === "" || /^none\.?$/i.test(body)) return [];
  let value: unknown;
  try {
    value = JSON.parse(body) as unknown;
  } catch (error) {
    throw fieldError(
      where,
      field,
      `holds no boxes: ${quoted(text)} is not JSON (${toError(error).message})`,
      'Ground truth is text like [{"bbox_2d":[x1,y1,x2,y2],"label":"person"}], in a ```json fence or not.',
    );
  }
  return toBoxes(value, where, field);
}

/** The same of a value that is JSON already. */
export function toBoxes(value: unknown, where: Where, field: string): WrittenBox[] {
  if (!Array.isArray(value)) return [toBox(value, where, field)];
  if (value.length === 4 && value.every((entry) => typeof entry === "number")) return [{ box: value }];
  return value.map((entry, i) => toBox(entry, where, `${field}[${i}]`));
}

function toBox(value: unknown, where: Where, field: string): WrittenBox {
  if (Array.isArray(value)) return { box: value };
  if (typeof value === "object" && value !== null) {
    const { bbox_2d, bbox, label } = value as Record<string, unknown>;
    const box = bbox_2d ?? bbox;
    if (box !== undefined) return typeof label === "string" && label !== "" ? { box, label } : { box };
  }
  throw fieldError(where, field, `must be a box or an object with bbox_2d, got ${quoted(value)}`);
}
