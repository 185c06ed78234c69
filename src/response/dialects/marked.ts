/**
 * @file Reads boxes between markers: `<|ref|>person<|/ref|><|det|>[[x1, y1, x2, y2], ...]<|/det|>` (DeepSeek-VL2) and
 * `<ref>person</ref><box>[[...], ...]</box>` (InternVL). One pass over the markers; linear whatever the text.
 */
import type { AnswerFrame } from "../../geometry/profiles.js";
import type { ReadingCanvas } from "../box-list.js";
import { salvage } from "../salvage.js";
import { isBlank } from "../tags.js";
import type { Grade, ParsedBox, ParsedSection } from "../types.js";

/** How a marked form spells its markers. */
export interface Markers {
  readonly refOpen: string;
  readonly refClose: string;
  readonly open: string;
  readonly close: string;
}

/** DeepSeek-VL2's. */
export const detMarkers: Markers = {
  refOpen: "<|ref|>",
  refClose: "<|/ref|>",
  open: "<|det|>",
  close: "<|/det|>",
};
/** InternVL's. */
export const boxMarkers: Markers = { refOpen: "<ref>", refClose: "</ref>", open: "<box>", close: "</box>" };

/** One `[[...], ...]` of whole brackets and numbers, and nothing else. */
const STRICT_BODY = /^\s*\[\s*(?:\[[\d\s.,eE+-]*\]\s*,?\s*)*\]\s*$/;

/** The label that was named last between two places. */
function labelBetween(text: string, from: number, to: number, markers: Markers): string | undefined {
  const open = text.lastIndexOf(markers.refOpen, to);
  if (open < from) return undefined;
  const start = open + markers.refOpen.length;
  const close = text.indexOf(markers.refClose, start);
  const label = text.slice(start, close < 0 || close > to ? to : close).trim();
  return label === "" ? undefined : label;
}

/** Boxes of a marked text; `undefined` where there is no opening marker. */
export function readMarked(
  text: string,
  canvas: ReadingCanvas<AnswerFrame>,
  markers: Markers,
): { readonly grade: Grade; readonly answer?: ParsedSection<AnswerFrame> } | undefined {
  let at = text.indexOf(markers.open);
  if (at < 0) return undefined;
  const boxes: ParsedBox<AnswerFrame>[] = [];
  let [dropped, from, strict, cutOff, empty] = [0, 0, true, false, false];
  while (at >= 0) {
    const label = labelBetween(text, from, at, markers);
    const between = text.slice(from, at);
    const named = label !== undefined && between.trim() === `${markers.refOpen}${label}${markers.refClose}`;
    const start = at + markers.open.length;
    const next = text.indexOf(markers.open, start);
    const ref = text.indexOf(markers.refOpen, start);
    const close = text.indexOf(markers.close, start);
    const limits = [next, ref, text.length].filter((one) => one >= 0);
    const limit = Math.min(...limits);
    const closed = close >= 0 && close <= limit;
    const end = closed ? close : limit;
    const saved = salvage(text, { start, end }, canvas);
    for (const box of saved.section.boxes)
      boxes.push(label === undefined || box.label !== undefined ? box : { ...box, label });
    dropped += saved.section.dropped;
    empty ||= saved.empty;
    strict &&= named && closed && STRICT_BODY.test(text.slice(start, end)) && saved.section.dropped === 0;
    from = closed ? close + markers.close.length : end;
    // Only the end of the text can cut a list off.
    cutOff = !closed && end === text.length && !saved.closed;
    at = next;
  }
  if (boxes.length === 0 && dropped === 0 && !(empty && !cutOff)) return { grade: "none" };
  strict &&= isBlank(text, from, text.length);
  return { grade: cutOff ? "truncated" : strict ? "strict" : "repaired", answer: { boxes, dropped } };
}
