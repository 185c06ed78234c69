/**
 * @file Reads boxes out of a section that is not what the grammar asks for (design, 4.1: fences, quotes, trailing commas,
 * missing brackets, prose, a text cut off). A tokenizer with one unit of memory a level: it never goes back by more than a
 * bounded number of characters, so its cost is linear whatever the text.
 *
 * A box is an innermost bracket pair around exactly four numbers. The braces around it, if any, are its instance and give
 * its label and its span.
 */
import type { Frame, FrameSize } from "../geometry/box.js";
import { BoxList } from "./box-list.js";
import { isSpace, type Span } from "./tags.js";
import type { ParsedSection } from "./types.js";

/** What could be saved, and how whole it was. */
export interface Salvaged<F extends Frame> {
  readonly section: ParsedSection<F>;
  /** Four-number brackets seen, usable or not. */
  readonly quadruples: number;
  /** An empty array was written: "no instance" said outright. */
  readonly empty: boolean;
  /** Every bracket and brace that was opened was closed, and at least one was. */
  readonly closed: boolean;
  /** Nothing but white space and fence marks around the brackets. */
  readonly bare: boolean;
  /** Nothing but white space and fence marks behind the last bracket. */
  readonly bareTail: boolean;
}

/** Longest label that is read in mended text; longer quotes are taken for stray ones. */
const MAX_STRING = 256;
const NON_FINITE = new Map([
  ["nan", NaN],
  ["inf", Infinity],
  ["infinity", Infinity],
]);

/** Saves every complete box of text[start, end). Never throws. */
export function salvage<F extends Frame>(text: string, span: Span, size: FrameSize<F>): Salvaged<F> {
  return new Salvager(text, span, size).run();
}

class Salvager<F extends Frame> {
  private readonly list: BoxList<F>;
  private readonly numbers = new Float64Array(4);
  private at: number;
  private readonly end: number;
  /** Open square brackets. */
  private depth = 0;
  /** Where the innermost open array begins, if nothing but numbers may have been in it so far; else -1. */
  private arrayStart = -1;
  private arrayCount = 0;
  private arrayPure = true;
  /** Where the open object begins, else -1. */
  private objectStart = -1;
  private objectBoxes: { x1: number; y1: number; x2: number; y2: number }[] = [];
  private objectLabel: string | undefined;
  private key: string | undefined;
  private lastString: string | undefined;
  private quadruples = 0;
  private empty = false;
  private opened = false;
  private firstBracket = -1;
  private lastBracket = -1;

  constructor(
    private readonly text: string,
    span: Span,
    size: FrameSize<F>,
  ) {
    this.at = span.start;
    this.end = span.end;
    this.list = new BoxList(size);
  }

  run(): Salvaged<F> {
    const start = this.at;
    while (this.at < this.end) this.token(this.text.charCodeAt(this.at));
    const closed = this.opened && this.depth === 0 && this.objectStart < 0;
    // An object cut off: its box is kept if its four numbers are complete.
    if (this.objectStart >= 0 && this.objectBoxes.length > 0) this.closeObject(this.end);
    const tail = this.lastBracket < 0 ? start : this.lastBracket + 1;
    const bareTail = this.isBare(tail, this.end);
    return {
      section: { boxes: this.list.boxes, dropped: this.list.dropped },
      quadruples: this.quadruples,
      empty: this.empty,
      closed,
      bareTail,
      bare: this.opened && bareTail && this.isBare(start, this.firstBracket),
    };
  }

  /** White space, or a fence and its language. */
  private isBare(from: number, to: number): boolean {
    let start = from;
    let end = to;
    while (start < end && isSpace(this.text.charCodeAt(start))) start++;
    while (end > start && isSpace(this.text.charCodeAt(end - 1))) end--;
    return end - start <= 16 && /^(?:```[a-z]*)?$/.test(this.text.slice(start, end));
  }

  private token(code: number): void {
    switch (code) {
      case 91: // [
        this.bracket();
        this.depth++;
        this.arrayStart = this.at;
        this.arrayCount = 0;
        this.arrayPure = true;
        break;
      case 93: // ]
        this.bracket();
        this.closeArray(this.at + 1);
        if (this.depth > 0) this.depth--;
        break;
      case 123: // {
        this.bracket();
        if (this.objectStart >= 0) this.closeObject(this.at);
        this.objectStart = this.at;
        this.arrayStart = -1;
        break;
      case 125: // }
        this.bracket();
        if (this.arrayStart >= 0 && this.arrayCount === 4 && this.objectStart >= 0) {
          this.closeArray(this.at);
          if (this.depth > 0) this.depth--;
        }
        if (this.objectStart >= 0) this.closeObject(this.at + 1);
        break;
      case 44: // ,
        this.key = undefined;
        break;
      case 58: // :
        this.key = this.lastString;
        break;
      default:
        this.otherToken(code);
        return;
    }
    this.at++;
  }

  private bracket(): void {
    this.opened = true;
    if (this.firstBracket < 0) this.firstBracket = this.at;
    this.lastBracket = this.at;
  }

  private otherToken(code: number): void {
    const inside = this.arrayStart >= 0 || this.objectStart >= 0;
    if (!inside || isSpace(code)) this.at++;
    else if (closersOf(code) !== "") this.quoted(closersOf(code));
    else if (isDigit(code) || ((code === 43 || code === 45 || code === 46) && this.startsNumber()))
      this.number();
    else if (isWord(code) || code === 45 || code === 43) this.word();
    else {
      this.arrayPure = false;
      this.at++;
    }
  }

  private startsNumber(): boolean {
    const next = this.text.charCodeAt(this.at + 1);
    return isDigit(next) || (next === 46 && isDigit(this.text.charCodeAt(this.at + 2)));
  }

  private number(): void {
    const start = this.at++;
    while (this.at < this.end && isNumberUnit(this.text, this.at)) this.at++;
    this.value(Number(this.text.slice(start, this.at)), this.at - start <= 400);
  }

  private value(value: number, readable = true): void {
    if (this.arrayStart < 0) return;
    if (!readable) this.arrayPure = false;
    if (this.arrayCount < 4) this.numbers[this.arrayCount] = value;
    this.arrayCount++;
  }

  private word(): void {
    const start = this.at++;
    while (this.at < this.end && isWord(this.text.charCodeAt(this.at))) this.at++;
    if (this.at - start > MAX_STRING) {
      this.arrayPure = false;
      return;
    }
    const word = this.text.slice(start, this.at);
    if (this.arrayStart < 0) return this.stringValue(word);
    const sign = word.startsWith("-") ? -1 : 1;
    const value = NON_FINITE.get(word.replace(/^[-+]/, "").toLowerCase());
    if (value === undefined) this.arrayPure = false;
    else this.value(sign * value);
  }

  /** A quoted string. Where its closing quote is missing it ends at the next bracket, brace or line. */
  private quoted(closers: string): void {
    const start = this.at + 1;
    const limit = Math.min(this.end, start + MAX_STRING);
    let stop = -1;
    let at = start;
    for (; at < limit; at++) {
      const code = this.text.charCodeAt(at);
      if (code === 92) at++;
      else if (closers.includes(this.text.charAt(at))) {
        // Brackets within quotes belong to the string only if the quote closes where a string may end.
        if (stop >= 0 && !this.delimiterAfter(at + 1)) break;
        this.at = at + 1;
        this.stringToken(unescape(this.text.slice(start, at)));
        return;
      } else if (stop < 0 && (code === 10 || code === 91 || code === 93 || code === 123 || code === 125))
        stop = at;
    }
    if (stop >= 0) {
      this.at = stop;
      this.stringToken(this.text.slice(start, stop).replace(/[,\s]{1,64}$/, ""));
      return;
    }
    // Too long, or the text ended within it: not a string anyone can use.
    this.arrayPure = false;
    this.at = Math.min(at, this.end);
  }

  private delimiterAfter(from: number): boolean {
    let at = from;
    while (at < this.end && at < from + 16 && isSpace(this.text.charCodeAt(at))) at++;
    return at >= this.end || ",:]}".includes(this.text.charAt(at));
  }

  private stringToken(value: string): void {
    if (this.arrayStart < 0) return this.stringValue(value);
    const number = value.trim() === "" ? NaN : Number(value);
    if (Number.isNaN(number)) this.arrayPure = false;
    else this.value(number);
  }

  private stringValue(value: string): void {
    if (this.key === "label" && this.objectStart >= 0) this.objectLabel = value;
    else this.lastString = value;
  }

  private closeArray(end: number): void {
    if (this.arrayStart < 0) return;
    const [x1, y1, x2, y2] = this.numbers as unknown as [number, number, number, number];
    if (this.arrayPure && this.arrayCount === 4) {
      this.quadruples++;
      if (this.objectStart >= 0) this.objectBoxes.push({ x1, y1, x2, y2 });
      else this.list.add(x1, y1, x2, y2, undefined, this.arrayStart, end);
    } else if (this.objectStart < 0) {
      if (this.arrayPure && this.arrayCount === 0) this.empty = true;
      // Numbers within an outer array were meant as a box; a bracket in prose was not.
      else if (this.arrayCount > 0 && this.depth > 1) this.list.dropped++;
    }
    this.arrayStart = -1;
  }

  private closeObject(end: number): void {
    if (this.objectBoxes.length === 0) this.list.dropped++;
    for (const { x1, y1, x2, y2 } of this.objectBoxes) {
      this.list.add(x1, y1, x2, y2, this.objectLabel, this.objectStart, end);
    }
    this.objectBoxes = [];
    this.objectLabel = undefined;
    this.objectStart = -1;
    this.key = undefined;
    this.lastString = undefined;
    this.arrayStart = -1;
  }
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

/** A unit that goes on a number: digits, a point, an exponent with its sign. */
function isNumberUnit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (isDigit(code) || code === 46) return true;
  if ((code | 32) === 101) {
    const next = text.charCodeAt(at + 1);
    return isDigit(next) || ((next === 43 || next === 45) && isDigit(text.charCodeAt(at + 2)));
  }
  return (code === 43 || code === 45) && (text.charCodeAt(at - 1) | 32) === 101;
}

function isWord(code: number): boolean {
  const lower = code | 32;
  return (lower >= 97 && lower <= 122) || isDigit(code) || code === 95 || code > 0x2fff;
}

/** The quotes that close this one; empty where it is no quote. */
function closersOf(code: number): string {
  if (code === 34) return '"';
  if (code === 39) return "'";
  if (code === 0x201c || code === 0x201d) return "\u201c\u201d";
  if (code === 0x2018 || code === 0x2019) return "\u2018\u2019";
  return "";
}

const ESCAPES: Readonly<Record<string, string>> = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };

/** JSON escapes undone; one that JSON does not know stands for its character. */
function unescape(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replace(/\\(?:u([0-9a-fA-F]{4})|([^]))/g, (_, hex?: string, unit?: string) =>
    hex === undefined ? (ESCAPES[unit!] ?? unit!) : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
