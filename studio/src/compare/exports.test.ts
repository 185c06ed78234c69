import { describe, expect, it } from "vitest";
import type {
  CompareMetric,
  CompareNumber,
  CompareSet,
  Comparison,
} from "../../../src/server/studio/compare-api.js";
import { sceneSvg } from "../charts/scene.js";
import { csv } from "../ui/download.js";
import { entryLook } from "./entry-look.js";
import { countRows, curveRows, resultRows, sliceRows } from "./export-csv.js";
import { comparisonHtml } from "./export-html.js";
import { latex, latexTable } from "./export-latex.js";
import { paperColours } from "./figure-frame.js";
import { overviewFigures, setFigures } from "./figure-list.js";
import { withOwnIds } from "./save-html.js";
import { cellsOf, cellWords, changeText, resultTable, sliceTable, sortedRows, verdictOf } from "./tables.js";

const number = (value: number | null, half = 0.02): CompareNumber => ({
  value,
  low: value === null ? null : value - half,
  high: value === null ? null : value + half,
});
const metric = (
  key: CompareMetric["key"],
  better: CompareMetric["better"],
  [a, b]: readonly [number, number],
): CompareMetric => ({
  key,
  title: key,
  better,
  ranked: key === "ap50",
  values: [number(a), number(b)],
  changes: [null, { ...number(b - a), bootstrapP: 0.004, permutationP: 0.0004 }],
});
const precision = Array.from({ length: 101 }, (_, i) => (i < 60 ? 1 - i / 200 : 0));
const set = (name: string, domain: "in" | "out"): CompareSet => ({
  set: name,
  domain,
  images: 12,
  objects: 40,
  responses: [1, 1],
  fingerprint: "ab".repeat(32),
  metrics: [
    metric("f1", "up", [0.5, 0.6]),
    metric("mae", "down", [1, 1.005]),
    metric("bias", "none", [0, 1]),
    metric("ap50", "up", [0.3, 0.3]),
  ],
  slices: [
    {
      by: "crowding",
      bucket: "crowded",
      objects: 10,
      numbers: [{ key: "f1", values: [number(0.4), number(0.7)], changes: [null, number(0.3)] }],
    },
    {
      by: "visibility",
      bucket: "heavy <0.2",
      objects: 5,
      numbers: [{ key: "recall", values: [number(null), number(0.2)], changes: [null, number(null)] }],
    },
  ],
  curves: [0.5, 0.75].map((iou) => ({
    iou: iou as 0.5 | 0.75,
    entries: [{ ap: 0.5, precision, point: { recall: 0.6, precision: 0.7 } }, null],
  })),
  counting: [
    {
      cells: [
        [2, 2, 5],
        [3, 5, 1],
      ],
      means: [
        [2, 2, 5],
        [3, 5, 1],
      ],
    },
    { cells: [[2, 1, 6]], means: [[2, 1, 6]] },
  ],
});
const comparison: Comparison = {
  entries: [
    { id: "a@0", run: "a", step: 0, runName: "a", kind: "grpo", seed: 1, suggested: "base" },
    { id: "a@9", run: "a", step: 9, runName: "<img src=x>", kind: "grpo", seed: 1, suggested: "DIP-R1" },
  ],
  baseline: 0,
  decoding: "greedy",
  scoreSource: "order",
  scoreSources: ["order", "one"],
  seed: 0,
  resamples: 1000,
  level: 0.95,
  sets: [set("plaza", "in"), set("night", "out"), set("fog", "out")],
  means: [{ domain: "out", sets: ["night", "fog"], metrics: [metric("f1", "up", [0.5, 0.6])] }],
  refused: [{ set: "sea", message: "sea: other data" }],
  notes: ["the code is another one"],
};
const names = ["base", "ours_50%<script>"];

describe("tables", () => {
  it("judge differences by their interval and by which way is better", () => {
    expect(verdictOf({ low: 0.01, high: 0.2 }, "up")).toBe("better");
    expect(verdictOf({ low: 0.01, high: 0.2 }, "down")).toBe("worse");
    expect(verdictOf({ low: -0.2, high: -0.1 }, "down")).toBe("better");
    expect(verdictOf({ low: -0.01, high: 0.2 }, "up")).toBe("unclear");
    expect(verdictOf({ low: 0, high: 0.2 }, "up")).toBe("unclear");
    expect(verdictOf({ low: 0.01, high: 0.2 }, "none")).toBe("unclear");
    expect(verdictOf({ low: null, high: null }, "up")).toBe("unclear");
  });

  it("mark the best, where one is better than another", () => {
    const best = (values: (number | null)[], better: "up" | "down" | "none") =>
      cellsOf(
        values.map((value) => number(value)),
        [],
        better,
      ).map((cell) => cell.best);
    expect(best([0.5, 0.7, 0.7], "up")).toEqual([false, true, true]);
    expect(best([0.5, 0.7, null], "down")).toEqual([true, false, false]);
    expect(best([0.5, 0.5], "up")).toEqual([false, false]);
    expect(best([0.5], "up")).toEqual([false]);
    expect(best([0, 1], "none")).toEqual([false, false]);
  });

  it("stand by domain, means after their sets", () => {
    const { columns, groups } = resultTable(comparison);
    expect(columns.map(({ title }) => title)).toEqual(
      ["F1", "count error", "ap50 (order)"].map((t) => t.replace("F1", "f1")),
    );
    expect(groups.map(({ title }) => title)).toEqual(["plaza", "night", "fog", "mean of 2 sets"]);
    expect(resultTable(comparison, true).columns.map(({ key }) => key)).toContain("bias");
    // The mean has F1 alone: its other cells are empty, not shifted.
    expect(groups[3]!.rows[1]!.map((cell) => cell?.number.value ?? null)).toEqual([0.6, null, null]);
  });

  it("sort entries, empty ones last", () => {
    const rows = [0.5, null, 0.9, 0.7].map((value) => [cellsOf([number(value)], [], "up")[0]!]);
    expect(sortedRows({ rows }, 0, "descending")).toEqual([2, 3, 0, 1]);
    expect(sortedRows({ rows }, 0, "ascending")).toEqual([0, 3, 2, 1]);
  });

  it("say a cell in words, without colour", () => {
    const [, cell] = resultTable(comparison).groups[0]!.rows.map((row) => row[0]!);
    expect(changeText(cell!)).toBe("+0.100 ▲");
    expect(cellWords(cell!, 0.95, "base")).toBe(
      "0.600, 95% interval 0.580 to 0.620; best of its group; +0.100 against base (+0.080 to +0.120, p 0.004 (bootstrap), <0.001 (permutation)): clearly better",
    );
  });

  it("leave out slices without the number", () => {
    expect(sliceTable(comparison.sets[0]!.slices, "f1").map(({ bucket }) => bucket)).toEqual(["crowded"]);
    expect(sliceTable(comparison.sets[0]!.slices, "recall")).toHaveLength(1);
    expect(sliceTable(comparison.sets[0]!.slices, "countError")).toEqual([]);
  });
});

describe("files", () => {
  it("have a row of CSV a number", () => {
    const rows = csv(resultRows(comparison, names)).trim().split("\r\n");
    expect(rows).toHaveLength(1 + 3 * 4 * 2 + 2);
    expect(rows[2]).toBe(
      "plaza,in,greedy,12,ours_50%<script>,a,9,base,f1,,0.6,0.58,0.62,0.09999999999999998,0.07999999999999997,0.11999999999999998,0.004,0.0004",
    );
    expect(csv(sliceRows(comparison, names)).trim().split("\r\n")).toHaveLength(1 + 3 * 2 * 2);
    expect([...curveRows(comparison.sets[0]!, 0.5, names)]).toHaveLength(1 + 101 + 1);
    expect([...countRows(comparison.sets[0]!, 0, "base")]).toHaveLength(3);
  });

  it("are LaTeX that names cannot break", () => {
    expect(latex("50% of_{x} & \\y ~^#$")).toBe(
      "50\\% of\\_\\{x\\} \\& \\textbackslash{}y \\textasciitilde{}\\textasciicircum{}\\#\\$",
    );
    const text = latexTable(comparison, names);
    expect(text).toContain(
      "ours\\_50\\%\\textless{}script\\textgreater{} & $\\mathbf{0.600}^{\\uparrow}_{[0.580,\\,0.620]}$ & $1.005_{[0.985,\\,1.025]}$",
    );
    const columns = text.split("\n").filter((line) => line.includes("script") && line.includes("&"));
    expect(columns).toHaveLength(4);
    for (const line of columns) expect(line.split(" & ")).toHaveLength(4);
    // As many braces closed as opened.
    const depth = [...text.replaceAll(/\\[{}]/g, "")].reduce(
      (sum, sign) => sum + (sign === "{" ? 1 : sign === "}" ? -1 : 0),
      0,
    );
    expect(depth).toBe(0);
  });

  it("are HTML in which every name is text, and which asks nobody", () => {
    const figures = [
      ...overviewFigures(comparison, names),
      ...setFigures(comparison, comparison.sets[0]!, names),
    ].map((figure) => ({
      title: figure.title,
      svg: sceneSvg(figure.draw({ width: 640, colours: paperColours })),
    }));
    const text = comparisonHtml({
      comparison,
      names,
      made: "today",
      figures,
      pictures: [{ title: "<b>", caption: '"', svg: "<svg></svg>" }],
      chosen: "by gain",
    });
    expect(text).not.toMatch(/<script|<img|<b>|javascript:/);
    // Names of namespaces are no addresses that are asked.
    expect(text.replaceAll('xmlns="http://www.w3.org/2000/svg"', "")).not.toMatch(/https?:|url\((?!#)|\/\//);
    expect(text).toContain("default-src 'none'");
    expect(text).toContain("0.600 ★");
    expect(text).toContain("sea: other data");
    expect(text).toContain("ab".repeat(32));
    expect(text.match(/<tbody/g)!.length).toBe(text.match(/<\/tbody/g)!.length);
  });

  it("have clip paths of their own", () => {
    expect(withOwnIds('<clipPath id="c3"/><g clip-path="url(#c3)">', "p1")).toBe(
      '<clipPath id="p1c3"/><g clip-path="url(#p1c3)">',
    );
  });
});

describe("figures", () => {
  const figures = [
    ...overviewFigures(comparison, names),
    ...setFigures(comparison, comparison.sets[0]!, names),
  ];

  it.each([340, 640, 1100])("stay within %i pixels", (width) => {
    for (const { draw } of figures) {
      const { shapes, height } = draw({ width, colours: paperColours });
      const points = shapes.flatMap((shape) =>
        shape.kind === "text"
          ? [[shape.x, shape.y] as const]
          : shape.kind === "area"
            ? shape.points
            : shape.pieces.flat(),
      );
      const outside = points.filter(([x, y]) => !(x >= 0 && x <= width && y >= 0 && y <= height));
      expect(outside).toEqual([]);
    }
  });

  it("are said in words", () => {
    const words = figures.map((figure) => figure.words).join("\n");
    expect(words).toContain("plaza: base 0.500, ours_50%<script> 0.600");
    expect(words).toContain("base: AP 0.500, answers as given at recall 0.600 and precision 0.700");
    expect(words).toContain("Of 6 responses, 5 have the right number of boxes, 1 too many, 0 too few.");
    expect(figures.every(({ rows }) => [...rows()].length > 1)).toBe(true);
  });

  it("tell eight entries apart without colour", () => {
    const looks = Array.from({ length: 8 }, (_, k) => entryLook(k));
    expect(new Set(looks.map(({ sign }) => sign)).size).toBe(8);
    expect(new Set(looks.map(({ dash }) => dash.join(" "))).size).toBe(8);
  });
});
