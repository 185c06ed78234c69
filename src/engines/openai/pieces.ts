/**
 * @file Text in place of tokens. A server of chat completions is given words and gives words: its tokens have no ids here.
 * The engine contract speaks of ids, so each different piece of text gets one, in the order of its first appearance.
 */

/** A token as the server tells it: its text, and its log-probability. */
export interface ScoredPiece {
  readonly text: string;
  readonly logprob: number;
}

/** Text to ids and back; what rl calls a TextCodec. */
export interface PieceCodec {
  /** One id: a text is one piece. */
  encode(text: string): Int32Array;
  decode(tokens: Int32Array): string;
  /** Where each piece stands in `decode(tokens)`: [start, end) in UTF-16 units. */
  spans(tokens: Int32Array): { readonly start: number; readonly end: number }[];
  /** None: servers leave the end token out. */
  readonly endTokens: readonly number[];
  /** Ids of pieces. */
  idsOf(pieces: readonly string[]): Int32Array;
}

/** A codec with a table of its own. */
export function createPieceCodec(): PieceCodec {
  const pieces: string[] = [];
  const ids = new Map<string, number>();
  const idOf = (piece: string): number => {
    const known = ids.get(piece);
    if (known !== undefined) return known;
    ids.set(piece, pieces.length);
    return pieces.push(piece) - 1;
  };
  const textOf = (id: number): string => pieces[id] ?? "";
  return {
    encode: (text) => Int32Array.of(idOf(text)),
    decode: (tokens) => Array.from(tokens, textOf).join(""),
    spans(tokens) {
      let at = 0;
      return Array.from(tokens, (id) => ({ start: at, end: (at += textOf(id).length) }));
    },
    endTokens: [],
    idsOf: (all) => Int32Array.from(all, idOf),
  };
}

/** A token of an answer's `logprobs.content`. */
export interface WireToken {
  readonly token: string;
  readonly logprob: number;
  readonly bytes?: readonly number[] | null | undefined;
}

/**
 * The tokens that make up a text. Tokens may hold parts of characters (told as bytes), and an end token behind the text.
 * @returns pieces that join to exactly `text`, or nothing where the tokens are not those of this text.
 */
export function alignPieces(text: string, tokens: readonly WireToken[]): ScoredPiece[] | undefined {
  if (text === "") return tokens.length <= 1 ? [] : undefined;
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const told = tokens.every(({ bytes }) => bytes !== undefined && bytes !== null);
  // A character in parts belongs to the token that completes it.
  const written = tokens.map(({ token, bytes }) =>
    told ? decoder.decode(Uint8Array.from(bytes!), { stream: true }) : token,
  );
  const joined = written.join("");
  const from = joined.startsWith(text) ? 0 : joined.indexOf(text);
  if (from < 0) return undefined;
  const end = from + text.length;
  const pieces: ScoredPiece[] = [];
  let at = 0;
  for (const [i, piece] of written.entries()) {
    const start = at;
    at += piece.length;
    // What stands before or behind the text (white space that was trimmed, an end token) is none of it.
    if (start >= end) break;
    if (at <= from && (at < from || piece !== "")) continue;
    pieces.push({
      text: piece.slice(Math.max(0, from - start), end - start),
      logprob: tokens[i]!.logprob,
    });
  }
  return pieces;
}
