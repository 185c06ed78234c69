/** @file Text on canvases: the machine's sans-serif, measured, cut to a width. */
import { GlobalFonts, type SKRSContext2D } from "@napi-rs/canvas";
import { palette } from "./palette.js";

/** How text looks. */
export interface TextStyle {
  /** Pixels. */
  readonly size: number;
  /** @default palette.text */
  readonly colour?: string;
  /** @default false */
  readonly bold?: boolean;
  /** Only measure. @default false */
  readonly dry?: boolean;
}

/** Families that read well small, best first; what a machine has differs. */
const PREFERRED = [
  "Inter",
  "Helvetica Neue",
  "Segoe UI",
  "DejaVu Sans",
  "Liberation Sans",
  "Noto Sans",
  "Arial",
];

let family: string | undefined;

function sansSerif(): string {
  if (family === undefined) {
    const present = new Set(GlobalFonts.families.map((one) => one.family));
    const chosen = PREFERRED.find((name) => present.has(name)) ?? GlobalFonts.families[0]?.family;
    family = chosen === undefined ? "sans-serif" : `"${chosen}", sans-serif`;
  }
  return family;
}

/** Draws a line of text with its top at `y`; returns its width in pixels. */
export function drawText(
  context: SKRSContext2D,
  text: string,
  x: number,
  y: number,
  style: TextStyle,
): number {
  context.font = `${style.bold === true ? "bold " : ""}${style.size}px ${sansSerif()}`;
  context.textBaseline = "top";
  context.fillStyle = style.colour ?? palette.text;
  if (style.dry !== true) context.fillText(text, x, y);
  return context.measureText(text).width;
}

/** The text, or as much of it as `width` pixels hold with an ellipsis. */
export function fitText(context: SKRSContext2D, text: string, width: number, style: TextStyle): string {
  const measured = (content: string) => drawText(context, content, 0, 0, { ...style, dry: true });
  if (measured(text) <= width) return text;
  let [low, high] = [0, text.length];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (measured(text.slice(0, middle) + "…") <= width) low = middle;
    else high = middle - 1;
  }
  return text.slice(0, low) + "…";
}
