/** @file Colours as packed 0xRRGGBB numbers: no allocation in the inner loops of the scene generator. */
import type { Rng } from "../../base/rng.js";

/** A colour packed as 0xRRGGBB. */
export type Colour = number;

/** Packs three channels, each clamped to 0..255 and rounded down. */
export function rgb(red: number, green: number, blue: number): Colour {
  return (channel(red) << 16) | (channel(green) << 8) | channel(blue);
}

function channel(value: number): number {
  return value <= 0 ? 0 : value >= 255 ? 255 : value | 0;
}

/** `a` moved towards `b` by `t` in 0..1. */
export function mix(a: Colour, b: Colour, t: number): Colour {
  const ra = a >> 16;
  const ga = (a >> 8) & 255;
  const ba = a & 255;
  return rgb(ra + ((b >> 16) - ra) * t, ga + (((b >> 8) & 255) - ga) * t, ba + ((b & 255) - ba) * t);
}

/** Brighter (factor > 1) or darker (factor < 1). */
export function scaled(colour: Colour, factor: number): Colour {
  return rgb((colour >> 16) * factor, ((colour >> 8) & 255) * factor, (colour & 255) * factor);
}

/** A colour near this one: each channel moved by at most `amount`. */
export function varied(colour: Colour, amount: number, rng: Rng): Colour {
  return rgb(
    (colour >> 16) + rng.uniform(-amount, amount),
    ((colour >> 8) & 255) + rng.uniform(-amount, amount),
    (colour & 255) + rng.uniform(-amount, amount),
  );
}

/** Rec. 601 luma, 0..255. */
export function luma(colour: Colour): number {
  return 0.299 * (colour >> 16) + 0.587 * ((colour >> 8) & 255) + 0.114 * (colour & 255);
}
