/** @file What a dataset holds, in numbers: `dip-r1 data inspect` prints it, results keep it. */
import { iou } from "../geometry/overlap.js";
import type { SampleTruth } from "./jsonl.js";

/** Five numbers of a distribution. */
export interface Summary {
  readonly count: number;
  readonly min: number;
  readonly median: number;
  readonly mean: number;
  readonly max: number;
}

/** A dataset in numbers. */
export interface DatasetReport {
  readonly images: number;
  /** Images without an object. */
  readonly empty: number;
  readonly objects: number;
  readonly ignore: number;
  /** Objects of each label, the most frequent first. */
  readonly labels: Readonly<Record<string, number>>;
  /** Images of each size, `768x576`. */
  readonly sizes: Readonly<Record<string, number>>;
  readonly objectsPerImage: Summary;
  /** Of the full box, in pixels and as a share of the image's height. */
  readonly height: Summary;
  readonly relativeHeight: Summary;
  /** Only of objects whose visibility is known. */
  readonly visibility: Summary & {
    /** Share below 0.65: CityPersons' heavy occlusion. */ readonly hidden: number;
  };
  readonly crowding: {
    /** Pairs of one image whose full boxes have an IoU above 0.3 and above 0.5. */
    readonly pairsOver03: number;
    readonly pairsOver05: number;
    /** Pairs above 0.3 an image; CrowdHuman's way of telling how crowded a set is. */
    readonly pairsPerImage: number;
    /** Share of images with such a pair. */
    readonly imagesWithPair: number;
    /** Share of objects whose full box overlaps another's by IoU > 0.15. */
    readonly overlapping: number;
  };
}

/** Counts a dataset; needs annotations only, no pixels. */
export async function inspectSamples(
  samples: AsyncIterable<SampleTruth> | Iterable<SampleTruth>,
): Promise<DatasetReport> {
  const perImage: number[] = [];
  const heights: number[] = [];
  const relative: number[] = [];
  const visibilities: number[] = [];
  const labels = new Map<string, number>();
  const sizes = new Map<string, number>();
  let ignore = 0;
  let pairsOver03 = 0;
  let pairsOver05 = 0;
  let crowdedImages = 0;
  let overlapping = 0;
  for await (const sample of samples) {
    perImage.push(sample.objects.length);
    ignore += sample.ignore.length;
    bump(sizes, `${sample.width}x${sample.height}`);
    for (const object of sample.objects) {
      bump(labels, object.label);
      heights.push(object.box.y2 - object.box.y1);
      relative.push((object.box.y2 - object.box.y1) / sample.height);
      if (object.visibility !== undefined) visibilities.push(object.visibility);
    }
    const pairs = countPairs(sample);
    pairsOver03 += pairs.over03;
    pairsOver05 += pairs.over05;
    crowdedImages += pairs.over03 > 0 ? 1 : 0;
    overlapping += pairs.touched;
  }
  const images = perImage.length;
  const objects = heights.length;
  return {
    images,
    empty: perImage.filter((n) => n === 0).length,
    objects,
    ignore,
    labels: sorted(labels),
    sizes: sorted(sizes),
    objectsPerImage: summarise(perImage),
    height: summarise(heights),
    relativeHeight: summarise(relative),
    visibility: {
      ...summarise(visibilities),
      hidden: ratio(visibilities.filter((v) => v < 0.65).length, visibilities.length),
    },
    crowding: {
      pairsOver03,
      pairsOver05,
      pairsPerImage: ratio(pairsOver03, images),
      imagesWithPair: ratio(crowdedImages, images),
      overlapping: ratio(overlapping, objects),
    },
  };
}

function countPairs(sample: SampleTruth): { over03: number; over05: number; touched: number } {
  const { objects } = sample;
  const touched = new Set<number>();
  let over03 = 0;
  let over05 = 0;
  for (let i = 0; i < objects.length; i++) {
    for (let j = 0; j < i; j++) {
      const overlap = iou(objects[i]!.box, objects[j]!.box);
      if (overlap > 0.15) touched.add(i).add(j);
      if (overlap > 0.3) over03++;
      if (overlap > 0.5) over05++;
    }
  }
  return { over03, over05, touched: touched.size };
}

/** Zeros where there is nothing to summarise: the count says so. */
function summarise(values: readonly number[]): Summary {
  if (values.length === 0) return { count: 0, min: 0, median: 0, mean: 0, max: 0 };
  const ascending = values.toSorted((a, b) => a - b);
  const middle = ascending.length >> 1;
  return {
    count: ascending.length,
    min: ascending[0]!,
    median:
      ascending.length % 2 === 1 ? ascending[middle]! : (ascending[middle - 1]! + ascending[middle]!) / 2,
    mean: ascending.reduce((a, b) => a + b, 0) / ascending.length,
    max: ascending.at(-1)!,
  };
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}

function bump(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function sorted(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)));
}
