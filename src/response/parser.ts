/**
 * @file Reads a Think-Look-Answer response and grades how it was written (design, 4.1). A tokenizer: tags in one pass, each
 * section in at most two (strict, then salvage), so the cost is linear in the text. Never throws on what a model wrote.
 *
 * The grade tells how the answer was had:
 * - `strict`: well formed, look and answer each one JSON array.
 * - `repaired`: something had to be mended (fence, quotes, commas, brackets, tags out of place, a missing tag). Look and
 *   answer are then the last complete sections. Where there is no complete answer: the section whose other tag is missing,
 *   and where there is no answer tag at all, the JSON behind the last closed section (the bare JSON of a zero-shot model).
 * - `truncated`: the text ended within the answer's array; its complete boxes are kept (at least one, usable or not).
 * - `none`: no answer could be read, not even an empty array.
 */
import type { Frame, FrameSize } from "../geometry/box.js";
import { salvage, type Salvaged } from "./salvage.js";
import { readStrictAnswer, readStrictLook } from "./strict.js";
import {
  findTags,
  isBlank,
  lastComplete,
  lastIncomplete,
  wellFormedSections,
  type SectionName,
  type Span,
  type Tag,
} from "./tags.js";
import type { Grade, ParsedResponse, ParsedSection } from "./types.js";

interface Candidate extends Span {
  /** The text ended before the section was closed. */
  readonly atEnd: boolean;
  /** No tag says that this is the section. */
  readonly untagged?: boolean;
}

/**
 * Reads one response.
 * @param text what the model wrote, without the end token; anything at all.
 * @param size canvas of the frame its numbers are in; boxes are clipped to it.
 *
 * @example
 * const read = parseResponse<"model">(text, { width: 1092, height: 728 });
 * if (read.grade === "strict") console.log(read.answer?.boxes.length);
 */
export function parseResponse<F extends Frame>(text: string, size: FrameSize<F>): ParsedResponse<F> {
  const tags = findTags(text);
  const sections = wellFormedSections(text, tags);
  if (sections !== undefined) {
    const look = readStrictLook(text, sections.look, size);
    const answer = look === undefined ? undefined : readStrictAnswer(text, sections.answer, size);
    if (look !== undefined && answer !== undefined) {
      return { grade: "strict", think: text.slice(sections.think.start, sections.think.end), look, answer };
    }
  }
  const think = find(text, tags, "think");
  const { grade, answer } = readAnswer(text, findAnswer(text, tags), size);
  const look = readLook(text, find(text, tags, "look"), size);
  return {
    grade,
    ...(think === undefined ? {} : { think: text.slice(think.start, think.end) }),
    ...(look === undefined ? {} : { look }),
    ...(answer === undefined ? {} : { answer }),
  };
}

/** The last complete section of this name, else the last with one tag missing. */
function find(text: string, tags: readonly Tag[], section: SectionName): Candidate | undefined {
  const complete = lastComplete(tags, section);
  return complete === undefined ? lastIncomplete(text, tags, section) : { ...complete, atEnd: false };
}

function findAnswer(text: string, tags: readonly Tag[]): Candidate | undefined {
  const tagged = find(text, tags, "answer");
  if (tagged !== undefined) return tagged;
  const last = tags.at(-1);
  // Boxes within a think or a look section are never taken for an answer.
  if (last !== undefined && !last.closing) return undefined;
  return { start: last?.end ?? 0, end: text.length, atEnd: true, untagged: true };
}

function readAnswer<F extends Frame>(
  text: string,
  candidate: Candidate | undefined,
  size: FrameSize<F>,
): { readonly grade: Grade; readonly answer?: ParsedSection<F> } {
  if (candidate === undefined) return { grade: "none" };
  const saved = salvage(text, candidate, size);
  const { section } = saved;
  const cutOff = candidate.atEnd && !(saved.closed && (candidate.untagged === true || saved.bareTail));
  if (!isReadable(saved, candidate.untagged === true, cutOff)) return { grade: "none" };
  return { grade: cutOff ? "truncated" : "repaired", answer: section };
}

function isReadable<F extends Frame>(saved: Salvaged<F>, untagged: boolean, cutOff: boolean): boolean {
  // Without a tag only real boxes make an answer, or an empty array that stands alone.
  if (untagged) return saved.quadruples > 0 || (saved.empty && saved.bare && !cutOff);
  const { boxes, dropped } = saved.section;
  return boxes.length > 0 || dropped > 0 || (saved.empty && !cutOff);
}

function readLook<F extends Frame>(
  text: string,
  candidate: Candidate | undefined,
  size: FrameSize<F>,
): ParsedSection<F> | undefined {
  if (candidate === undefined || isBlank(text, candidate.start, candidate.end)) return undefined;
  // A look section that is right stays right when something else in the response is wrong.
  const strict = candidate.atEnd ? undefined : readStrictLook(text, candidate, size);
  if (strict !== undefined) return strict;
  const { section, empty } = salvage(text, candidate, size);
  return section.boxes.length > 0 || section.dropped > 0 || empty ? section : undefined;
}
