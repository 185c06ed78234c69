/** @file Visual features of a set of images: computed once an image, however many responses share it. */
import type { RgbImage } from "../../base/rgb-image.js";
import type { TensorData } from "../../tensor/index.js";
import type { ModelContext } from "./context.js";
import { packImages, visionFeeds, visionKey, type VisionBatch } from "./vision-batch.js";
import { compileVision } from "./vision-programs.js";

/** Patches one vision graph takes at most, unless a single image has more. */
const PATCH_BUDGET = 16_384;

/** Images of one size run together. */
export interface EncodedBatch {
  readonly images: readonly RgbImage[];
  readonly batch: VisionBatch;
  /** [features, hidden], in window order. */
  readonly merged: Float32Array;
}

/** Splits images into batches of one size within the patch budget. */
function planImages(images: readonly RgbImage[], patchSize: number): RgbImage[][] {
  const bySize = new Map<string, RgbImage[]>();
  for (const image of images) {
    const key = `${image.width}x${image.height}`;
    const list = bySize.get(key) ?? [];
    bySize.set(key, list);
    list.push(image);
  }
  return [...bySize.values()].flatMap((list) => {
    const patches = (list[0]!.width / patchSize) * (list[0]!.height / patchSize);
    const size = Math.max(1, Math.floor(PATCH_BUDGET / patches));
    return Array.from({ length: Math.ceil(list.length / size) }, (_, i) =>
      list.slice(i * size, (i + 1) * size),
    );
  });
}

/** Encodes images under some weights. */
export async function encodeImages(
  context: ModelContext,
  weights: ReadonlyMap<string, Float32Array>,
  images: readonly RgbImage[],
): Promise<EncodedBatch[]> {
  const encoded: EncodedBatch[] = [];
  for (const list of planImages(images, context.config.vision.patchSize)) {
    const batch = packImages(list, context.config, context.imageConfig);
    const program = await context.programs.get(`vision/${visionKey(batch)}/${context.key}`, () =>
      compileVision(context, batch),
    );
    const merged = new Float32Array(batch.features * context.config.text.hiddenSize);
    await program.run(feedsFor(program.inputNames, weights, visionFeeds(batch)), { merged });
    encoded.push({ images: list, batch, merged });
  }
  return encoded;
}

/** The weights a program asks for, and its data. */
export function feedsFor(
  names: readonly string[],
  weights: ReadonlyMap<string, Float32Array>,
  data: Readonly<Record<string, TensorData>>,
): Record<string, TensorData> {
  const feeds: Record<string, TensorData> = {};
  for (const name of names) {
    const value = data[name] ?? weights.get(name);
    if (value !== undefined) feeds[name] = value;
  }
  return feeds;
}

/** Where each image's features lie. */
export interface FeatureTable {
  /** Copies an image's features in reading order to `target` from row `at` on. */
  copy(image: RgbImage, target: Float32Array, at: number): void;
  /** Adds the gradient of an image's features, in reading order from row `at` of `source`. */
  addGradient(image: RgbImage, source: Float32Array, at: number): void;
  tokensOf(image: RgbImage): number;
  /** The gradients added so far, one array a batch, in window order. */
  readonly gradients: readonly Float32Array[];
}

/** Indexes encoded batches by image. */
export function featureTable(encoded: readonly EncodedBatch[], hidden: number): FeatureTable {
  const where = new Map<RgbImage, { batch: number; rows: Int32Array }>();
  encoded.forEach(({ images, batch }, index) => {
    images.forEach((image, i) => where.set(image, { batch: index, rows: batch.featureRows[i]! }));
  });
  const gradients = encoded.map(({ merged }) => new Float32Array(merged.length));
  const find = (image: RgbImage) => {
    const place = where.get(image);
    if (place === undefined) throw new Error("featureTable: an image that was not encoded");
    return place;
  };
  return {
    gradients,
    tokensOf: (image) => find(image).rows.length,
    copy(image, target, at) {
      const { batch, rows } = find(image);
      const { merged } = encoded[batch]!;
      rows.forEach((row, i) => {
        target.set(merged.subarray(row * hidden, (row + 1) * hidden), (at + i) * hidden);
      });
    },
    addGradient(image, source, at) {
      const { batch, rows } = find(image);
      const gradient = gradients[batch]!;
      rows.forEach((row, i) => {
        for (let d = 0; d < hidden; d++) gradient[row * hidden + d]! += source[(at + i) * hidden + d]!;
      });
    },
  };
}
