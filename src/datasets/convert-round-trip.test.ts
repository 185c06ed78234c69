/** Each form is written and read back; what comes back is told by the form's own rule, written down here once more. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, extname, join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { memoryDataset } from "../../test/support/memory-dataset.js";
import { samplesArbitrary, SIZE } from "../../test/support/samples.js";
import { boxArea } from "../geometry/index.js";
import { collect } from "./collect.js";
import { convertDataset } from "./convert.js";
import { openDataset, type Dataset } from "./dataset.js";
import type { Attributes, GroundTruthObject, Sample } from "./sample.js";
import type { DatasetSpecInput } from "./spec.js";
import type { FormOptions } from "./writers/form.js";
import { type FormName } from "./writers/index.js";

const root = mkdtempSync(join(tmpdir(), "dip-convert-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let next = 0;

/** How a form is read back, and what is expected of it. */
interface Trip {
  readonly options?: FormOptions;
  readonly spec: (out: string) => Exclude<DatasetSpecInput, string>;
  /** What reading gives of a sample that was written. */
  readonly back: (sample: Sample, index: number) => Sample;
}

const size = `${SIZE.width}x${SIZE.height}`;
const none = { checkImages: "none" } as const;
const pictureOf = (sample: Sample) => (sample.image.kind === "file" ? basename(sample.image.path) : "");
const stemOf = (sample: Sample) => basename(pictureOf(sample), extname(pictureOf(sample)));
const known = (fields: object) =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as object;
const pick = (attributes: Attributes | undefined, names: readonly string[]): Attributes | undefined => {
  const kept = Object.entries(attributes ?? {}).filter(([name]) => names.includes(name));
  return kept.length === 0 ? undefined : Object.fromEntries(kept);
};
const onlyBoxes = (sample: Sample): Sample => {
  const { ignoreLabels: _words, ...rest } = sample;
  return { ...rest, objects: sample.objects.map(({ box, label }) => ({ box, label })) };
};

const CITYPERSONS = ["rider", "sitting person", "other person", "people group"];
const LEVELS = ["none", "partial", "heavy"];
function visDroneObject({ box, attributes = {}, visibility }: GroundTruthObject): GroundTruthObject {
  const told = LEVELS.indexOf(String(attributes["occlusion"]));
  const level =
    told >= 0 ? told : visibility === undefined || visibility >= 0.995 ? 0 : visibility >= 0.5 ? 1 : 2;
  const category = attributes["category"] === "people" ? "people" : "pedestrian";
  return {
    box,
    label: "person",
    visibility: [1, 0.75, 0.25][level]!,
    attributes: { category, truncation: attributes["truncation"] ?? 0, occlusion: LEVELS[level]! },
  };
}

const chatTrip = (format: "trl" | "ms-swift" | "vlm-r1", frame: "absolute" | "norm1000" | "image"): Trip => ({
  options: { chat: { frame, round: false, clip: false } },
  spec: (out) => ({ format, annotations: out, boxes: "xyxy", ...none }),
  back: onlyBoxes,
});

const trips = {
  jsonl: {
    spec: (out) => ({ format: "jsonl", annotations: out, boxes: "xyxy", ...none }),
    back: (sample) => sample,
  },
  coco: {
    spec: (out) => ({ format: "coco", annotations: out, boxes: "xywh", ...none }),
    back: (sample) => sample,
  },
  crowdhuman: {
    spec: (out) => ({ format: "crowdhuman", annotations: out, boxes: "xywh", ...none }),
    back: (sample) => ({
      ...sample,
      id: stemOf(sample),
      objects: sample.objects.map(
        ({ box, visible, head, id, attributes }) =>
          known({
            box,
            visible,
            head,
            id,
            label: "person",
            visibility: visible === undefined ? undefined : Math.min(1, boxArea(visible) / boxArea(box)),
            attributes: pick(attributes, ["occluded", "unsure", "headIgnored", "headOccluded", "headUnsure"]),
          }) as GroundTruthObject,
      ),
      ignoreLabels: sample.ignore.map((_, i) => sample.ignoreLabels?.[i] || "mask"),
    }),
  },
  citypersons: {
    spec: (out) => ({ format: "citypersons", annotations: `${out}`, ...none }),
    back: ({ ignoreLabels: _words, ...sample }) => ({
      ...sample,
      objects: sample.objects.map(({ box, visible, visibility }) => ({
        box,
        visible: visible ?? box,
        visibility: visibility ?? (visible === undefined ? 1 : Math.min(1, boxArea(visible) / boxArea(box))),
        label: "person",
      })),
    }),
  },
  "citypersons.mat": {
    spec: (out) => ({
      format: "citypersons",
      annotations: out,
      categories: ["pedestrian", "rider", "sitting person", "other person", "people group"],
      sizes: size,
      boxes: "xywh",
      ...none,
    }),
    back: (sample) => ({
      ...sample,
      id: pictureOf(sample),
      objects: sample.objects.map(({ box, visible, id, attributes }) => ({
        box,
        visible: visible ?? box,
        visibility: visible === undefined ? 1 : Math.min(1, boxArea(visible) / boxArea(box)),
        label: "person",
        ...(id !== undefined && /^[1-9]\d*$/.test(id) && { id }),
        attributes: { category: attributes?.["category"] === "rider" ? "rider" : "pedestrian" },
      })),
      ignoreLabels: sample.ignore.map((_, i) =>
        CITYPERSONS.includes(sample.ignoreLabels?.[i] ?? "") ? sample.ignoreLabels![i]! : "ignore region",
      ),
    }),
  },
  widerpedestrian: {
    options: { year: 2019 },
    spec: (out) => ({
      format: "widerpedestrian",
      annotations: join(out, "train_bbox.txt"),
      year: 2019,
      sizes: size,
      boxes: "xywh",
      ...none,
    }),
    back: (sample) => ({
      ...onlyBoxes(sample),
      id: pictureOf(sample),
      ignoreLabels: sample.ignore.map(() => "ignore"),
    }),
  },
  visdrone: {
    spec: (out) => ({ format: "visdrone", annotations: out, sizes: size, ...none }),
    back: (sample) => ({
      ...sample,
      id: stemOf(sample),
      objects: sample.objects.map(visDroneObject),
      ignoreLabels: sample.ignore.map((_, i) => {
        const word = sample.ignoreLabels?.[i] ?? "";
        return ["pedestrian", "people", "others"].includes(word) ? word : "ignored region";
      }),
    }),
  },
  trl: chatTrip("trl", "absolute"),
  "ms-swift": chatTrip("ms-swift", "norm1000"),
  "vlm-r1": chatTrip("vlm-r1", "image"),
} as const satisfies Partial<Record<FormName | "citypersons.mat", Trip>>;

type Tripped = keyof typeof trips;
const names = Object.keys(trips) as Tripped[];

/** Numbers to a millionth, pictures left out, words that say nothing left out: what must be equal. */
function essence(sample: Sample): unknown {
  const { image: _image, ignoreLabels, ...rest } = sample;
  const words = ignoreLabels?.some((word) => word !== "") === true ? { ignoreLabels } : {};
  return JSON.parse(
    JSON.stringify({ ...rest, ...words }, (_key, value: unknown) =>
      typeof value === "number" ? Math.round(value * 1e6) / 1e6 + 0 : value,
    ),
  );
}

async function write(dataset: Dataset, name: Tripped | FormName, options: FormOptions = {}): Promise<string> {
  const format = name === "citypersons.mat" ? "citypersons" : name;
  const ending = { citypersons: ".json", "citypersons.mat": ".mat" }[name as string] ?? "";
  const out = join(root, `${next++}${ending}`);
  const report = await convertDataset(dataset, { format, out, ...options });
  expect(report.images).toBe(dataset.length);
  return out;
}

async function trip(dataset: Dataset, name: Tripped): Promise<Dataset> {
  const one: Trip = trips[name];
  const opened = await openDataset(one.spec(await write(dataset, name, one.options)));
  const before = await collect(dataset.samples());
  const after = await collect(opened.samples());
  expect(after.map(essence)).toEqual(before.map((sample, i) => essence(one.back(sample, i))));
  return opened;
}

describe("convertDataset", () => {
  it.each(names)("gives %s back as far as the form holds it, and again the same", async (name) => {
    await fc.assert(
      fc.asyncProperty(samplesArbitrary(), async (samples) => {
        const once = await trip(memoryDataset(samples), name);
        const twice = await trip(once, name);
        // Nothing more is lost by a second trip.
        expect((await collect(twice.samples())).map(essence)).toEqual(
          (await collect(once.samples())).map(essence),
        );
      }),
      { numRuns: 5 },
    );
  });

  it.each(names)("goes from %s to each other form", async (from) => {
    const [samples] = fc.sample(samplesArbitrary(), { numRuns: 1, seed: 2505 + names.indexOf(from) });
    const opened = await trip(memoryDataset(samples!), from);
    const others = names.filter((to) => to !== from);
    for (const to of others) expect(await trip(opened, to)).toHaveLength(samples!.length);
  });

  it("gives WIDER Pedestrian's classes of 2018 back", async () => {
    await fc.assert(
      fc.asyncProperty(samplesArbitrary(), async (samples) => {
        const out = await write(memoryDataset(samples), "widerpedestrian", { year: 2018 });
        const annotations = join(out, "train_annotations.txt");
        const spec = {
          format: "widerpedestrian",
          annotations,
          year: 2018,
          sizes: size,
          boxes: "xywh",
        } as const;
        const after = await collect((await openDataset({ ...spec, ...none })).samples());
        const expected = samples.map((sample) => ({
          ...trips.widerpedestrian.back(sample),
          objects: sample.objects.map(({ box, attributes }) => ({
            box,
            label: "person",
            attributes: { category: attributes?.["category"] === "cyclist" ? "cyclist" : "pedestrian" },
          })),
        }));
        expect(after.map(essence)).toEqual(expected.map(essence));
      }),
      { numRuns: 5 },
    );
  });

  it("gives UAVDT back, tracks and levels included", async () => {
    const vehicles = samplesArbitrary({
      labels: ["car", "truck", "bus"],
      attributes: fc.record(
        {
          occlusion: fc.constantFrom("none", "large", "medium", "small"),
          outOfView: fc.constantFrom("none", "medium", "small"),
        },
        { requiredKeys: [] },
      ),
      name: (i) => `M0101-${String(i + 1).padStart(6, "0")}`,
      picture: (i) => `/nowhere/M0101/img${String(i + 1).padStart(6, "0")}.jpg`,
    });
    await fc.assert(
      fc.asyncProperty(vehicles, async (samples) => {
        const filled = samples.filter(({ objects, ignore }) => objects.length + ignore.length > 0);
        fc.pre(
          samples.length > 0 && filled.at(-1) === samples.at(-1) && samples.some((s) => s.objects.length > 0),
        );
        const out = await write(memoryDataset(samples), "uavdt");
        const spec = {
          format: "uavdt",
          annotations: join(out, "GT"),
          sizes: size,
          perCategory: true,
        } as const;
        const after = await collect((await openDataset({ ...spec, ...none })).samples());
        const expected = samples.map(({ ignoreLabels: _words, ...sample }) => ({
          ...sample,
          objects: sample.objects.map(({ box, label, visibility, attributes = {}, id }) => {
            const hidden = 1 - (visibility ?? 1);
            const guess =
              hidden < 0.005 ? "none" : hidden > 0.5 ? "large" : hidden > 0.3 ? "medium" : "small";
            const occlusion = attributes["occlusion"] ?? guess;
            const outOfView = attributes["outOfView"] ?? "none";
            return {
              box,
              label,
              ...(occlusion === "none" && outOfView === "none" && { visibility: 1 }),
              // Who had no id gets a number of their own.
              ...(id !== undefined && { id }),
              attributes: { category: label, occlusion, outOfView },
            };
          }),
        }));
        const withoutNew = after.map((sample, i) => ({
          ...sample,
          objects: sample.objects.map(({ id, ...object }, k) => ({
            ...object,
            ...(samples[i]!.objects[k]!.id !== undefined && { id }),
          })),
        }));
        expect(withoutNew.map(essence)).toEqual(expected.map(essence));
        for (const { objects } of after)
          expect(new Set(objects.map(({ id }) => id)).size).toBe(objects.length);
      }),
      { numRuns: 5 },
    );
  });

  it("gives MOTChallenge back, with classes and visibility where they are known", async () => {
    const pixels = { ...SIZE, data: new Uint8Array(SIZE.width * SIZE.height * 3) };
    await fc.assert(
      fc.asyncProperty(samplesArbitrary({ attributes: fc.constant({}) }), async (drawn) => {
        const samples = drawn.map((sample): Sample => ({
          ...sample,
          image: { kind: "pixels", image: pixels },
        }));
        const out = join(root, String(next++));
        await convertDataset(memoryDataset(samples, "walk"), { format: "mot", out, copyImages: true });
        const opened = await openDataset({ format: "mot", annotations: out, clip: false, boxes: "xywh" });
        const after = await collect(opened.samples());
        const rich = samples.some(({ objects }) =>
          objects.some(({ visibility }) => visibility !== undefined),
        );
        const expected = samples.map((sample, i) => ({
          ...sample,
          id: `walk-${String(i + 1).padStart(6, "0")}`,
          objects: sample.objects.map(({ box, visibility, id }, k) => ({
            box,
            label: "person",
            ...(rich && { visibility: visibility ?? 1 }),
            id: id ?? after[i]!.objects[k]!.id!,
          })),
          ignoreLabels: sample.ignore.map(() => "person"),
        }));
        expect(after.map(essence)).toEqual(expected.map(essence));
      }),
      { numRuns: 4 },
    );
  });

  it.each(["absolute", "norm1000"] as const)(
    "moves no edge by more than half a unit in %s",
    async (frame) => {
      await fc.assert(
        fc.asyncProperty(samplesArbitrary({ outside: false }), async (samples) => {
          const out = await write(memoryDataset(samples), "trl", { chat: { frame } });
          const after = await collect(
            (await openDataset({ format: "trl", annotations: out, ...none })).samples(),
          );
          // 320 x 240 is shown as 308 x 252.
          const unit = frame === "absolute" ? [320 / 308, 240 / 252] : [0.32, 0.24];
          for (const [i, { objects }] of after.entries())
            for (const [k, { box }] of objects.entries()) {
              const { box: before } = samples[i]!.objects[k]!;
              expect(Math.abs(box.x1 - before.x1)).toBeLessThanOrEqual(unit[0]! / 2 + 1e-9);
              expect(Math.abs(box.x2 - before.x2)).toBeLessThanOrEqual(unit[0]! / 2 + 1e-9);
              expect(Math.abs(box.y1 - before.y1)).toBeLessThanOrEqual(unit[1]! / 2 + 1e-9);
              expect(Math.abs(box.y2 - before.y2)).toBeLessThanOrEqual(unit[1]! / 2 + 1e-9);
            }
        }),
        { numRuns: 5 },
      );
    },
  );
});
