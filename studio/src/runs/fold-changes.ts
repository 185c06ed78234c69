/** @file A part that only one configuration has (a dataset, a schedule) as one row, not one for each of its settings. Pure. */
import { leaf } from "../format.js";

/** A difference as the server tells it. */
export interface Change {
  readonly path: string;
  readonly a?: unknown;
  readonly b?: unknown;
}

/** A row of the table. */
export interface ChangeRow extends Change {
  /** How many settings the row stands for; absent for a single one. */
  readonly folded?: number;
}

const FEWEST = 3;

const parentOf = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf(".")));
const missing = ({ a, b }: Change) => (a === undefined ? "a" : b === undefined ? "b" : undefined);

function fold(run: readonly Change[]): ChangeRow {
  const parent = parentOf(run[0]!.path);
  const side = missing(run[0]!) === "a" ? "b" : "a";
  const words = run.map((one) => `${one.path.slice(parent.length + 1)}: ${leaf(one[side])}`).join(", ");
  return { path: `${parent}.*`, [side]: words, folded: run.length };
}

/** Neighbours of one parent that the same side lacks become one row where there are three or more. */
export function foldChanges(changes: readonly Change[]): ChangeRow[] {
  const rows: ChangeRow[] = [];
  for (let start = 0; start < changes.length;) {
    const first = changes[start]!;
    const parent = parentOf(first.path);
    const side = missing(first);
    let end = start + 1;
    while (
      end < changes.length &&
      side !== undefined &&
      parent !== "" &&
      parentOf(changes[end]!.path) === parent &&
      missing(changes[end]!) === side
    )
      end++;
    const run = changes.slice(start, end);
    rows.push(...(run.length >= FEWEST ? [fold(run)] : run));
    start = end;
  }
  return rows;
}
