/** @file What the air, the light and the sensor do to a whole picture. Integer arithmetic, in place. */
import type { Rng } from "../../base/rng.js";
import type { Raster } from "./raster.js";

/** Multiplies every channel by a gain and adds an offset: exposure and white balance. */
export function expose(raster: Raster, gains: readonly [number, number, number], offset: number): void {
  const { data } = raster;
  const tables = gains.map((gain) => {
    const table = new Uint8Array(256);
    for (let v = 0; v < 256; v++) table[v] = Math.max(0, Math.min(255, Math.floor(v * gain + offset + 0.5)));
    return table;
  });
  const [red, green, blue] = tables as [Uint8Array, Uint8Array, Uint8Array];
  for (let i = 0; i < data.length; i += 3) {
    data[i] = red[data[i]!]!;
    data[i + 1] = green[data[i + 1]!]!;
    data[i + 2] = blue[data[i + 2]!]!;
  }
}

/** Sensor noise of standard deviation `sigma` in grey levels (sum of four uniform bytes), partly shared by the channels. */
export function addNoise(raster: Raster, sigma: number, rng: Rng): void {
  const { data } = raster;
  // Four bytes sum to mean 510 with standard deviation 147.8; the fixed-point factor brings it to sigma.
  const factor = Math.floor((sigma / 147.8) * 65536);
  if (factor === 0) return;
  let state = rng.int(1, 0x7fffffff);
  for (let i = 0; i < data.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const sum = (state & 255) + ((state >>> 8) & 255) + ((state >>> 16) & 255) + (state >>> 24) - 510;
    const value = data[i]! + ((sum * factor) >> 16);
    data[i] = value < 0 ? 0 : value > 255 ? 255 : value;
  }
}

/** A pool of light: where it is, how wide, how much it adds to the gain at its middle. */
export interface LightPool {
  readonly x: number;
  readonly y: number;
  readonly rx: number;
  readonly ry: number;
  readonly strength: number;
}

/** Darkness with lamps: each pixel is scaled by ambient plus what the pools give it. */
export function nightfall(
  raster: Raster,
  ambient: readonly [number, number, number],
  pools: readonly LightPool[],
): void {
  const { data, width, height } = raster;
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i += 3) {
      let light = 0;
      for (const pool of pools) {
        const dx = (x + 0.5 - pool.x) / pool.rx;
        const dy = (y + 0.5 - pool.y) / pool.ry;
        const q = dx * dx + dy * dy;
        if (q < 1) light += pool.strength * (1 - q) * (1 - q);
      }
      // Lamps are warm: less blue.
      const r = data[i]! * (ambient[0] + light);
      const g = data[i + 1]! * (ambient[1] + light * 0.86);
      const b = data[i + 2]! * (ambient[2] + light * 0.6);
      data[i] = r > 255 ? 255 : r;
      data[i + 1] = g > 255 ? 255 : g;
      data[i + 2] = b > 255 ? 255 : b;
    }
  }
}

/** A 1-2-1 blur in both directions: a soft lens or a small sensor. */
export function soften(raster: Raster): void {
  const { data, width, height } = raster;
  const row = width * 3;
  const line = new Uint8Array(Math.max(row, height * 3));
  for (let y = 0; y < height; y++) {
    const at = y * row;
    line.set(data.subarray(at, at + row));
    for (let i = 3; i < row - 3; i++) data[at + i] = (line[i - 3]! + 2 * line[i]! + line[i + 3]! + 2) >> 2;
  }
  let above = data.slice(0, row);
  for (let y = 1; y < height - 1; y++) {
    const at = y * row;
    const here = data.slice(at, at + row);
    for (let i = 0; i < row; i++) data[at + i] = (above[i]! + 2 * here[i]! + data[at + row + i]! + 2) >> 2;
    above = here;
  }
}
