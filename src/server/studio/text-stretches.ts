/** @file A response's text by what its parts are, so that the page can colour them without a parser of its own. */
import { findTags } from "../../response/tags.js";
import type { TextStretch } from "./api.js";

/** Cuts a text at its tags; a section that is not closed reaches to the next tag. */
export function textStretches(text: string): TextStretch[] {
  const stretches: TextStretch[] = [];
  let at = 0;
  let kind: TextStretch["kind"] = "stray";
  const add = (end: number, what: TextStretch["kind"]) => {
    if (end > at) stretches.push({ start: at, end, kind: what });
    at = end;
  };
  for (const { section, closing, start, end } of findTags(text)) {
    add(start, kind);
    add(end, "tag");
    kind = closing ? "stray" : section;
  }
  add(text.length, kind);
  return stretches;
}
