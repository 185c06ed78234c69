/**
 * @file Fewer points with the same look: of each stretch the first, the lowest, the highest and the last point (M4,
 * Jugel et al. 2014), so that no peak is lost. For what is drawn once and kept: SVG, tables. (On the canvas uPlot does
 * the like by itself, pixel by pixel.)
 */
import type { Values } from "./smooth.js";

/**
 * Indexes to keep for all curves together, rising; all of them where there are few enough.
 * @param from First index. @param to Index after the last one.
 * @param most About how many indexes a curve may keep.
 */
export function decimate(curves: readonly Values[], from: number, to: number, most: number): number[] {
  const length = to - from;
  if (length <= most) return Array.from({ length: Math.max(0, length) }, (_, i) => from + i);
  const stretches = Math.max(1, Math.floor(most / 4));
  const keep = new Set<number>();
  for (let stretch = 0; stretch < stretches; stretch++) {
    const start = from + Math.floor((stretch * length) / stretches);
    const end = from + Math.floor(((stretch + 1) * length) / stretches);
    for (const curve of curves) {
      let first = -1;
      let last = -1;
      let low = -1;
      let high = -1;
      for (let i = start; i < end; i++) {
        const value = curve[i];
        if (value === null || value === undefined) continue;
        if (first < 0) first = i;
        last = i;
        if (low < 0 || value < curve[low]!) low = i;
        if (high < 0 || value > curve[high]!) high = i;
      }
      if (first >= 0) keep.add(first).add(last).add(low).add(high);
    }
  }
  return [...keep].toSorted((a, b) => a - b);
}
