/** @file Flat truths and detections of small crowds, made at random, for the properties of the official metrics. */
import { createRng } from "../../src/base/rng.js";
import { plainFromXywh, type PlainBoxes, type PlainDetections } from "../../src/metrics/plain.js";

/** One made image; every metric takes what it knows of it. */
export interface PlainScene {
  readonly truths: PlainBoxes;
  readonly ignore: Uint8Array;
  readonly heights: Float64Array;
  readonly visibility: Float64Array;
  readonly ignored: PlainBoxes;
  readonly detections: PlainDetections;
  readonly size: { readonly width: number; readonly height: number };
}

type Xywh = [number, number, number, number];

/** A detection to add, such as one more false positive. */
export interface Extra {
  readonly box: Xywh;
  readonly score: number;
}

/** The scene with further detections. */
export function withExtra(scene: PlainScene, ...extras: readonly Extra[]): PlainScene {
  const more = plainFromXywh(extras.map(({ box }) => box));
  const join = (a: Float64Array, b: Float64Array) => Float64Array.from([...a, ...b]);
  const { corners, areas, scores } = scene.detections;
  return {
    ...scene,
    detections: {
      corners: join(corners, more.corners),
      areas: join(areas, more.areas),
      scores: join(
        scores,
        Float64Array.from(extras, ({ score }) => score),
      ),
    },
  };
}

/** The scene with its truths as its detections, those to ignore left out. */
export function truthsAsDetections(scene: PlainScene): PlainScene {
  const kept = Array.from(scene.ignore.keys()).filter((g) => scene.ignore[g] === 0);
  const corners = Float64Array.from(
    kept.flatMap((g) => [...scene.truths.corners.subarray(4 * g, 4 * g + 4)]),
  );
  const areas = Float64Array.from(kept, (g) => scene.truths.areas[g]!);
  return { ...scene, detections: { corners, areas, scores: new Float64Array(kept.length).fill(1) } };
}

/**
 * Images of 400 x 300 with 0 to 8 people, some to ignore, found with jitter, duplicates and false alarms.
 * @param options.levels Number of distinct scores. @default 0: no two scores are equal
 */
export function plainScenes(
  seed: number,
  images: number,
  options: { readonly levels?: number } = {},
): PlainScene[] {
  const { levels = 0 } = options;
  const rng = createRng(seed);
  return Array.from({ length: images }, () => {
    const boxes: Xywh[] = Array.from({ length: rng.int(0, 8) }, () => {
      const height = rng.uniform(30, 120);
      return [rng.uniform(0, 340), rng.uniform(0, 180), 0.4 * height, height];
    });
    const found: Xywh[] = boxes.flatMap((box) => {
      const near = (): Xywh => box.map((value) => value + rng.uniform(-6, 6)) as Xywh;
      return rng.next() < 0.2 ? [] : rng.next() < 0.2 ? [near(), near()] : [near()];
    });
    for (let n = rng.int(0, 3); n > 0; n--) found.push([rng.uniform(0, 350), rng.uniform(0, 200), 30, 80]);
    return {
      truths: plainFromXywh(boxes),
      ignore: Uint8Array.from(boxes, () => (rng.next() < 0.15 ? 1 : 0)),
      heights: Float64Array.from(boxes, (box) => box[3]),
      visibility: Float64Array.from(boxes, () => rng.uniform(0.1, 1)),
      ignored: plainFromXywh(rng.next() < 0.3 ? [[0, 0, 150, 150]] : []),
      detections: {
        ...plainFromXywh(found),
        scores: Float64Array.from(found, () =>
          levels === 0 ? rng.uniform(0.01, 0.99) : rng.int(1, levels) / levels,
        ),
      },
      size: { width: 400, height: 300 },
    };
  });
}
