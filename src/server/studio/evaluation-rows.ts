/** @file evaluations.jsonl of a run, and the headline that its first and last lines make. */
import type { EvaluationRow, Headline, HeadlineNumbers } from "./api.js";
import { createLineTail, eachLine, type LineTail } from "./line-tail.js";

/** The finished evaluations of a run so far. */
export interface EvaluationRows {
  readonly tail: LineTail;
  /** In the order of the file. */
  readonly rows: readonly EvaluationRow[];
}

function isRow(value: unknown): value is EvaluationRow {
  const { step, set, decoding } = (value ?? {}) as Record<string, unknown>;
  return (
    typeof step === "number" && typeof set === "string" && (decoding === "greedy" || decoding === "sampled")
  );
}

/** Follows a run's evaluations.jsonl. @param root the run's real folder */
export function createEvaluationRows(root: string): EvaluationRows {
  const rows: EvaluationRow[] = [];
  const tail = createLineTail(root, ["evaluations.jsonl"], {
    reset() {
      rows.length = 0;
    },
    take(lines) {
      eachLine(lines, (start, end) => {
        try {
          const row = JSON.parse(lines.toString("utf8", start, end)) as unknown;
          if (isRow(row)) rows.push(row);
        } catch {
          // A line that was torn by a kill says nothing; those after it do.
        }
      });
    },
  });
  return { tail, rows };
}

const numberOr = (value: unknown): number | null =>
  typeof value === "number" && Number.isFinite(value) ? value : null;

function numbersOf(row: EvaluationRow): HeadlineNumbers {
  return {
    step: row.step,
    precision: numberOr(row.precision),
    recall: numberOr(row.recall),
    f1: numberOr(row.f1),
    ap50: numberOr(row.ap50),
    countError: numberOr((row.counting as EvaluationRow["counting"] | undefined)?.mae),
    strictShare: numberOr(row.strictShare),
  };
}

/** First and last evaluation of every set and decoding, in the order in which they first came. */
export function headlinesOf(rows: readonly EvaluationRow[]): Headline[] {
  const lists = new Map<string, EvaluationRow[]>();
  for (const row of rows) {
    const key = JSON.stringify([row.set, row.decoding]);
    const list = lists.get(key);
    if (list === undefined) lists.set(key, [row]);
    else list.push(row);
  }
  return [...lists.values()].map((list) => {
    const sorted = list.toSorted((a, b) => a.step - b.step);
    const [first, last] = [sorted[0]!, sorted.at(-1)!];
    return {
      set: first.set,
      domain: first.domain,
      decoding: first.decoding,
      images: numberOr(last.images) ?? 0,
      first: numbersOf(first),
      last: numbersOf(last),
    };
  });
}
