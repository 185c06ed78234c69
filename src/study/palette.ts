/** @file The colours of overlays. Orange and green differ in lightness too, so that they hold for colour-blind eyes. */

/** What is drawn in which colour. */
export const palette = {
  background: "#15171c",
  text: "#f2f3f5",
  muted: "#aeb4be",
  /** Dark edge around every line. */
  halo: "rgba(0, 0, 0, 0.55)",
  truth: "#ffffff",
  look: "#35d07f",
  lookFill: "rgba(53, 208, 127, 0.16)",
  answer: "#ff9a1f",
  answerIgnored: "#c9b18f",
  ignore: "rgba(210, 214, 222, 0.75)",
  ignoreFill: "rgba(20, 22, 28, 0.35)",
  /** Laid over the picture under a heat map. */
  heatVeil: "rgba(10, 10, 16, 0.45)",
} as const;

/** Stops of the heat map's ramp: dark violet, red, orange, pale yellow, rising in lightness. */
const RAMP = [
  [40, 11, 84],
  [120, 28, 109],
  [203, 65, 73],
  [248, 133, 36],
  [252, 240, 160],
] as const;

/** CSS colour of a value in 0..1; low values are nearly clear so that the picture shows through. */
export function heatColour(value: number): string {
  const at = Math.min(1, Math.max(0, value)) * (RAMP.length - 1);
  const low = RAMP[Math.floor(at)]!;
  const high = RAMP[Math.min(RAMP.length - 1, Math.floor(at) + 1)]!;
  const part = at - Math.floor(at);
  const [r, g, b] = low.map((from, i) => Math.round(from + part * (high[i]! - from)));
  return `rgba(${r}, ${g}, ${b}, ${(0.25 + 0.65 * Math.min(1, Math.max(0, value))).toFixed(3)})`;
}
