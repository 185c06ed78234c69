/** @file The one picture type that passes between layers. */

/** An 8-bit RGB picture: `data` is [height, width, 3], row-major, values 0..255. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}
