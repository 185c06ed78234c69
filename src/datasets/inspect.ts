/** @file What a dataset holds, in numbers: `dip-r1 data inspect` prints it, results keep it. */
import { intersectionArea, iou, boxArea } from "../geometry/overlap.js";
import { histogram, ratio, summarise, type Bin, type Summary } from "./inspect-numbers.js";
import { modelInspector, type ModelReport, type ModelView } from "./inspect-model.js";
import type { GroundTruthObject, SampleTruth } from "./sample.js";

/** A dataset in numbers. */
export interface DatasetReport {
  readonly images: number;
  /** Images without an object. */
  readonly empty: number;
  readonly objects: number;
  readonly ignore: number;
  /** Objects of each label, the most frequent first. */
  readonly labels: Readonly<Record<string, number>>;
  /** Ignore regions of each kind, where the dataset says. */
  readonly ignoreLabels: Readonly<Record<string, number>>;
  /** Images of each size, `768x576`. */
  readonly sizes: Readonly<Record<string, number>>;
  /** Objects of which more is known than box and label. */
  readonly known: {
    readonly visible: number;
    readonly visibility: number;
    readonly head: number;
    readonly id: number;
    readonly attributes: number;
  };
  readonly objectsPerImage: Summary & { readonly bins: readonly Bin[] };
  /** Of the full box, in pixels and as a share of the image's height. */
  readonly height: Summary & { readonly bins: readonly Bin[] };
  readonly relativeHeight: Summary;
  /** Only of objects whose visible share is known or follows from their visible box. */
  readonly visibility: Summary & {
    /** Share below 0.65: CityPersons' heavy occlusion. */ readonly hidden: number;
    readonly bins: readonly Bin[];
  };
  /** Objects whose box leaves the picture (amodal boxes do), and those of which nothing is inside. */
  readonly outside: { readonly partly: number; readonly wholly: number };
  readonly crowding: {
    /** Pairs of one image whose full boxes have an IoU above 0.3 and above 0.5. */
    readonly pairsOver03: number;
    readonly pairsOver05: number;
    /** Pairs above 0.3 an image; CrowdHuman's way of telling how crowded a set is. */
    readonly pairsPerImage: number;
    /** The same as a distribution over images. */
    readonly perImage: Summary;
    /** Share of images with such a pair. */
    readonly imagesWithPair: number;
    /** Share of objects whose full box overlaps another's by IoU > 0.15. */
    readonly overlapping: number;
  };
  /** Only where a model was given. */
  readonly model?: ModelReport;
}

/** Options of {@link inspectSamples}. */
export interface InspectOptions {
  /** Look through this model's eyes as well. */
  readonly model?: ModelView;
  /** Called after each sample. */
  readonly onProgress?: (done: number) => void;
}

const COUNTS = [0, 1, 2, 6, 11, 21, 51, 101];
const HEIGHTS = [0, 16, 32, 50, 100, 200, 400];
/** CityPersons' borders: heavy occlusion is 0.2 to 0.65, little 0.9 and more. */
const SHARES = [0, 0.2, 0.65, 0.9];

/** Counts a dataset; needs annotations only, no pixels. Holds a few numbers of each object, no samples. */
export async function inspectSamples(
  samples: AsyncIterable<SampleTruth> | Iterable<SampleTruth>,
  options: InspectOptions = {},
): Promise<DatasetReport> {
  const perImage: number[] = [];
  const pairsOfImages: number[] = [];
  const heights: number[] = [];
  const relative: number[] = [];
  const visibilities: number[] = [];
  const labels = new Map<string, number>();
  const ignoreLabels = new Map<string, number>();
  const sizes = new Map<string, number>();
  const known = { visible: 0, visibility: 0, head: 0, id: 0, attributes: 0 };
  const outside = { partly: 0, wholly: 0 };
  const model = options.model === undefined ? undefined : modelInspector(options.model);
  let ignore = 0;
  let pairsOver03 = 0;
  let pairsOver05 = 0;
  let overlapping = 0;
  for await (const sample of samples) {
    perImage.push(sample.objects.length);
    ignore += sample.ignore.length;
    bump(sizes, `${sample.width}x${sample.height}`);
    for (const label of sample.ignoreLabels ?? []) if (label !== "") bump(ignoreLabels, label);
    const canvas = { x1: 0, y1: 0, x2: sample.width, y2: sample.height };
    for (const object of sample.objects) {
      bump(labels, object.label);
      heights.push(object.box.y2 - object.box.y1);
      relative.push((object.box.y2 - object.box.y1) / sample.height);
      const visibility = knownVisibility(object);
      if (visibility !== undefined) visibilities.push(visibility);
      for (const key of ["visible", "visibility", "head", "id", "attributes"] as const)
        if (object[key] !== undefined) known[key]++;
      const { x1, y1, x2, y2 } = object.box;
      if (x1 >= 0 && y1 >= 0 && x2 <= sample.width && y2 <= sample.height) continue;
      outside[intersectionArea(object.box, canvas) > 0 ? "partly" : "wholly"]++;
    }
    const pairs = countPairs(sample);
    pairsOver03 += pairs.over03;
    pairsOver05 += pairs.over05;
    pairsOfImages.push(pairs.over03);
    overlapping += pairs.touched;
    model?.add(sample);
    options.onProgress?.(perImage.length);
  }
  const images = perImage.length;
  const objects = heights.length;
  return {
    images,
    empty: perImage.filter((n) => n === 0).length,
    objects,
    ignore,
    labels: sorted(labels),
    ignoreLabels: sorted(ignoreLabels),
    sizes: sorted(sizes),
    known,
    objectsPerImage: { ...summarise(perImage), bins: histogram(perImage, COUNTS, true) },
    height: { ...summarise(heights), bins: histogram(heights, HEIGHTS, false) },
    relativeHeight: summarise(relative),
    visibility: {
      ...summarise(visibilities),
      hidden: ratio(visibilities.filter((v) => v < 0.65).length, visibilities.length),
      bins: histogram(visibilities, SHARES, false),
    },
    outside,
    crowding: {
      pairsOver03,
      pairsOver05,
      pairsPerImage: ratio(pairsOver03, images),
      perImage: summarise(pairsOfImages),
      imagesWithPair: ratio(pairsOfImages.filter((n) => n > 0).length, images),
      overlapping: ratio(overlapping, objects),
    },
    ...(model && { model: model.report() }),
  };
}

/** As annotated, else visible area over full area, else unknown. */
function knownVisibility({ visibility, visible, box }: GroundTruthObject): number | undefined {
  if (visibility !== undefined || visible === undefined) return visibility;
  return Math.min(1, ratio(boxArea(visible), boxArea(box)));
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

function bump(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function sorted(counts: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...counts].sort(([a, n], [b, m]) => m - n || (a < b ? -1 : 1)));
}
