import { describe, expect, it } from "vitest";
import { displayList } from "./display-list.js";
import { legendOf, markAt, styleOf, type Mark, type MarkState } from "./marks.js";
import { escapeXml, svgOf } from "./svg.js";

const mark = (layer: Mark["layer"], state: MarkState, number = 1, box = { x1: 10, y1: 10, x2: 40, y2: 60 }): Mark => ({
  id: `${layer}:${number}`, layer, state, box, number, words: `${layer} ${number}`,
}); // prettier-ignore

const kinds: readonly Mark[] = [
  mark("answer", "hit"),
  mark("answer", "false-positive"),
  mark("answer", "duplicate"),
  mark("answer", "ignored"),
  mark("truth", "found"),
  mark("truth", "missed"),
  mark("look", "plain"),
  mark("ignore", "plain"),
];

/** A mark's shapes without any colour. */
function colourless(one: Mark): string {
  const shapes = displayList({
    view: { scale: 1, x: 0, y: 0 },
    scene: { width: 100, height: 100 },
    marks: [one],
  }).slice(1);
  return JSON.stringify(shapes, (key, value: unknown) =>
    key === "colour" || key === "fill" ? undefined : value,
  );
}

describe("styleOf", () => {
  it("tells every kind from every other without colour", () => {
    expect(new Set(kinds.map(colourless)).size).toBe(kinds.length);
  });

  it("tells them apart by their lines alone, too, but for hits and objects found, which differ in width", () => {
    const lines = kinds.map((one) => {
      const { line } = styleOf(one);
      return JSON.stringify([
        line.width,
        line.dash,
        line.double ?? false,
        line.corners ?? false,
        one.layer === "ignore",
      ]);
    });
    expect(new Set(lines).size).toBe(kinds.length);
  });
});

describe("legendOf", () => {
  it("explains what is there, once", () => {
    expect(legendOf([mark("truth", "missed", 1), mark("answer", "hit"), mark("truth", "missed", 2)])).toEqual(
      [
        { layer: "answer", state: "hit" },
        { layer: "truth", state: "missed" },
      ],
    );
  });
});

describe("markAt", () => {
  const large = mark("look", "plain", 1, { x1: 0, y1: 0, x2: 50, y2: 50 });
  const small = mark("answer", "hit", 2, { x1: 10, y1: 10, x2: 20, y2: 20 });

  it("finds the smallest, then the next larger, then the smallest again", () => {
    const at = { x: 15, y: 15 };
    const first = markAt([large, small], at);
    expect(first?.id).toBe(small.id);
    const second = markAt([large, small], at, { after: first!.id });
    expect(second?.id).toBe(large.id);
    expect(markAt([large, small], at, { after: second!.id })?.id).toBe(small.id);
  });

  it("finds nothing beside them, and something within the slack", () => {
    expect(markAt([small], { x: 22, y: 15 })).toBeUndefined();
    expect(markAt([small], { x: 22, y: 15 }, { slack: 3 })?.id).toBe(small.id);
  });
});

describe("displayList", () => {
  const common = { view: { scale: 2, x: 5, y: 0 }, scene: { width: 100, height: 100 } };

  it("leaves out the layers that are off", () => {
    const all = displayList({ ...common, marks: kinds });
    const without = displayList({ ...common, marks: kinds, layers: new Set(["truth"]) });
    expect(without.length).toBeLessThan(all.length);
    expect(without.some((shape) => shape.kind === "lines" && shape.clip !== undefined)).toBe(false);
  });

  it("draws what is pointed at last of all boxes", () => {
    const [first, second] = [
      mark("answer", "hit", 1),
      mark("answer", "hit", 2, { x1: 50, y1: 50, x2: 90, y2: 90 }),
    ];
    const rects = (selected?: string) =>
      displayList({ ...common, marks: [first, second], tags: false, selected }).flatMap((shape) =>
        shape.kind === "rect" && shape.radius === undefined ? [shape.rect.x] : [],
      );
    expect(rects().at(-1)).toBe(105);
    expect(rects(first.id).at(-1)).toBe(25);
  });

  it("tags small boxes only where they are pointed at", () => {
    const tiny = mark("answer", "hit", 7, { x1: 1, y1: 1, x2: 4, y2: 4 });
    const texts = (selected?: string) =>
      displayList({ ...common, marks: [tiny], selected }).filter(({ kind }) => kind === "text").length;
    expect(texts()).toBe(0);
    expect(texts(tiny.id)).toBe(1);
  });
});

describe("svgOf", () => {
  const heat = { columns: 2, rows: 2, cell: 50, values: [0, 1, 0.5, 0.5] };
  const shapes = displayList({
    view: { scale: 1, x: 0, y: 0 },
    scene: { width: 100, height: 100 },
    marks: kinds,
    heat,
  });

  it("draws equal cells of a row as one rectangle and empty ones not at all", () => {
    const svg = svgOf(shapes, { width: 100, height: 100, unit: 1, title: "t" });
    const heatGroup = /crispEdges">(.*?)<\/g>/.exec(svg)![1]!;
    expect(heatGroup.match(/<rect/g)).toHaveLength(2);
    expect(heatGroup).toContain('width="100"');
  });

  it("keeps what a model or a dataset named as text", () => {
    const svg = svgOf(shapes, {
      width: 100,
      height: 100,
      unit: 1,
      title: '"><script>alert(1)</script>',
      picture: 'x" onload="alert(1)',
    });
    expect(svg).not.toContain("<script>");
    expect(svg).not.toContain('" onload="');
    expect(escapeXml("<&'\">")).toBe("&lt;&amp;&#39;&quot;&gt;");
  });
});
