/** @file Arbitrary samples: people with everything that a dataset may know of them. */
import fc from "fast-check";
import type { GroundTruthObject, Sample } from "../../src/datasets/index.js";
import { box, type Box } from "../../src/geometry/index.js";

/** Size of every arbitrary picture. */
export const SIZE = { width: 320, height: 240 } as const;

/** A box on quarters of a pixel; every number that a form may add or subtract stays exact. */
function boxIn(x: [number, number], y: [number, number]): fc.Arbitrary<Box<"image">> {
  const quarter = (low: number, high: number) =>
    fc.integer({ min: low * 4, max: high * 4 }).map((n) => n / 4);
  return fc
    .tuple(quarter(x[0], x[1] - 8), quarter(y[0], y[1] - 8), quarter(4, 80), quarter(4, 120))
    .map(([left, top, w, h]) => box<"image">(left, top, Math.min(left + w, x[1]), Math.min(top + h, y[1])));
}

const inside = boxIn([0, SIZE.width], [0, SIZE.height]);
/** May leave the picture, as amodal boxes do. */
const amodal = boxIn([-2, SIZE.width + 60], [-2, SIZE.height + 60]).filter(
  (b) => b.x1 < SIZE.width && b.y1 < SIZE.height && b.x2 > 0 && b.y2 > 0,
);

/** A part of a box: halves and quarters of its sides. */
function partOf(full: Box<"image">): fc.Arbitrary<Box<"image">> {
  return fc.tuple(fc.constantFrom(0, 0.25), fc.constantFrom(0.5, 1)).map(([from, to]) => {
    const [w, h] = [full.x2 - full.x1, full.y2 - full.y1];
    return box<"image">(full.x1 + w * from, full.y1, full.x2, full.y1 + h * to);
  });
}

/** What an arbitrary sample may hold. */
export interface SampleArbitraryOptions {
  /** @default ["person"] */
  readonly labels?: readonly string[];
  /** Attributes of an object. @default those of CrowdHuman and VisDrone, now and then */
  readonly attributes?: fc.Arbitrary<Record<string, string | number | boolean>>;
  /** Boxes may leave the picture. @default true */
  readonly outside?: boolean;
}

const someAttributes = fc.record(
  {
    occluded: fc.boolean(),
    headIgnored: fc.boolean(),
    headUnsure: fc.boolean(),
    category: fc.constantFrom("pedestrian", "people", "cyclist"),
    truncation: fc.constantFrom(0, 1),
    occlusion: fc.constantFrom("none", "partial", "heavy"),
    mood: fc.constant("good"),
  },
  { requiredKeys: [] },
);

function objectArbitrary(options: SampleArbitraryOptions): fc.Arbitrary<Omit<GroundTruthObject, "id">> {
  const { labels = ["person"], attributes = someAttributes, outside = true } = options;
  const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
  return (outside ? amodal : inside)
    .chain((full) =>
      fc.record({
        box: fc.constant(full),
        visible: maybe(partOf(full)),
        visibility: maybe(fc.integer({ min: 1, max: 64 }).map((n) => n / 64)),
        head: maybe(partOf(full)),
        label: fc.constantFrom(...labels),
        attributes: maybe(attributes),
      }),
    )
    .map((object) => defined(object) as Omit<GroundTruthObject, "id">);
}

/** Without the fields that are undefined or hold nothing. */
function defined(fields: object): object {
  return Object.fromEntries(
    Object.entries(fields).filter(
      ([, value]) =>
        value !== undefined && !(typeof value === "object" && Object.keys(value as object).length === 0),
    ),
  );
}

/** One to four samples; `name(i)` is the i-th id and the name of its picture. */
export function samplesArbitrary(
  options: SampleArbitraryOptions & {
    readonly name?: (index: number) => string;
    readonly picture?: (index: number) => string;
  } = {},
): fc.Arbitrary<Sample[]> {
  const { name = (i) => `a,b-${i}`, picture = (i) => `/nowhere/pictures/${name(i)}.jpg` } = options;
  const one = fc.record({
    objects: fc.array(objectArbitrary(options), { maxLength: 6 }),
    withId: fc.boolean(),
    ignore: fc.array(fc.tuple(inside, fc.constantFrom("", "mask", "person", "others")), { maxLength: 3 }),
  });
  return fc.array(one, { minLength: 1, maxLength: 4 }).map((list) =>
    list.map(({ objects, ignore, withId }, i): Sample => {
      const ignoreLabels = ignore.map(([, word]) => word);
      return {
        id: name(i),
        image: { kind: "file", path: picture(i) },
        ...SIZE,
        objects: objects.map((object, k) => (withId ? { ...object, id: String(k + 1) } : object)),
        ignore: ignore.map(([region]) => region),
        ...(ignoreLabels.some((word) => word !== "") && { ignoreLabels }),
      };
    }),
  );
}
