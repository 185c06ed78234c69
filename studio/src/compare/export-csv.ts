/** @file A comparison as rows of CSV, one number a row, all digits that were sent. Pure. */
import type {
  CompareChange,
  CompareNumber,
  CompareSet,
  Comparison,
} from "../../../src/server/studio/compare-api.js";

/** A row. */
export type CsvRow = readonly (string | number | null | undefined)[];

const numbers = (value: CompareNumber | undefined, change: CompareChange | null | undefined): CsvRow => [
  value?.value,
  value?.low,
  value?.high,
  change?.value,
  change?.low,
  change?.high,
  change?.bootstrapP,
  change?.permutationP,
];
const NUMBERS = [
  "value",
  "low",
  "high",
  "change",
  "change_low",
  "change_high",
  "p_bootstrap",
  "p_permutation",
];

/** Every metric of every set and mean. @param names of the entries */
export function* resultRows(comparison: Comparison, names: readonly string[]): Generator<CsvRow> {
  const { entries, baseline, decoding, scoreSource, sets, means } = comparison;
  yield [
    "set",
    "domain",
    "decoding",
    "images",
    "entry",
    "run",
    "step",
    "baseline",
    "metric",
    "scores_from",
    ...NUMBERS,
  ];
  const groups = [
    ...sets.map(({ set, domain, images, metrics }) => ({ set, domain, images, metrics })),
    ...means.map(({ domain, sets: of, metrics }) => ({
      set: `mean of ${of.join("+")}`,
      domain,
      images: null,
      metrics,
    })),
  ];
  for (const { set, domain, images, metrics } of groups)
    for (const { key, ranked, values, changes } of metrics)
      for (const [k, { run, step }] of entries.entries())
        yield [
          set,
          domain,
          decoding,
          images,
          names[k],
          run,
          step,
          names[baseline],
          key,
          ranked ? scoreSource : "",
          ...numbers(values[k], changes[k]),
        ];
}

/** Every slice of every set. */
export function* sliceRows(comparison: Comparison, names: readonly string[]): Generator<CsvRow> {
  const { entries, baseline, decoding, sets } = comparison;
  yield [
    "set",
    "decoding",
    "by",
    "part",
    "objects",
    "entry",
    "run",
    "step",
    "baseline",
    "metric",
    ...NUMBERS,
  ];
  for (const { set, slices } of sets)
    for (const slice of slices)
      for (const { key, values, changes } of slice.numbers)
        for (const [k, { run, step }] of entries.entries())
          yield [
            set,
            decoding,
            slice.by,
            slice.bucket,
            slice.objects,
            names[k],
            run,
            step,
            names[baseline],
            key,
            ...numbers(values[k], changes[k]),
          ];
}

/** The curves of one set at one IoU. */
export function* curveRows(
  { set, curves }: Pick<CompareSet, "set" | "curves">,
  iou: 0.5 | 0.75,
  names: readonly string[],
): Generator<CsvRow> {
  yield ["set", "iou", "entry", "kind", "recall", "precision"];
  for (const [k, curve] of (curves.find((one) => one.iou === iou)?.entries ?? []).entries()) {
    if (curve === null) continue;
    for (const [i, precision] of curve.precision.entries())
      yield [set, iou, names[k], "curve", i / 100, precision];
    yield [set, iou, names[k], "as answered", curve.point.recall, curve.point.precision];
  }
}

/** Counts of one entry on one set. */
export function* countRows(
  { set, counting }: Pick<CompareSet, "set" | "counting">,
  entry: number,
  name: string,
): Generator<CsvRow> {
  yield ["set", "entry", "objects", "boxes", "responses"];
  for (const [actual, predicted, responses] of counting[entry]?.cells ?? [])
    yield [set, name, actual, predicted, responses];
}

/** Rows of a figure of intervals. */
export function* intervalRows(
  what: string,
  rows: readonly { readonly label: string; readonly values: readonly (CompareNumber | null)[] }[],
  names: readonly string[],
): Generator<CsvRow> {
  yield ["part", "entry", what, "low", "high"];
  for (const { label, values } of rows)
    for (const [k, value] of values.entries())
      if (value !== null) yield [label, names[k], value.value, value.low, value.high];
}
