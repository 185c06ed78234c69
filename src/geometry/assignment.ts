/**
 * @file Maximum-weight one-to-one matching (design, 4.3): the Jonker-Volgenant shortest augmenting path algorithm on
 * typed arrays, run on each connected part of the graph alone. In crowds the parts are small, so that
 * 100 answers against 100 truths cost microseconds where one 100 x 100 problem would cost milliseconds.
 *
 * Source: R. Jonker and A. Volgenant, "A shortest augmenting path algorithm for dense and sparse linear assignment
 * problems" (1987), in the rectangular form of D. F. Crouse, "On implementing 2D rectangular assignment algorithms" (2016).
 */
import { InputError } from "../base/errors.js";
import { createDisjointSets } from "./groups.js";
import type { WeightedPairs } from "./pairs.js";

/**
 * Minimum-cost assignment of every row to a column of its own.
 * @param cost [rows, columns], row-major, finite; rows <= columns.
 * @returns the column of each row.
 */
export function assignRows(cost: Float64Array, rows: number, columns: number): Int32Array {
  if (rows > columns || cost.length !== rows * columns) {
    throw new InputError(
      `assignRows needs rows <= columns and rows * columns costs, not ${rows} x ${columns}`,
      {
        hint: "Transpose the cost matrix so that its shorter side is the rows.",
      },
    );
  }
  const dualRow = new Float64Array(rows);
  const dualColumn = new Float64Array(columns);
  const columnOf = new Int32Array(rows).fill(-1);
  const rowOf = new Int32Array(columns).fill(-1);
  const shortest = new Float64Array(columns);
  const previous = new Int32Array(columns);
  const open = new Int32Array(columns);
  const scannedColumns = new Int32Array(columns);
  for (let start = 0; start < rows; start++) {
    shortest.fill(Infinity);
    for (let j = 0; j < columns; j++) open[j] = j;
    let openCount = columns;
    let scanned = 0;
    let row = start;
    let reach = 0;
    let sink = -1;
    while (sink < 0) {
      let lowest = Infinity;
      let best = -1;
      for (let k = 0; k < openCount; k++) {
        const j = open[k]!;
        const length = reach + cost[row * columns + j]! - dualRow[row]! - dualColumn[j]!;
        if (length < shortest[j]!) {
          shortest[j] = length;
          previous[j] = row;
        }
        const value = shortest[j]!;
        // Among equals a free column ends the search at once.
        if (value < lowest || (value === lowest && best >= 0 && rowOf[j] === -1)) {
          lowest = value;
          best = k;
        }
      }
      if (best < 0) throw new InputError("assignRows needs finite costs");
      reach = lowest;
      const column = open[best]!;
      open[best] = open[--openCount]!;
      scannedColumns[scanned++] = column;
      if (rowOf[column] === -1) sink = column;
      else row = rowOf[column]!;
    }
    // Duals: the start row, the rows reached through scanned columns, and those columns.
    dualRow[start] = dualRow[start]! + reach;
    for (let k = 0; k < scanned; k++) {
      const column = scannedColumns[k]!;
      const slack = reach - shortest[column]!;
      const holder = rowOf[column]!;
      if (holder >= 0) dualRow[holder] = dualRow[holder]! + slack;
      dualColumn[column] = dualColumn[column]! - slack;
    }
    // Walk the path back, giving each column to the row that reached it.
    let column = sink;
    for (;;) {
      const holder = previous[column]!;
      rowOf[column] = holder;
      const next = columnOf[holder]!;
      columnOf[holder] = column;
      if (holder === start) break;
      column = next;
    }
  }
  return columnOf;
}

/**
 * The one-to-one matching of greatest summed weight over the given pairs; a row or a column may stay alone.
 * Pairs of weight <= 0 (or NaN) are never matched.
 * @returns the column of each row, -1 = alone.
 */
export function maximumWeightMatching(rows: number, columns: number, pairs: WeightedPairs): Int32Array {
  const result = new Int32Array(rows).fill(-1);
  for (const part of connectedParts(rows, columns, pairs)) matchPart(part, pairs, result);
  return result;
}

/** Indices into `pairs` (of positive weight), by connected part of the graph they span. */
export function connectedParts(rows: number, columns: number, pairs: WeightedPairs): number[][] {
  const sets = createDisjointSets(rows + columns);
  const count = pairs.weights.length;
  for (let k = 0; k < count; k++) {
    const weight = pairs.weights[k]!;
    if (weight === Infinity)
      throw new InputError(`pair ${k} has an infinite weight; a matching needs finite ones`);
    if (weight > 0) sets.union(pairs.rows[k]!, rows + pairs.columns[k]!);
  }
  const parts = new Map<number, number[]>();
  for (let k = 0; k < count; k++) {
    if (!(pairs.weights[k]! > 0)) continue;
    const root = sets.find(pairs.rows[k]!);
    const part = parts.get(root);
    if (part === undefined) parts.set(root, [k]);
    else part.push(k);
  }
  return [...parts.values()];
}

/** Matches the pairs of one connected part alone and writes the columns of its matched rows into `result`. */
export function matchPart(part: readonly number[], pairs: WeightedPairs, result: Int32Array): void {
  if (part.length === 1) {
    result[pairs.rows[part[0]!]!] = pairs.columns[part[0]!]!;
    return;
  }
  const rowIds = localIds(part, pairs.rows);
  const columnIds = localIds(part, pairs.columns);
  const globalRows = [...rowIds.keys()];
  const globalColumns = [...columnIds.keys()];
  const flip = rowIds.size > columnIds.size;
  const short = flip ? columnIds.size : rowIds.size;
  const long = flip ? rowIds.size : columnIds.size;
  // Weights are positive, so filling the rest with 0 and dropping those pairs afterwards leaves the best matching.
  const cost = new Float64Array(short * long);
  for (const k of part) {
    const row = rowIds.get(pairs.rows[k]!)!;
    const column = columnIds.get(pairs.columns[k]!)!;
    const at = flip ? column * long + row : row * long + column;
    cost[at] = Math.min(cost[at]!, -pairs.weights[k]!);
  }
  const assigned = assignRows(cost, short, long);
  for (let i = 0; i < short; i++) {
    const j = assigned[i]!;
    if (cost[i * long + j]! >= 0) continue;
    if (flip) result[globalRows[j]!] = globalColumns[i]!;
    else result[globalRows[i]!] = globalColumns[j]!;
  }
}

function localIds(part: readonly number[], of: readonly number[]): Map<number, number> {
  const ids = new Map<number, number>();
  for (const k of part) {
    const id = of[k]!;
    if (!ids.has(id)) ids.set(id, ids.size);
  }
  return ids;
}
