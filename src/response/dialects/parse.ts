/**
 * @file Reads a response in the declared dialect: boxes in the frame of its profile, the grade of how it was written, and
 * a word where it is in another dialect. An answer of another form is not read: whoever took its numbers for those of the
 * declared frame and order would be guessing.
 */
import type { FrameSize } from "../../geometry/box.js";
import type { AnswerFrame } from "../../geometry/profiles.js";
import type { ReadingCanvas } from "../box-list.js";
import { parseResponse } from "../parser.js";
import { salvage } from "../salvage.js";
import type { Grade, ParsedResponse, ParsedSection } from "../types.js";
import type { Dialect } from "./dialects.js";
import { formsSeen, formWords, withoutEndTokens, type Form } from "./forms.js";
import { boxMarkers, detMarkers, readMarked, type Markers } from "./marked.js";
import { readingCanvas, type Reading } from "./reading.js";

/** A response, read. */
export interface DialectResponse extends ParsedResponse<AnswerFrame> {
  /** In which way the response is not in the declared dialect; absent where it is, and where it names no box at all. */
  readonly mismatch?: string;
}

/** What is read with. */
export interface DialectReader extends Pick<Dialect, "name" | "form"> {
  /** What the numbers count, as declared by the dialect or measured by a calibration. */
  readonly reading: Reading;
}

const markersOf: Partial<Record<Form, Markers>> = { "det-markers": detMarkers, "box-markers": boxMarkers };

/**
 * Reads one response. Never throws on what a model wrote; linear in its length.
 * @param model Size of the picture that was sent; numbers in pixels are pixels of it.
 * @example readDialect(text, dialectOf("deepseek-vl2"), { width: 1024, height: 768 }).answer?.boxes
 */
export function readDialect(
  text: string,
  dialect: DialectReader,
  model: FrameSize<"model">,
): DialectResponse {
  const said = withoutEndTokens(text);
  const canvas = readingCanvas(dialect.reading, model);
  const seen = formsSeen(said);
  const foreign = foreignForm(dialect.form, seen);
  if (foreign !== undefined)
    return {
      grade: "none",
      mismatch: `${formWords[foreign]} instead of ${formWords[dialect.form]} (dialect ${dialect.name})`,
    };
  if (dialect.form === "think-look-answer") return parseResponse<AnswerFrame>(said, canvas);
  const { think, start } = afterThinking(said);
  const thought = think === undefined ? {} : { think };
  const markers = markersOf[dialect.form];
  if (markers !== undefined) {
    // Positions must stay those of the whole text: what was thought is blanked, not cut.
    const marked = readMarked(" ".repeat(start) + said.slice(start), canvas, markers);
    if (marked !== undefined) return { ...marked, ...thought };
    const bare = readLists(said, start, canvas, undefined);
    // A server that leaves special tokens out of its text: the numbers are still those of this dialect.
    return bare.answer === undefined
      ? { ...bare, ...thought }
      : {
          ...bare,
          ...thought,
          mismatch: `no ${formWords[dialect.form]} around the boxes (dialect ${dialect.name}): the server may leave out special tokens`,
        };
  }
  return {
    ...readLists(said, start, canvas, dialect.form === "list" ? undefined : dialect.form),
    ...thought,
  };
}

/** A form that is there although it is not the declared one, and the declared one is not. */
function foreignForm(declared: Form, seen: readonly Form[]): Form | undefined {
  // The answers of a DIP-R1 policy hold JSON like Qwen's, and look regions beside it: tags always tell.
  if (seen.includes("think-look-answer") && declared !== "think-look-answer") return "think-look-answer";
  if (seen.includes(declared)) return undefined;
  return seen.find(
    (form) =>
      form !== "list" &&
      !(declared === "think-look-answer" && (form === "bbox_2d" || form === "think-look-answer")),
  );
}

/** The text of a thinking model before its answer. */
function afterThinking(text: string): { readonly think?: string; readonly start: number } {
  const close = text.lastIndexOf("</think>");
  if (close < 0) return { start: 0 };
  const open = text.indexOf("<think>");
  return { think: text.slice(open >= 0 && open < close ? open + 7 : 0, close), start: close + 8 };
}

const isFour = (value: unknown): boolean =>
  Array.isArray(value) && value.length === 4 && value.every((one) => Number.isFinite(one));

/** Whether a body (a fence may stand around it) is one JSON array of what the form asks for. */
function isWellFormed(body: string, key: string | undefined): boolean {
  const text = body.trim();
  const fenced = text.startsWith("```") && text.endsWith("```") && text.length > 6;
  const inner = fenced ? text.slice(text.startsWith("```json") ? 7 : 3, -3) : text;
  let value: unknown;
  try {
    value = JSON.parse(inner);
  } catch {
    return false;
  }
  if (!Array.isArray(value)) return false;
  return value.every((item: unknown) => {
    if (key === undefined) return isFour(item);
    if (typeof item !== "object" || item === null || Array.isArray(item)) return false;
    const object = item as Record<string, unknown>;
    return isFour(object[key]) && typeof object["label"] === "string";
  });
}

/** JSON lists behind `start`. @param key Of the four numbers; absent = lists without objects. */
function readLists(
  text: string,
  start: number,
  canvas: ReadingCanvas<AnswerFrame>,
  key: string | undefined,
): { readonly grade: Grade; readonly answer?: ParsedSection<AnswerFrame> } {
  const saved = salvage(text, { start, end: text.length }, canvas);
  const { section, closed, empty, bare, quadruples } = saved;
  if (quadruples === 0 && !(empty && bare && closed)) return { grade: "none" };
  if (!closed) return { grade: "truncated", answer: section };
  const strict = section.dropped === 0 && isWellFormed(text.slice(start), key);
  return { grade: strict ? "strict" : "repaired", answer: section };
}
