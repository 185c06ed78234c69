/** @file A benchmark's numbers as a table for terminals: each as its tool prints it, with its bounds under ties. */
import type { OrderBounds } from "../metrics/ranking.js";
import { renderTable } from "../study/table.js";

/** What the table is made of. */
export interface TabledNumbers {
  readonly numbers: Readonly<Record<string, number | null>>;
  readonly bounds: Readonly<Record<string, OrderBounds>>;
  readonly counts: Readonly<Record<string, number>>;
}

/** The table; a number that could not be measured is a dash. */
export function benchmarkTable(
  { numbers, bounds, counts }: TabledNumbers,
  format: (value: number) => string,
): string {
  const cell = (value: number | null) => (value === null ? "-" : format(value));
  const rows = Object.entries(numbers).map(([name, value]) => {
    const range = bounds[name];
    return [name, cell(value), ...(range ? [`${cell(range.low)} to ${cell(range.high)}`] : [])];
  });
  const head = Object.keys(bounds).length > 0 ? [["", "", "over orders of equal scores"]] : [];
  const said = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
  return `${renderTable([...head, ...rows], { align: ["left", "right"] })}\n\n${said.join(", ")}`;
}
