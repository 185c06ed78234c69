/**
 * @file Reads a section that is exactly what the grammar asks for (design, 4.1): one JSON array of `[x1,y1,x2,y2]` or
 * `{"bbox_2d":[x1,y1,x2,y2],"label":"..."}` (the label may be absent, the keys in either order), RFC 8259 to the letter.
 * One pass, no backtracking: where an array fails to read, the search goes on behind the failure.
 */
import type { Frame, FrameSize } from "../geometry/box.js";
import { BoxList } from "./box-list.js";
import { isBlank, type Span } from "./tags.js";
import type { ParsedSection } from "./types.js";

const QUOTE = 34;
const COMMA = 44;
const MINUS = 45;
const DOT = 46;
const ZERO = 48;
const NINE = 57;
const OPEN_SQUARE = 91;
const BACKSLASH = 92;
const CLOSE_SQUARE = 93;
const OPEN_CURLY = 123;
const CLOSE_CURLY = 125;
const FENCE = "```";

/** The answer section: one array, which may stand in a ```json fence; `undefined` if it is anything else. */
export function readStrictAnswer<F extends Frame>(
  text: string,
  span: Span,
  size: FrameSize<F>,
): ParsedSection<F> | undefined {
  const reader = new StrictReader(text, span, size);
  reader.skipSpace();
  const fenced = text.startsWith("```json", reader.at);
  if (fenced) reader.at += 7;
  reader.skipSpace();
  if (!reader.array()) return undefined;
  reader.skipSpace();
  if (fenced) {
    if (!text.startsWith(FENCE, reader.at)) return undefined;
    reader.at += FENCE.length;
  }
  return isBlank(text, reader.at, span.end) ? reader.section() : undefined;
}

/** The look section: prose or nothing, then one array at its end; `undefined` if it is anything else. */
export function readStrictLook<F extends Frame>(
  text: string,
  span: Span,
  size: FrameSize<F>,
): ParsedSection<F> | undefined {
  const reader = new StrictReader(text, span, size);
  for (;;) {
    const open = text.indexOf("[", reader.at);
    if (open < 0 || open >= span.end) return undefined;
    reader.restart(open);
    if (reader.array()) return isBlank(text, reader.at, span.end) ? reader.section() : undefined;
  }
}

class StrictReader<F extends Frame> {
  at: number;
  private list: BoxList<F>;
  private readonly numbers = new Float64Array(4);

  constructor(
    private readonly text: string,
    private readonly span: Span,
    private readonly size: FrameSize<F>,
  ) {
    this.at = span.start;
    this.list = new BoxList(size);
  }

  section(): ParsedSection<F> {
    return { boxes: this.list.boxes, dropped: this.list.dropped };
  }

  /** Forgets what was read and goes on at `open`. */
  restart(open: number): void {
    this.at = open;
    if (this.list.boxes.length > 0 || this.list.dropped > 0) this.list = new BoxList(this.size);
  }

  skipSpace(): void {
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      if (code !== 32 && code !== 10 && code !== 13 && code !== 9) return;
      this.at++;
    }
  }

  /** Consumes one unit, after white space. Sections end at a tag or at the end of the text, which no unit equals. */
  private take(code: number): boolean {
    this.skipSpace();
    if (this.text.charCodeAt(this.at) !== code) return false;
    this.at++;
    return true;
  }

  /** An array of items. On failure `at` is behind its opening bracket, at what could not be read. */
  array(): boolean {
    if (!this.take(OPEN_SQUARE)) return false;
    if (this.take(CLOSE_SQUARE)) return true;
    for (;;) {
      this.skipSpace();
      const code = this.text.charCodeAt(this.at);
      if (code === OPEN_CURLY) {
        if (!this.object()) return false;
      } else if (code === OPEN_SQUARE) {
        const start = this.at;
        if (!this.quadruple()) return false;
        this.add(undefined, start);
      } else return false;
      if (this.take(COMMA)) continue;
      return this.take(CLOSE_SQUARE);
    }
  }

  private add(label: string | undefined, start: number): void {
    const [x1, y1, x2, y2] = this.numbers as unknown as [number, number, number, number];
    this.list.add(x1, y1, x2, y2, label, start, this.at);
  }

  private object(): boolean {
    const start = this.at++;
    let hasBox = false;
    let label: string | undefined;
    do {
      this.skipSpace();
      if (!hasBox && this.text.startsWith('"bbox_2d"', this.at)) {
        this.at += 9;
        if (!this.take(58)) return false;
        this.skipSpace();
        if (!this.quadruple()) return false;
        hasBox = true;
      } else if (label === undefined && this.text.startsWith('"label"', this.at)) {
        this.at += 7;
        if (!this.take(58)) return false;
        this.skipSpace();
        label = this.string();
        if (label === undefined) return false;
      } else return false;
    } while (this.take(COMMA));
    if (!hasBox || !this.take(CLOSE_CURLY)) return false;
    this.add(label, start);
    return true;
  }

  /** Exactly four numbers in brackets, into `numbers`. */
  private quadruple(): boolean {
    if (this.text.charCodeAt(this.at) !== OPEN_SQUARE) return false;
    this.at++;
    for (let i = 0; i < 4; i++) {
      if (i > 0 && !this.take(COMMA)) return false;
      this.skipSpace();
      if (!this.number(i)) return false;
    }
    return this.take(CLOSE_SQUARE);
  }

  private number(index: number): boolean {
    const { text } = this;
    const start = this.at;
    let at = start;
    const negative = text.charCodeAt(at) === MINUS;
    if (negative) at++;
    const digits = at;
    let code = text.charCodeAt(at);
    let value = 0;
    while (code >= ZERO && code <= NINE) {
      value = value * 10 + (code - ZERO);
      code = text.charCodeAt(++at);
    }
    const count = at - digits;
    this.at = at;
    if (count === 0 || (count > 1 && text.charCodeAt(digits) === ZERO)) return false;
    if (code !== DOT && (code | 32) !== 101 && count <= 15) {
      this.numbers[index] = negative ? -value : value;
      return true;
    }
    if (code === DOT) {
      if (!this.digits(at + 1)) return false;
      code = text.charCodeAt(this.at);
    }
    if ((code | 32) === 101) {
      const sign = text.charCodeAt(this.at + 1);
      if (!this.digits(this.at + (sign === 43 || sign === MINUS ? 2 : 1))) return false;
    }
    this.numbers[index] = Number(text.slice(start, this.at));
    return true;
  }

  /** At least one digit from `from` on. */
  private digits(from: number): boolean {
    this.at = from;
    for (;;) {
      const code = this.text.charCodeAt(this.at);
      if (!(code >= ZERO && code <= NINE)) return this.at > from;
      this.at++;
    }
  }

  /** A JSON string; `undefined` if it is none or does not end within the section. */
  private string(): string | undefined {
    const { text } = this;
    if (text.charCodeAt(this.at) !== QUOTE) return undefined;
    const start = this.at++;
    let escaped = false;
    while (this.at < this.span.end) {
      const code = text.charCodeAt(this.at);
      if (code === QUOTE) {
        this.at++;
        // The token has been checked unit by unit, so JSON.parse cannot fail on it.
        return escaped ? String(JSON.parse(text.slice(start, this.at))) : text.slice(start + 1, this.at - 1);
      }
      if (code < 32) return undefined;
      if (code === BACKSLASH) {
        escaped = true;
        if (!this.escape()) return undefined;
      } else this.at++;
    }
    return undefined;
  }

  private escape(): boolean {
    const code = this.text.charCodeAt(this.at + 1);
    if (code === 117) {
      for (let i = 2; i < 6; i++) {
        const hex = this.text.charCodeAt(this.at + i);
        const lower = hex | 32;
        if (!((hex >= ZERO && hex <= NINE) || (lower >= 97 && lower <= 102))) return false;
      }
      this.at += 6;
      return true;
    }
    if (!'"\\/bfnrt'.includes(this.text.charAt(this.at + 1))) return false;
    this.at += 2;
    return this.at <= this.span.end;
  }
}
