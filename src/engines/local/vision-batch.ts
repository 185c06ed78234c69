/** @file Images brought to one list of patches in window order, with the segments that attend within themselves. */
import type { RgbImage } from "../../base/rgb-image.js";
import { VISION_ROPE_THETA, type QwenConfig } from "../../qwen/config.js";
import { patchify, type ImageProcessorConfig } from "../../qwen/image-processor.js";
import { patchPositions, windowLayout } from "../../qwen/positions.js";
import { visionRopeTables } from "../../qwen/rope-tables.js";
import { additiveKeyMask } from "../../tensor/index.js";
import { bucket, roundUp, rowBucket } from "./buckets.js";

/** Segments brought to one size; `padding` is absent where the patches already lie so. */
export interface SegmentLayout {
  readonly segments: number;
  readonly size: number;
  readonly padding?: {
    readonly gather: Int32Array;
    readonly scatter: Int32Array;
    readonly mask: Float32Array;
  };
}

/** Everything the vision tower is fed. */
export interface VisionBatch {
  /** Patches, padding included. */
  readonly patches: number;
  /** Rows of merged tokens the tower gives. */
  readonly features: number;
  readonly pixels: Float32Array;
  readonly cos: Float32Array;
  readonly sin: Float32Array;
  readonly windows: SegmentLayout;
  readonly frames: SegmentLayout;
  /** For each image, the feature row of each of its visual tokens in reading order. */
  readonly featureRows: readonly Int32Array[];
}

/** Brings segments given by their lengths to one size. */
function layOutSegments(lengths: readonly number[], patches: number): SegmentLayout {
  const longest = Math.max(...lengths);
  const used = lengths.reduce((sum, length) => sum + length, 0);
  // The padding patches at the end are whole segments of their own where that comes out even.
  if (lengths.every((length) => length === longest) && (patches - used) % longest === 0) {
    return { segments: patches / longest, size: longest };
  }
  const size = bucket(longest, 4);
  const segments = rowBucket(lengths.length);
  const gather = new Int32Array(segments * size);
  const scatter = new Int32Array(patches);
  const seen = new Uint8Array(segments * size);
  let patch = 0;
  lengths.forEach((length, segment) => {
    for (let i = 0; i < length; i++, patch++) {
      const place = segment * size + i;
      gather[place] = patch;
      scatter[patch] = place;
      seen[place] = 1;
    }
  });
  return { segments, size, padding: { gather, scatter, mask: additiveKeyMask(seen) } };
}

/** Packs images that are already at the size the model sees. */
export function packImages(
  images: readonly RgbImage[],
  config: QwenConfig,
  processor: ImageProcessorConfig,
): VisionBatch {
  const { vision } = config;
  const unit = vision.mergeSize ** 2;
  const prepared = images.map((image) => {
    const { pixelValues, gridThw } = patchify(image, processor);
    return { pixelValues, layout: windowLayout(gridThw, vision), positions: patchPositions(gridThw, vision) };
  });
  const counts = prepared.map(({ positions }) => positions.length / 2);
  const used = counts.reduce((sum, count) => sum + count, 0);
  const same = counts.every((count) => count === counts[0]);
  const patches = same ? rowBucket(images.length) * counts[0]! : roundUp(bucket(used, 16 * unit), unit);

  const width = prepared[0]!.pixelValues.length / counts[0]!;
  const pixels = new Float32Array(patches * width);
  const positions = new Float32Array(patches * 2);
  const featureRows: Int32Array[] = [];
  let firstUnit = 0;
  for (const image of prepared) {
    const { windowIndex } = image.layout;
    const rows = new Int32Array(windowIndex.length);
    windowIndex.forEach((from, to) => {
      const source = from * unit;
      const target = (firstUnit + to) * unit;
      pixels.set(image.pixelValues.subarray(source * width, (source + unit) * width), target * width);
      positions.set(image.positions.subarray(source * 2, (source + unit) * 2), target * 2);
      rows[from] = firstUnit + to;
    });
    featureRows.push(rows);
    firstUnit += windowIndex.length;
  }
  const lengthsOf = (bounds: Int32Array) => Array.from(bounds.subarray(1), (end, i) => end - bounds[i]!);
  return {
    patches,
    features: patches / unit,
    pixels,
    ...visionRopeTables(positions, vision.hiddenSize / vision.heads, VISION_ROPE_THETA),
    windows: layOutSegments(
      prepared.flatMap(({ layout }) => lengthsOf(layout.windowBounds)),
      patches,
    ),
    frames: layOutSegments(
      prepared.flatMap(({ layout }) => lengthsOf(layout.frameBounds)),
      patches,
    ),
    featureRows,
  };
}

/** What decides the form of a vision graph. */
export function visionKey(batch: VisionBatch): string {
  const form = ({ segments, size, padding }: SegmentLayout) => `${segments}x${size}${padding ? "p" : ""}`;
  return `${batch.patches}/${form(batch.windows)}/${form(batch.frames)}`;
}

/** The arrays of a batch, by input name. */
export function visionFeeds(batch: VisionBatch): Record<string, Float32Array | Int32Array> {
  const feeds: Record<string, Float32Array | Int32Array> = {
    pixels: batch.pixels,
    visionCos: batch.cos,
    visionSin: batch.sin,
  };
  for (const which of ["windows", "frames"] as const) {
    for (const [name, data] of Object.entries(batch[which].padding ?? {})) feeds[`${which}_${name}`] = data;
  }
  return feeds;
}
