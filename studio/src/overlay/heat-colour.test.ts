import { describe, expect, it } from "vitest";
import { heatAlpha, heatGradient, heatRgb, okLab, type Rgb } from "./heat-colour.js";

const values = Array.from({ length: 33 }, (_, i) => i / 32);
const distance = (a: Rgb, b: Rgb) => {
  const [p, q] = [okLab(a), okLab(b)];
  return Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
};

/** What eyes without red (protan), green (deutan) or blue (tritan) cones see: Machado et al. 2009, severity 1, on linear RGB. */
const blindness: Readonly<Record<string, readonly (readonly [number, number, number])[]>> = {
  protan: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deutan: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritan: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};
const linear = (c: number) => (c / 255 <= 0.04045 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4);
const encoded = (c: number) => {
  const clipped = Math.min(1, Math.max(0, c));
  return 255 * (clipped <= 0.0031308 ? 12.92 * clipped : 1.055 * clipped ** (1 / 2.4) - 0.055);
};
const seen = (colour: Rgb, kind: string): Rgb => {
  const rgb = colour.map(linear);
  return blindness[kind]!.map((row) =>
    encoded(row.reduce((sum, weight, i) => sum + weight * rgb[i]!, 0)),
  ) as unknown as Rgb;
};

describe("heatRgb", () => {
  it("takes equal steps for the eye: none differs from the mean by more than a fifth", () => {
    const steps = values.slice(1).map((value, i) => distance(heatRgb(values[i]!), heatRgb(value)));
    const mean = steps.reduce((sum, step) => sum + step, 0) / steps.length;
    for (const step of steps) expect(Math.abs(step / mean - 1)).toBeLessThan(0.2);
  });

  it("rises in lightness from end to end", () => {
    const lightness = values.map((value) => okLab(heatRgb(value))[0]);
    for (let i = 1; i < lightness.length; i++) expect(lightness[i]!).toBeGreaterThan(lightness[i - 1]!);
    expect(lightness.at(-1)! - lightness[0]!).toBeGreaterThan(0.7);
  });

  it.each(Object.keys(blindness))("keeps its order for %s eyes", (kind) => {
    const lightness = values.map((value) => okLab(seen(heatRgb(value), kind))[0]);
    for (let i = 1; i < lightness.length; i++) expect(lightness[i]!).toBeGreaterThan(lightness[i - 1]!);
  });

  it("takes values outside for the nearest end, and what is no number for none", () => {
    expect(heatRgb(-3)).toEqual(heatRgb(0));
    expect(heatRgb(7)).toEqual(heatRgb(1));
    expect(heatRgb(Number.NaN)).toEqual(heatRgb(0));
  });
});

describe("heatAlpha", () => {
  it("hides nothing where there is no heat", () => {
    expect(heatAlpha(0)).toBe(0);
    expect(heatAlpha(1)).toBe(1);
    expect(heatAlpha(0.01)).toBeGreaterThan(0.3);
  });
});

describe("heatGradient", () => {
  it("goes from the ramp's one end to its other", () => {
    expect(heatGradient(2)).toContain(`rgb(${heatRgb(0).join(" ")}) 0.0%`);
    expect(heatGradient(2)).toContain(`rgb(${heatRgb(1).join(" ")}) 100.0%`);
  });
});
