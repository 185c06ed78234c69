/** @file Writes VisDrone-DET: one text file an image, `left,top,width,height,score,category,truncation,occlusion` a line. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { GroundTruthObject } from "../sample.js";
import type { AnnotationForm } from "./form.js";
import { xywh } from "./boxes.js";
import { countLosses, HOLDS_BOXES, type Holds, type LossTally } from "./losses.js";
import { categoryOf } from "./people.js";
import { pictureNames } from "./picture-names.js";
import { stemNames } from "./stems.js";

const CATEGORIES = {
  pedestrian: 1,
  people: 2,
  bicycle: 3,
  car: 4,
  van: 5,
  truck: 6,
  tricycle: 7,
  "awning-tricycle": 8,
  bus: 9,
  motor: 10,
  others: 11,
} as const;

const HOLDS: Holds = {
  ...HOLDS_BOXES,
  attributes: ["truncation", "occlusion"],
  ignore: true,
  ignoreLabels: true,
};

/** VisDrone-DET. */
export const visDroneForm: AnnotationForm = {
  title: "VisDrone-DET's text files, one an image",
  layout: "folder",
  fileName: "",
  holds: HOLDS,
  async open(context) {
    const { target, losses } = context;
    const folder = join(target, "annotations");
    await mkdir(folder);
    const nameOf = pictureNames("images/");
    const stemOf = stemNames(context);
    return {
      pictureName: (sample, extension) => nameOf(sample.id, extension),
      async add(sample, picture) {
        // Shares are counted where they become degrees.
        countLosses(sample, { ...HOLDS, visibility: true }, losses);
        losses.add("dropped", "sizes of images (the pictures tell)");
        const lines: string[] = [];
        for (const object of sample.objects) {
          const category = categoryOf(object.label, CATEGORIES, "pedestrian", losses);
          if (category === undefined) continue;
          lines.push([...xywh(object.box), 1, category, ...degrees(object, losses)].join(","));
        }
        for (const [i, region] of sample.ignore.entries()) {
          const word = sample.ignoreLabels?.[i] ?? "";
          // An object that does not count keeps its category; any other region is category 0.
          const category = Object.hasOwn(CATEGORIES, word) ? CATEGORIES[word as keyof typeof CATEGORIES] : 0;
          lines.push([...xywh(region), 0, category, 0, 0].join(","));
        }
        const path = join(folder, `${stemOf(sample, picture)}.txt`);
        await writeFile(path, lines.map((line) => line + "\n").join(""), { flag: "wx" });
      },
      finish: () => Promise.resolve(),
    };
  },
};

/** Truncation 0 or 1, occlusion 0 to 2. */
function degrees({ attributes, visibility }: GroundTruthObject, losses: LossTally): [number, number] {
  const { truncation, occlusion } = attributes ?? {};
  if (occlusion === undefined && visibility !== undefined)
    losses.add("changed", "visible shares (none, up to half or over half hidden in this form)");
  const hidden = visibility === undefined || visibility >= 0.995 ? 0 : visibility >= 0.5 ? 1 : 2;
  return [Number(truncation ?? 0), Number(occlusion ?? hidden)];
}
