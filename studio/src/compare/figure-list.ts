/** @file Which figures a comparison has, with what each says in words. Pure. */
import type { CompareSet, Comparison } from "../../../src/server/studio/compare-api.js";
import { count, score, signed } from "../format.js";
import { countRows, curveRows, intervalRows } from "./export-csv.js";
import type { Figure } from "./figure-card.js";
import { countingFigure, intervalFigure, precisionRecallFigure, type IntervalRow } from "./figures.js";
import { dimensionTitles, sliceTable } from "./tables.js";

/** F1 of every set, and what changed against the baseline, with intervals. */
export function overviewFigures(comparison: Comparison, names: readonly string[]): Figure[] {
  const { sets, means, level, baseline, entries, decoding } = comparison;
  const share = `${Math.round(100 * level)}% intervals`;
  const rows = (of: "values" | "changes"): IntervalRow[] =>
    [
      ...sets.map((one) => ({ label: one.set, domain: one.domain, metrics: one.metrics })),
      ...means.map((one) => ({
        label: `mean of ${one.sets.length}`,
        domain: one.domain,
        metrics: one.metrics,
      })),
    ]
      .toSorted((a, b) => Number(a.domain === "out") - Number(b.domain === "out"))
      .flatMap(({ label, domain, metrics }, i, all): IntervalRow[] => {
        const f1 = metrics.find(({ key }) => key === "f1");
        if (f1 === undefined) return [];
        return [
          {
            label,
            values: f1[of],
            ...(all[i - 1]?.domain !== domain && {
              heading: domain === "in" ? "in-domain" : "out of domain",
            }),
          },
        ];
      });
  const figure = (title: string, label: string, own: readonly IntervalRow[], zero: boolean): Figure => ({
    title,
    words: own
      .map(
        ({ label: set, values }) =>
          `${set}: ${values
            .map((one, k) =>
              one === null ? "" : `${names[k]} ${zero ? signed(one.value) : score(one.value)}`,
            )
            .filter((text) => text !== "")
            .join(", ")}`,
      )
      .join("; "),
    draw: (options) => intervalFigure({ ...options, names }, { title, label, rows: own, zero }),
    rows: () => intervalRows(zero ? "f1_change" : "f1", own, names),
  });
  return [
    figure(`F1 by set, ${decoding}`, `F1, ${share}`, rows("values"), false),
    ...(entries.length > 1
      ? [
          figure(
            `Change of F1 from ${names[baseline]}, ${decoding}`,
            `F1 less that of ${names[baseline]}, paired, ${share}`,
            rows("changes"),
            true,
          ),
        ]
      : []),
  ];
}

/** Figures of one set: curves, counts, slices. */
export function setFigures(comparison: Comparison, set: CompareSet, names: readonly string[]): Figure[] {
  const { level } = comparison;
  const slices = sliceTable(set.slices, "f1");
  const recall = sliceTable(set.slices, "recall").filter(({ by }) => by === "visibility");
  const rows = (own: typeof slices): IntervalRow[] =>
    own.map(({ by, bucket, cells }, i) => ({
      label: bucket,
      values: cells.map((cell) => cell && cell.number),
      ...(own[i - 1]?.by !== by && { heading: dimensionTitles[by] }),
    }));
  const intervals = (title: string, what: string, own: typeof slices): Figure[] =>
    own.length === 0
      ? []
      : [
          {
            title,
            words: own
              .map(
                ({ bucket, cells }) =>
                  `${bucket}: ${cells.map((cell, k) => `${names[k]} ${score(cell?.number.value)}`).join(", ")}`,
              )
              .join("; "),
            draw: (options) =>
              intervalFigure(
                { ...options, names },
                { title, label: `${what}, ${Math.round(100 * level)}% intervals`, rows: rows(own) },
              ),
            rows: () => intervalRows(what, rows(own), names),
          },
        ];
  return [
    ...([0.5, 0.75] as const).map((iou): Figure => {
      const entries = set.curves.find((one) => one.iou === iou)?.entries ?? [];
      return {
        title: `${set.set}: precision-recall, IoU ${iou}`,
        words: entries
          .flatMap((curve, k) =>
            curve === null
              ? []
              : [
                  `${names[k]}: AP ${score(curve.ap)}, answers as given at recall ${score(curve.point.recall)} and precision ${score(curve.point.precision)}`,
                ],
          )
          .join("; "),
        draw: (options) => precisionRecallFigure({ ...options, names }, set, iou),
        rows: () => curveRows(set, iou, names),
      };
    }),
    ...intervals(`${set.set}: F1 by parts of the data`, "F1", slices),
    ...intervals(`${set.set}: recall by visible share`, "recall", recall),
    ...names.map((name, k): Figure => {
      const cells = set.counting[k]?.cells ?? [];
      const all = cells.reduce((sum, [, , responses]) => sum + responses, 0);
      const right = cells.reduce((sum, [actual, predicted, n]) => sum + (actual === predicted ? n : 0), 0);
      const over = cells.reduce((sum, [actual, predicted, n]) => sum + (predicted > actual ? n : 0), 0);
      return {
        title: `${set.set}: counts of ${name}`,
        words: `Of ${count(all, "response")}, ${right} have the right number of boxes, ${over} too many, ${all - right - over} too few.`,
        draw: (options) => countingFigure({ ...options, names }, set, k),
        rows: () => countRows(set, k, name),
      };
    }),
  ];
}
