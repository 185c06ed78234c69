/**
 * @file Server-sent events (WHATWG HTML, 9.2.6) from a stream of bytes: the data of each event. Lines may end in LF, CR or
 * CRLF, chunks may be cut anywhere, also within a character. (The npm parsers of today need a newer Node than we do.)
 */

/** An event's data may grow to this; more is no event of a chat. */
const LONGEST_EVENT = 16 * 1024 * 1024;

/** A parser that is fed text. */
export interface SseParser {
  /** Takes the next piece and returns the data of every event that it completed. @throws RangeError for an endless event */
  push(piece: string): string[];
}

/** A new parser. */
export function createSseParser(): SseParser {
  let rest = "";
  let data: string[] = [];
  let size = 0;
  let first = true;
  const line = (text: string): string | undefined => {
    if (text === "") {
      const event = data.length > 0 ? data.join("\n") : undefined;
      data = [];
      size = 0;
      return event;
    }
    const colon = text.indexOf(":");
    // Comments (":") keep a connection open; other fields say nothing here.
    if ((colon < 0 ? text : text.slice(0, colon)) !== "data") return undefined;
    const value = colon < 0 ? "" : text.slice(text[colon + 1] === " " ? colon + 2 : colon + 1);
    size += value.length;
    data.push(value);
    return undefined;
  };
  const LINE_END = /\r\n|\n|\r/g;
  return {
    push(piece) {
      // What was kept holds no line end, but for a CR at its end that may be half of a CRLF.
      LINE_END.lastIndex = Math.max(0, rest.length - 1);
      const text = rest + (first && piece.startsWith("\uFEFF") ? piece.slice(1) : piece);
      if (piece !== "") first = false;
      const events: string[] = [];
      let from = 0;
      for (let end = LINE_END.exec(text); end !== null; end = LINE_END.exec(text)) {
        if (end[0] === "\r" && LINE_END.lastIndex === text.length) break;
        const event = line(text.slice(from, end.index));
        if (event !== undefined) events.push(event);
        from = LINE_END.lastIndex;
      }
      rest = text.slice(from);
      if (rest.length + size > LONGEST_EVENT) throw new RangeError("an event without an end");
      return events;
    },
  };
}

/** The data of each event of a body. */
export async function* eventsOf(
  body: ReadableStream<Uint8Array>,
  onBytes?: () => void,
): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  const parser = createSseParser();
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      onBytes?.();
      yield* parser.push(decoder.decode(value, { stream: true }));
    }
    // An event that the end of the stream cut off is dropped, as the standard says.
    yield* parser.push(decoder.decode());
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
