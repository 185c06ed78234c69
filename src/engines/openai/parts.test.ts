import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { serverWords } from "./errors.js";
import { watchLoop } from "./loop.js";
import { alignPieces, createPieceCodec } from "./pieces.js";
import { retryAfterOf } from "./retry.js";
import { createSseParser } from "./sse.js";

describe("createSseParser", () => {
  it("gives the same events however the stream is cut, whatever the line ends", () => {
    const lines = fc.array(
      fc.constantFrom("data: {}", "data:x", "data", "event: y", ": comment", "", "id: 1", "data:  two  "),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(
        lines,
        fc.constantFrom("\n", "\r\n", "\r"),
        fc.array(fc.nat(7), { maxLength: 40 }),
        (all, end, cuts) => {
          const text = all.map((line) => line + end).join("") + end + "x";
          const whole = createSseParser().push(text);
          const parser = createSseParser();
          const events: string[] = [];
          let at = 0;
          for (const cut of cuts) events.push(...parser.push(text.slice(at, (at += cut))));
          events.push(...parser.push(text.slice(at)));
          expect(events).toEqual(whole);
        },
      ),
      { numRuns: 100 },
    );
  });

  it("reads fields as the standard says", () => {
    const parser = createSseParser();
    expect(parser.push('\uFEFFdata: a\ndata: b\n\n: c\n\ndata\n\nevent: x\n\ndata: {"d":1}\r\n\r\n')).toEqual(
      ["a\nb", "", '{"d":1}'],
    );
    expect(() => createSseParser().push("data: " + "x".repeat(17 * 1024 * 1024))).toThrow(RangeError);
  });
});

describe("alignPieces", () => {
  const scored = (parts: readonly string[]) => parts.map((token) => ({ token, logprob: -1 }));

  it("gives pieces that join to the text, wherever it was cut from the tokens", () => {
    const parts = fc.array(fc.constantFrom("[", "12", ", ", "é", "人", "🙂", "]", " ", ""), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(parts, fc.nat(3), fc.nat(3), fc.boolean(), (tokens, before, behind, asBytes) => {
        const all = tokens.join("");
        const text = all.slice(before, Math.max(before, all.length - behind));
        const wire = scored(tokens).map((one) =>
          asBytes ? { ...one, bytes: [...Buffer.from(one.token)] } : one,
        );
        const pieces = alignPieces(text, wire);
        if (text === "") return;
        expect(pieces!.map((piece) => piece.text).join("")).toBe(text);
      }),
      { numRuns: 200 },
    );
  });

  it("puts characters in parts together, and leaves the end token out", () => {
    const bytes = [...Buffer.from("人")];
    const wire = [
      { token: "a", logprob: -1, bytes: [97] },
      { token: "\\xe4\\xba", logprob: -2, bytes: bytes.slice(0, 2) },
      { token: "\\xba", logprob: -3, bytes: bytes.slice(2) },
      { token: "<|im_end|>", logprob: -4, bytes: [...Buffer.from("<|im_end|>")] },
    ];
    expect(alignPieces("a人", wire)!.map(({ text, logprob }) => [text, logprob])).toEqual([
      ["a", -1],
      ["", -2],
      ["人", -3],
    ]);
    expect(alignPieces("another", wire)).toBeUndefined();
    expect(alignPieces("", [])).toEqual([]);
  });

  it("has a codec that gives words back", () => {
    const codec = createPieceCodec();
    const ids = codec.idsOf(["a", "", "bc", "a"]);
    expect(codec.decode(ids)).toBe("abca");
    expect(ids[0]).toBe(ids[3]);
    expect(codec.spans(ids)).toEqual([
      { start: 0, end: 1 },
      { start: 1, end: 1 },
      { start: 1, end: 3 },
      { start: 3, end: 4 },
    ]);
    expect(codec.decode(codec.encode("人🙂"))).toBe("人🙂");
  });
});

describe("watchLoop", () => {
  it("cuts at the same place however the text comes, through markers where each box has its own", () => {
    const text = "<ref>person</ref><box>[[1, 2, 3, 4]]</box>".repeat(6);
    const cutOf = (sizes: readonly number[], marked: boolean) => {
      const watch = watchLoop({ limit: 3, marked });
      let at = 0;
      for (const size of [...sizes, text.length]) {
        const cut = watch.push(text.slice(at, at + size));
        if (cut !== undefined) return at + cut;
        at += size;
      }
      return undefined;
    };
    expect(cutOf([], false)).toBeUndefined();
    const whole = cutOf([], true);
    expect(text.slice(0, whole)).toMatch(/4\]$/);
    for (const size of [1, 3, 7])
      expect(
        cutOf(
          Array.from({ length: 99 }, () => size),
          true,
        ),
      ).toBe(whole);
    expect(watchLoop({ limit: 0, marked: false }).push(text)).toBeUndefined();
  });
});

describe("a server's words", () => {
  it("are found in the bodies that servers send", () => {
    expect(serverWords('{"error":{"message":"too long"}}')).toBe("too long");
    expect(serverWords('{"error":"no model"}')).toBe("no model");
    expect(serverWords('{"detail":[{"loc":["body"]}]}')).toBe('[{"loc":["body"]}]');
    expect(serverWords("<html>\n bad\n gateway</html>")).toBe("<html> bad gateway</html>");
    expect(serverWords("x".repeat(999))).toHaveLength(403);
  });

  it("tell how long to wait, in seconds, milliseconds or as a date", () => {
    const at = (headers: Record<string, string>) => retryAfterOf(new Headers(headers), Date.UTC(2026, 0, 1));
    expect(at({ "retry-after": "2.5" })).toBe(2500);
    expect(at({ "retry-after-ms": "40", "retry-after": "9" })).toBe(40);
    expect(at({ "retry-after": "Thu, 01 Jan 2026 00:00:30 GMT" })).toBe(30_000);
    expect(at({ "retry-after": "Wed, 31 Dec 2025 00:00:30 GMT" })).toBe(0);
    expect(at({ "retry-after": "soon" })).toBeUndefined();
    expect(at({})).toBeUndefined();
  });
});
