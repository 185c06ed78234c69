/**
 * @file Writes MOTChallenge sequences: gt/gt.txt and seqinfo.ini in the folder itself, or in one folder a sequence. With 9
 * columns (MOT16 and later: class, visibility) where visibility or kinds of regions are known, else with 10 (MOT15).
 */
import { appendFile, mkdir, writeFile } from "node:fs/promises";
import { basename, dirname, extname, isAbsolute, join } from "node:path";
import { InputError } from "../../base/errors.js";
import type { Sample } from "../sample.js";
import type { AnnotationForm, FormContext } from "./form.js";
import { xywh } from "./boxes.js";
import { frameId, planFrames, trackNumbers, type FrameNumber } from "./frames.js";
import { countLosses, HOLDS_BOXES, type Holds } from "./losses.js";
import { categoryOf, isPerson } from "./people.js";

const HOLDS: Holds = { ...HOLDS_BOXES, visibility: true, id: true, ignore: true, ignoreLabels: true };

const CLASSES: Readonly<Record<string, number>> = {
  person: 1,
  pedestrian: 1,
  "person on vehicle": 2,
  car: 3,
  bicycle: 4,
  motorbike: 5,
  "non-motorised vehicle": 6,
};

/** What regions to ignore may be. */
const REGIONS: Readonly<Record<string, number>> = {
  person: 1,
  "person on vehicle": 2,
  "static person": 7,
  distractor: 8,
  reflection: 12,
  crowd: 13,
};

interface Sequence {
  readonly folder: string;
  readonly name: string;
  /** 10 columns know neither visibility nor kinds. */
  readonly columns: 9 | 10;
  readonly size: { readonly width: number; readonly height: number } | undefined;
  readonly pictures: string;
  readonly extension: string;
  length: number;
}

/** MOTChallenge. */
export const motForm: AnnotationForm = {
  title: "MOTChallenge's gt.txt with seqinfo.ini, a folder a sequence",
  layout: "folder",
  fileName: "",
  holds: HOLDS,
  async open(context) {
    const { losses, copied } = context;
    const { frames, sequences } = await plan(context);
    const track = trackNumbers();
    let next = 0;
    const inOrder = (): FrameNumber => frames[next]!;
    return {
      pictureName(_sample, extension) {
        const { sequence, frame } = inOrder();
        const folder = sequences.size > 1 ? `${sequence}/img1/` : "img1/";
        return `${folder}${String(frame).padStart(6, "0")}${extension}`;
      },
      async add(sample, picture) {
        const { sequence: name, frame } = inOrder();
        next++;
        const sequence = sequences.get(name)!;
        sequence.length = Math.max(sequence.length, frame);
        const nine = sequence.columns === 9;
        countLosses(sample, { ...HOLDS, visibility: nine, ignoreLabels: nine }, losses);
        if (sample.id !== frameId({ sequence: name, frame }))
          losses.add("changed", "ids of images (sequence and frame in this form)");
        const lines: string[] = [];
        for (const object of sample.objects) {
          const { box, label, visibility, id: own } = object;
          const kind = nine
            ? categoryOf(object, { categories: CLASSES, person: "person" }, losses)
            : isPerson(label)
              ? 1
              : undefined;
          if (kind === undefined) {
            if (!nine) losses.add("dropped", `objects labelled "${label}" (no classes in this form)`);
            continue;
          }
          if (own === undefined) losses.add("added", "ids of objects (a number of its own for each box)");
          if (nine && visibility === undefined) losses.add("added", "visible shares that are not known (1)");
          const rest = nine ? [1, kind, visibility ?? 1] : [1, -1, -1, -1];
          lines.push([frame, track({ sequence: name, frame }, own), ...xywh(box), ...rest].join(","));
        }
        for (const [i, region] of sample.ignore.entries()) {
          const word = sample.ignoreLabels?.[i] ?? "";
          if (nine && word !== "" && !Object.hasOwn(REGIONS, word))
            losses.add("changed", `words for what ignore regions are ("${word}" to "person")`);
          const kind = REGIONS[word] ?? 1;
          const rest = nine ? [0, kind, 1] : [0, -1, -1, -1];
          lines.push(
            [frame, track({ sequence: name, frame }, undefined), ...xywh(region), ...rest].join(","),
          );
        }
        await appendFile(join(sequence.folder, "gt", "gt.txt"), lines.map((line) => line + "\n").join(""));
        if (!copied) checkPicture(sample, picture, frame, sequence);
      },
      async finish() {
        for (const sequence of sequences.values()) await writeInfo(sequence);
      },
    };
  },
};

/** Looks ahead: sequences, frames, sizes, and whether 9 columns are needed. */
async function plan({ dataset, copied, target, refer, losses }: FormContext) {
  const frames = await planFrames(dataset, copied, losses);
  const single = new Set(frames.map(({ sequence }) => sequence)).size === 1;
  const sequences = new Map<string, Sequence>();
  let index = 0;
  for await (const sample of dataset.samples()) {
    const { sequence: name } = frames[index++]!;
    const before = sequences.get(name);
    const rich =
      sample.objects.some(({ visibility, label }) => visibility !== undefined || !isPerson(label)) ||
      (sample.ignoreLabels ?? []).some((word) => Object.hasOwn(REGIONS, word) && word !== "person");
    const { width, height } = sample;
    if (before === undefined) {
      const path = sample.image.kind === "file" ? sample.image.path : ".png";
      sequences.set(name, {
        name,
        folder: single ? target : join(target, name),
        columns: rich ? 9 : 10,
        size: { width, height },
        pictures: copied ? "img1" : imageFolder(refer(dirname(path)), single),
        extension: extname(path).toLowerCase(),
        length: 0,
      });
      continue;
    }
    const same = before.size?.width === width && before.size.height === height;
    if (before.size !== undefined && !same)
      losses.add("dropped", "sizes of images that differ within a sequence (the first picture's is taken)");
    sequences.set(name, {
      ...before,
      columns: rich ? 9 : before.columns,
      size: same ? before.size : undefined,
    });
  }
  for (const { folder } of sequences.values()) await mkdir(join(folder, "gt"), { recursive: true });
  return { frames, sequences };
}

/** From the sequence's own folder. */
function imageFolder(reference: string, single: boolean): string {
  return single || isAbsolute(reference) ? reference : `../${reference}`;
}

/** Readers find the picture of a frame by the number in its name, in one folder. */
function checkPicture(sample: Sample, picture: string, frame: number, { pictures, name }: Sequence): void {
  const number = /^\D*(\d+)\.\w+$/.exec(basename(picture))?.[1];
  if (number !== undefined && Number(number) === frame && pictures.endsWith(dirname(picture))) return;
  throw new InputError(
    `sample "${sample.id}": its picture ${picture} is not frame ${frame} of a folder of frames of ${name}`,
    {
      hint: "This form finds pictures by frame numbers: --copy-images writes them as img1/000001.jpg and so on.",
    },
  );
}

async function writeInfo({ folder, name, size, pictures, extension, length }: Sequence): Promise<void> {
  const lines = [
    "[Sequence]",
    `name=${name}`,
    `imDir=${pictures}`,
    `seqLength=${length}`,
    ...(size === undefined ? [] : [`imWidth=${size.width}`, `imHeight=${size.height}`]),
    `imExt=${extension}`,
  ];
  await writeFile(join(folder, "seqinfo.ini"), lines.join("\n") + "\n", { flag: "wx" });
}
