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

const CATEGORIES: Readonly<Record<string, number>> = {
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
};
const OCCLUSION = ["none", "partial", "heavy"];
/** The visible shares that the reader takes for them. */
const VISIBILITY = [1, 0.75, 0.25];

const HOLDS: Holds = {
  ...HOLDS_BOXES,
  attributes: ["category", "truncation", "occlusion"],
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
          const category = categoryOf(object, { categories: CATEGORIES, person: "pedestrian" }, losses);
          if (category === undefined) continue;
          lines.push([...xywh(object.box), 1, category, ...degrees(object, losses)].join(","));
        }
        for (const [i, region] of sample.ignore.entries()) {
          const word = sample.ignoreLabels?.[i] ?? "";
          // An object that does not count keeps its category; any other region is category 0.
          const category = Object.hasOwn(CATEGORIES, word) ? CATEGORIES[word]! : 0;
          if (category === 0 && word !== "" && word !== "ignored region")
            losses.add("changed", `words for what ignore regions are ("${word}" to "ignored region")`);
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
function degrees({ attributes = {}, visibility }: GroundTruthObject, losses: LossTally): [number, number] {
  const truncation = attributes["truncation"] === 1 || attributes["truncation"] === true ? 1 : 0;
  const told = OCCLUSION.indexOf(String(attributes["occlusion"]));
  const hidden = visibility === undefined || visibility >= 0.995 ? 0 : visibility >= 0.5 ? 1 : 2;
  const level = told >= 0 ? told : hidden;
  if (visibility === undefined && told < 0)
    losses.add("added", "degrees of occlusion that are not known (none)");
  if (visibility !== undefined && visibility !== VISIBILITY[level])
    losses.add("changed", "visible shares (none, up to half or over half hidden in this form)");
  return [truncation, level];
}
