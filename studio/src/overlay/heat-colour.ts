/**
 * @file The colours of heat: a ramp from near black through violet, red and orange to pale yellow that rises evenly in
 * lightness, made in OKLab (B. Ottosson, 2020) and spaced so that equal steps of the value are equal steps for the eye.
 * Since lightness alone tells the order, it holds for colour-blind eyes and in grey print.
 */

/** A colour, 0..255 a channel. */
export type Rgb = readonly [red: number, green: number, blue: number];
/** Lightness 0..1 and the two opponent axes. */
type Lab = readonly [L: number, a: number, b: number];

const toLinear = (channel: number): number => {
  const c = channel / 255;
  return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
};

const fromLinear = (c: number): number => {
  const clipped = Math.min(1, Math.max(0, c));
  return Math.round(255 * (clipped <= 0.0031308 ? 12.92 * clipped : 1.055 * clipped ** (1 / 2.4) - 0.055));
};

/** sRGB to OKLab. */
export function okLab([red, green, blue]: Rgb): Lab {
  const [r, g, b] = [toLinear(red), toLinear(green), toLinear(blue)];
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

function fromOkLab([L, a, b]: Lab): Rgb {
  const l = (L + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (L - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (L - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    fromLinear(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
    fromLinear(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
    fromLinear(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s),
  ];
}

/** Anchors: lightness, chroma, hue in degrees. Chroma stays inside sRGB at each lightness. */
const ANCHORS: readonly (readonly [number, number, number])[] = [
  [0.16, 0.06, 290],
  [0.32, 0.14, 312],
  [0.47, 0.17, 358],
  [0.62, 0.18, 30],
  [0.77, 0.15, 62],
  [0.93, 0.11, 102],
];

const STEPS = 256;

/** 256 colours, evenly spaced along the path through the anchors. */
const ramp: readonly Rgb[] = (() => {
  const labs: Lab[] = ANCHORS.map(([L, chroma, hue]) => {
    const angle = (hue * Math.PI) / 180;
    return [L, chroma * Math.cos(angle), chroma * Math.sin(angle)];
  });
  const lengths = labs.slice(1).map((to, i) => Math.hypot(...to.map((v, k) => v - labs[i]![k]!)));
  const total = lengths.reduce((sum, length) => sum + length, 0);
  return Array.from({ length: STEPS }, (_, step) => {
    let left = (step / (STEPS - 1)) * total;
    let piece = 0;
    while (piece < lengths.length - 1 && left > lengths[piece]!) left -= lengths[piece++]!;
    const part = Math.min(1, left / lengths[piece]!);
    const [from, to] = [labs[piece]!, labs[piece + 1]!];
    return fromOkLab([
      from[0] + part * (to[0] - from[0]),
      from[1] + part * (to[1] - from[1]),
      from[2] + part * (to[2] - from[2]),
    ]);
  });
})();

/** Colour of a value in 0..1; values outside are taken as the nearest end, what is no number as 0. */
export function heatRgb(value: number): Rgb {
  const at = Number.isNaN(value) ? 0 : Math.min(1, Math.max(0, value));
  return ramp[Math.round(at * (STEPS - 1))]!;
}

/** How opaque a value is drawn, 0..1: nothing at 0, so that the picture shows where there is no heat. */
export function heatAlpha(value: number): number {
  return value > 0 ? 0.35 + 0.65 * Math.min(1, value) : 0;
}

/** The ramp as a CSS gradient, for legends. */
export function heatGradient(stops = 12): string {
  const at = Array.from({ length: stops + 1 }, (_, i) => i / stops);
  return `linear-gradient(to right, ${at
    .map((value) => `rgb(${heatRgb(value).join(" ")}) ${(100 * value).toFixed(1)}%`)
    .join(", ")})`;
}
