/** @file Which samples and objects of a file dataset count: a held-out split, filters, a limit, in this order. */
import { deriveSeed } from "../base/rng.js";
import type { GroundTruthObject, SampleTruth } from "./sample.js";

/** What must hold of an object to be ground truth; objects that fail become ignore regions, as in CityPersons' setups. */
export interface ObjectFilter {
  /** Pixels of the full box. */
  readonly minHeight?: number;
  /** Visible share 0..1; objects whose visibility is not known pass. */
  readonly minVisible?: number;
  /** Images with fewer objects left are dropped. */
  readonly minObjects?: number;
  /** Only these labels are kept; others leave without a trace. */
  readonly labels?: readonly string[];
}

/** One of two parts that never share an image. */
export interface Split {
  readonly part: "train" | "val";
  /** Share of `val`. @default 0.2 */
  readonly val?: number;
  /** `hash`: by each id, so that new images move no old one. `order`: the last ones are val (videos). @default "hash" */
  readonly by?: "hash" | "order";
  /** Another seed gives another `hash` split. @default 0 */
  readonly seed?: number;
}

/** Everything that can be selected. */
export interface Selection {
  readonly where?: ObjectFilter;
  readonly split?: Split;
  /** At most this many samples, from the start. */
  readonly limit?: number;
}

/** Applies a selection; samples are never changed in place. */
export function select<S extends SampleTruth>(samples: readonly S[], selection: Selection): S[] {
  const { where, split, limit } = selection;
  // The split comes first: filters that differ between the parts must not move its border.
  let out = split === undefined ? samples.slice() : takePart(samples, split);
  if (where !== undefined) out = out.map((sample) => filterObjects(sample, where));
  if (where?.minObjects !== undefined) out = out.filter((s) => s.objects.length >= where.minObjects!);
  return limit === undefined ? out : out.slice(0, limit);
}

function filterObjects<S extends SampleTruth>(sample: S, where: ObjectFilter): S {
  const labelled =
    where.labels === undefined
      ? sample.objects
      : sample.objects.filter((o) => where.labels!.includes(o.label));
  const counts = (o: GroundTruthObject) =>
    o.box.y2 - o.box.y1 >= (where.minHeight ?? 0) && (o.visibility ?? 1) >= (where.minVisible ?? 0);
  const objects = labelled.filter(counts);
  if (objects.length === sample.objects.length) return sample;
  const moved = labelled.filter((o) => !counts(o));
  const ignoreLabels = sample.ignoreLabels ?? sample.ignore.map(() => "");
  return {
    ...sample,
    objects,
    ignore: [...sample.ignore, ...moved.map((o) => o.box)],
    ignoreLabels: [...ignoreLabels, ...moved.map((o) => o.label)],
  };
}

function takePart<S extends SampleTruth>(samples: readonly S[], split: Split): S[] {
  const val = split.val ?? 0.2;
  if (split.by === "order") {
    const cut = Math.round(samples.length * (1 - val));
    return split.part === "train" ? samples.slice(0, cut) : samples.slice(cut);
  }
  const isVal = (sample: S) => (deriveSeed(split.seed ?? 0, "split", sample.id) >>> 0) / 2 ** 32 < val;
  return samples.filter((sample) => isVal(sample) === (split.part === "val"));
}
