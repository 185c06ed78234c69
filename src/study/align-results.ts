/**
 * @file Which sets of several results belong together, and their images side by side. Numbers of other data or other images
 * say nothing of the models: such results are refused, or cut to what all have where that is asked for.
 */
import { canonicalJson, InputError } from "../base/index.js";
import type { EvaluatedImage } from "../rl/index.js";
import type { Decoding, EvaluationResult, ResultSet } from "../runs/index.js";

/** Ground truth of two readings of one image may differ by rounding in the model's frame, pixels of the original. */
const SAME_PIXEL = 0.01;

function sameTruth(a: EvaluatedImage, b: EvaluatedImage): boolean {
  const boxes = ({ truth }: EvaluatedImage) => [
    ...truth.objects.map(({ box, label }) => ({ box, label })),
    ...truth.ignore.map((box) => ({ box, label: "" })),
  ];
  const [left, right] = [boxes(a), boxes(b)];
  return (
    a.truth.objects.length === b.truth.objects.length &&
    left.length === right.length &&
    left.every(({ box, label }, i) => {
      const other = right[i]!;
      return (
        label === other.label &&
        (["x1", "y1", "x2", "y2"] as const).every(
          (edge) => Math.abs(box[edge] - other.box[edge]) <= SAME_PIXEL,
        )
      );
    })
  );
}

const few = (ids: readonly string[]): string =>
  ids.slice(0, 3).join(", ") + (ids.length > 3 ? `, ... (${ids.length})` : "");

/** Images of every result, the same ones in the order of the first. */
export interface AlignedImages {
  /** By result. */
  readonly images: readonly (readonly EvaluatedImage[])[];
  /** By result: how many of its images not all have. */
  readonly leftOut: readonly number[];
}

/** Refuses a set that cannot stand beside the first. */
function checkPair([a, b]: readonly [ResultSet, ResultSet], names: readonly [string, string]): void {
  const what = `${a.set}, ${a.decoding}`;
  if (a.fingerprint !== b.fingerprint)
    throw new InputError(
      `${what}: the results are of other data: sha256 ${a.fingerprint.slice(0, 12)} in ${names[0]}, ` +
        `${b.fingerprint.slice(0, 12)} in ${names[1]}`,
      { hint: "Judge both on one dataset, or compare the images that both have by --common." },
    );
  const [inA, inB] = [a, b].map(({ images }) => new Set(images.map(({ id }) => id))) as [
    Set<string>,
    Set<string>,
  ];
  const onlyA = [...inA].filter((id) => !inB.has(id));
  const onlyB = [...inB].filter((id) => !inA.has(id));
  if (onlyA.length + onlyB.length === 0) return;
  const parts = [
    ...(onlyA.length > 0 ? [`${few(onlyA)} only in ${names[0]}`] : []),
    ...(onlyB.length > 0 ? [`${few(onlyB)} only in ${names[1]}`] : []),
  ];
  throw new InputError(`${what}: the results are of other images: ${parts.join("; ")}`, {
    hint: "Judge both on the same images (--limit), or compare those that both have by --common.",
  });
}

/**
 * The images that all sets have.
 *
 * @param sets One a result, of one set and decoding; at least one.
 * @param names Of the results, for messages.
 * @param common Cut to the images that all have, rather than refuse.
 * @throws InputError where data, images or ground truth differ (see `common`: ground truth must be equal all the same).
 */
export function alignImages(
  sets: readonly ResultSet[],
  names: readonly string[],
  common: boolean,
): AlignedImages {
  const first = sets[0]!;
  if (!common) sets.forEach((one, k) => checkPair([first, one], [names[0]!, names[k]!]));
  const byId = sets.map(({ images }) => new Map(images.map((image) => [image.id, image])));
  const ids = [...byId[0]!.keys()].filter((id) => byId.every((one) => one.has(id)));
  const what = `${first.set}, ${first.decoding}`;
  if (ids.length === 0)
    throw new InputError(`${what}: ${names.join(" and ")} have no image in common`, {
      hint: "Judge both on one dataset.",
    });
  const images = byId.map((one) => ids.map((id) => one.get(id)!));
  const other = ids.filter((_, i) => images.some((one) => !sameTruth(images[0]![i]!, one[i]!)));
  if (other.length > 0)
    throw new InputError(`${what}: the ground truth is another one in image ${few(other)}`, {
      hint: "The annotations or the labels asked for have changed between the two; judge both again.",
    });
  return { images, leftOut: byId.map((one) => one.size - ids.length) };
}

/** Which of the sets of a result are looked at. */
export interface SetChoice {
  /** @default all */
  readonly set?: string;
  /** @default all */
  readonly decoding?: Decoding;
}

/** The sets of a result that a choice leaves. */
export function chosenSets({ sets }: EvaluationResult, { set, decoding }: SetChoice): ResultSet[] {
  return sets.filter(
    (one) => (set === undefined || one.set === set) && (decoding === undefined || one.decoding === decoding),
  );
}

/** Which of `right` belongs to one of `left`: the same data or else the same name; where each side has but one, these. */
export function partnerOf(
  one: ResultSet,
  left: readonly ResultSet[],
  right: readonly ResultSet[],
): ResultSet | undefined {
  const same = right.filter(({ decoding }) => decoding === one.decoding);
  const alone = left.filter(({ decoding }) => decoding === one.decoding).length === 1 && same.length === 1;
  return (
    same.find(({ set, fingerprint }) => set === one.set && fingerprint === one.fingerprint) ??
    same.find(({ fingerprint }) => fingerprint === one.fingerprint) ??
    same.find(({ set }) => set === one.set) ??
    (alone ? same[0] : undefined)
  );
}

/** What a result has, in words. */
export const listSets = ({ source, sets }: EvaluationResult): string =>
  `${source} has ${sets.map(({ set, decoding }) => `${set} (${decoding})`).join(", ") || "nothing"}`;

/**
 * What a reader of their comparison must know: settings that differ, code that changed.
 * @param names Of the results, for the words. @param irrelevant Settings that change nothing here.
 */
export function resultNotes(
  results: readonly EvaluationResult[],
  names: readonly string[],
  irrelevant: readonly string[] = [],
): string[] {
  const show = (value: unknown) => JSON.stringify(value) ?? "none";
  const keys = new Set(results.flatMap(({ settings }) => Object.keys(settings)));
  const differing = [...keys].flatMap((key) => {
    if (irrelevant.includes(key)) return [];
    // What only one of them tells cannot differ.
    const told = results.flatMap(({ settings }, i) =>
      Object.hasOwn(settings, key) ? [{ value: settings[key], name: names[i]! }] : [],
    );
    if (new Set(told.map(({ value }) => canonicalJson(value))).size < 2) return [];
    return [`${key} is ${told.map(({ value, name }) => `${show(value)} in ${name}`).join(" and ")}`];
  });
  const versions = [...new Set(results.map(({ code }) => code.version))];
  return [
    ...(differing.length > 0
      ? [`the ${results.length === 2 ? "two" : "results"} were not asked alike: ${differing.join("; ")}`]
      : []),
    ...(new Set(results.map(({ code }) => code.sha256)).size < 2
      ? []
      : [`the code is another one (dip-r1 ${versions.join(" and ")}): a part of the change may be its`]),
  ];
}
