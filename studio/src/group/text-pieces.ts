/**
 * @file A response's text cut where its sections, its boxes and its tokens begin and end, so that each piece can be coloured
 * and linked. What the model wrote is only ever cut here, never changed: the pieces put together are the text.
 */
import type { TextStretch } from "../../../src/server/studio/api.js";

/** A box's own text, [start, end) in UTF-16 units. */
export interface BoxSpan {
  /** Id of its mark. */
  readonly id: string;
  readonly start: number;
  readonly end: number;
}

/** A stretch of text of one token, or of none where tokens are not shown. */
export interface TokenPiece {
  readonly text: string;
  /** Index of the token. */
  readonly token?: number;
}

/** A stretch of one section and, within a box's text, of one box. */
export interface TextPiece {
  readonly kind: TextStretch["kind"];
  /** Id of the mark whose text this is. */
  readonly box?: string;
  readonly parts: readonly TokenPiece[];
}

/** Whether a span lies within the text and is not empty. */
const usable = (length: number) => (span: { readonly start: number; readonly end: number }) =>
  span.start >= 0 && span.end > span.start && span.end <= length;

/**
 * Cuts a text.
 * @param options.stretches sections; text that none of them covers is `stray`
 * @param options.boxes spans that do not overlap; of two that do, the first one counts
 * @param options.ends where each token ends; text behind the last one belongs to none
 */
export function textPieces(
  text: string,
  options: {
    readonly stretches?: readonly TextStretch[];
    readonly boxes?: readonly BoxSpan[];
    readonly ends?: readonly number[];
  },
): TextPiece[] {
  const fits = usable(text.length);
  const stretches = (options.stretches ?? []).filter(fits);
  const boxes = (options.boxes ?? []).filter(fits).toSorted((a, b) => a.start - b.start);
  const ends = options.ends ?? [];
  const cuts = new Set<number>([0, text.length]);
  for (const { start, end } of [...stretches, ...boxes]) cuts.add(start).add(end);
  // A pair of surrogates is one character: a cut between them would show two broken ones.
  const whole = (end: number) => (text.charCodeAt(end) & 0xfc00) !== 0xdc00;
  for (const end of ends) if (end > 0 && end < text.length && whole(end)) cuts.add(end);
  const at = [...cuts].toSorted((a, b) => a - b);

  const pieces: { kind: TextPiece["kind"]; box?: string; parts: TokenPiece[] }[] = [];
  let [stretch, box, token] = [0, 0, 0];
  for (let i = 0; i + 1 < at.length; i++) {
    const [start, end] = [at[i]!, at[i + 1]!];
    while (stretch < stretches.length && stretches[stretch]!.end <= start) stretch++;
    while (box < boxes.length && boxes[box]!.end <= start) box++;
    // Tokens that add no text (a byte of a character that is not whole yet) end where the one before did.
    while (token < ends.length && ends[token]! <= start) token++;
    const inStretch = stretches[stretch];
    const kind = inStretch !== undefined && inStretch.start <= start ? inStretch.kind : "stray";
    const inBox = boxes[box];
    const id = inBox !== undefined && inBox.start <= start ? inBox.id : undefined;
    const part = { text: text.slice(start, end), ...(token < ends.length && { token }) };
    const last = pieces.at(-1);
    if (last !== undefined && last.kind === kind && last.box === id) last.parts.push(part);
    else pieces.push({ kind, ...(id !== undefined && { box: id }), parts: [part] });
  }
  return pieces;
}
