/** @file Rows of comma-separated numbers, as the video and drone datasets write them. */
import { AnnotationError } from "./problems.js";

/** What a row must look like. */
export interface RowShape {
  /** Names of the columns, for errors; rows may have fewer, as `counts` allows. */
  readonly names: readonly string[];
  /** Numbers of columns that are right. */
  readonly counts: readonly number[];
  /** How many of a row's columns are read; the others may hold anything. @default all */
  readonly read?: (columns: number) => number;
  /** What to say of a row with another number. */
  readonly hint: string;
}

/**
 * The numbers of a row; a comma at its end is let off.
 * @throws AnnotationError naming the place and the column
 */
export function readRow(text: string, where: string, shape: RowShape): number[] {
  const cells = text.split(",").map((cell) => cell.trim());
  if (cells.at(-1) === "") cells.pop();
  if (!shape.counts.includes(cells.length)) {
    const wrong = /[;\t]/.test(text) || (cells.length === 1 && text.trim().includes(" "));
    throw new AnnotationError("columns", `${where}: has ${cells.length} columns`, {
      hint: wrong ? `${shape.hint} Columns are separated by commas.` : shape.hint,
    });
  }
  return cells.slice(0, shape.read?.(cells.length)).map((cell, column) => {
    const value = cell === "" ? NaN : Number(cell);
    if (!Number.isFinite(value)) {
      const name = shape.names[column] ?? `column ${column + 1}`;
      throw new AnnotationError("field", `${where}: ${name} must be a number, got "${cell}"`);
    }
    return value;
  });
}

/** A frame number. @throws AnnotationError where it is not a whole number from 1 */
export function checkFrame(frame: number, where: string): void {
  if (!Number.isInteger(frame) || frame < 1) {
    throw new AnnotationError("field", `${where}: frame must be a whole number of at least 1, got ${frame}`);
  }
}
