import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { href, joinList, parseRoute, splitList, withQuery } from "./router.js";

describe("parseRoute", () => {
  it.each([
    ["", { view: "runs", query: {} }],
    ["#/", { view: "runs", query: {} }],
    ["#/?q=a%20b&sort=f1", { view: "runs", query: { q: "a b", sort: "f1" } }],
    ["#/run/start1", { view: "run", id: "start1", query: {} }],
    ["#/run/sweep%2Fa?tab=groups", { view: "run", id: "sweep/a", query: { tab: "groups" } }],
    ["#/run/a/group/12/img%2F1", { view: "group", id: "a", step: 12, sample: "img/1", query: {} }],
    [
      "#/run/a/eval/night/7?step=40",
      { view: "evaluation", id: "a", set: "night", image: "7", query: { step: "40" } },
    ],
    ["#/compare?runs=a,b%252Cc", { view: "compare", runs: ["a", "b,c"], query: { runs: "a,b%2Cc" } }],
    ["#/detect", { view: "detect", query: {} }],
  ] as const)("reads %s", (hash, route) => {
    expect(parseRoute(hash)).toEqual(route);
  });

  it.each([
    "#/nowhere",
    "#/run",
    "#/run/a/group/x/y",
    "#/run/a/group/-1/y",
    "#/run/a/group/1",
    "#/run/a/b/c/d/e",
    "#/detect/more",
  ])("knows no view for %s", (hash) => {
    expect(parseRoute(hash).view).toBe("missing");
  });

  it("takes a torn escape as it stands", () => {
    expect(parseRoute("#/run/50%")).toEqual({ view: "run", id: "50%", query: {} });
  });

  it("never throws", () => {
    const piece = fc.constantFrom(
      "#",
      "/",
      "run",
      "group",
      "eval",
      "?",
      "%",
      "%ff",
      "&",
      "=",
      "1",
      "é",
      "\uD800",
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        expect(parseRoute(pieces.join("")).view).toBeTypeOf("string");
      }),
    );
  });
});

describe("href", () => {
  const name = fc.string({ minLength: 1, unit: "grapheme" });
  const query = fc.dictionary(fc.stringMatching(/^[a-z]{1,6}$/), fc.string({ minLength: 1 }), {
    noNullPrototype: true,
  });

  it("leads back to the same route", () => {
    fc.assert(
      fc.property(name, fc.nat(), name, query, (id, step, sample, asked) => {
        expect(parseRoute(href.group(id, step, sample, asked))).toEqual({
          view: "group",
          id,
          step,
          sample,
          query: asked,
        });
        expect(parseRoute(href.evaluation(id, sample, id, asked))).toMatchObject({ set: sample, image: id });
        expect(parseRoute(href.run(id, asked))).toEqual({ view: "run", id, query: asked });
      }),
    );
  });

  it("keeps lists of any names apart", () => {
    fc.assert(
      fc.property(fc.array(name), (runs) => {
        expect(splitList(joinList(runs))).toEqual(runs);
        expect(parseRoute(href.compare(runs))).toMatchObject({ view: "compare", runs });
      }),
    );
  });
});

describe("withQuery", () => {
  it("changes what is named and keeps the rest", () => {
    expect(withQuery("#/run/a?tab=groups&sort=f1", { sort: undefined, offset: 25 })).toBe(
      "#/run/a?tab=groups&offset=25",
    );
    expect(withQuery("", { q: "x" })).toBe("#/?q=x");
  });
});
