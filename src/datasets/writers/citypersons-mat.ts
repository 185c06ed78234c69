/**
 * @file Writes CityPersons' annotations as the MATLAB file that they come in: a cell of structs `cityname`, `im_name`, `bbs`
 * (class, full box, instance, visible box). Held in memory until it is whole, as its reader holds it.
 */
import { writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { InputError } from "../../base/errors.js";
import type { Box } from "../../geometry/box.js";
import { CITYPERSONS_CATEGORIES } from "../citypersons.js";
import { encodeMat5, type MatInput } from "../mat5-encode.js";
import type { GroundTruthObject, Sample } from "../sample.js";
import { xywh } from "./boxes.js";
import type { AnnotationForm } from "./form.js";
import { countLosses, type Holds, type LossTally } from "./losses.js";
import { categoryOf, type CategoryRule } from "./people.js";
import { pictureNames } from "./picture-names.js";

const HOLDS: Holds = {
  visible: true,
  visibility: false,
  head: false,
  id: true,
  attributes: ["category"],
  ignore: true,
  ignoreLabels: true,
};

const NUMBERS: Readonly<Record<string, number>> = Object.fromEntries(
  CITYPERSONS_CATEGORIES.map((name, number) => [name, number]),
);
/** What is a region to be ignored in CityPersons is no category of an object. */
const { "ignore region": IGNORE, ...objectNumbers } = NUMBERS as { "ignore region": 0 } & typeof NUMBERS;
const RULE: CategoryRule = { categories: objectNumbers, person: "pedestrian" };

/** CityPersons' annotations. */
export const cityPersonsMatForm: AnnotationForm = {
  title:
    "CityPersons' annotations, a MATLAB file (full and visible boxes of people by class; regions to ignore)",
  layout: "file",
  fileName: "anno_val.mat",
  holds: HOLDS,
  open({ target, dataset, losses }) {
    const { spec } = dataset;
    const part = (spec.format !== "scenes" ? spec.split?.part : undefined) ?? "val";
    const nameOf = pictureNames("images/");
    const seen = new Map<string, string>();
    const cells: MatInput[] = [];
    return Promise.resolve({
      pictureName: (sample, extension) => nameOf(sample.id, extension),
      add(sample, picture) {
        countLosses(sample, HOLDS, losses);
        const name = basename(picture);
        const before = seen.get(name);
        if (before !== undefined)
          throw new InputError(`samples "${before}" and "${sample.id}" both have a picture named ${name}`, {
            hint: "CityPersons tells images by the names of their pictures: take fewer datasets at once, or write JSON.",
          });
        seen.set(name, sample.id);
        if (name !== sample.id) losses.add("changed", "ids of images (the name of the picture in this form)");
        if (sample.width !== 2048 || sample.height !== 1024)
          losses.add(
            "dropped",
            "sizes of images that are not Cityscapes' (give them by `sizes` to read this)",
          );
        const rows = [
          ...sample.objects.flatMap((object) => objectRow(object, losses)),
          ...sample.ignore.map((region, i) => regionRow(region, sample, i, losses)),
        ];
        const whole = rows.flat().every((n) => Number.isInteger(n) && n >= 0 && n <= 65535);
        cells.push({
          struct: {
            cityname: { text: name.split("_")[0]! },
            im_name: { text: name },
            // As the official files have it, where nothing is lost by that.
            bbs: { numbers: rows, store: whole ? "uint16" : "double" },
          },
        });
        return Promise.resolve();
      },
      finish: () =>
        writeFile(target, encodeMat5({ [`anno_${part}_aligned`]: { cells } }, { compressed: true })),
    });
  },
};

function objectRow(object: GroundTruthObject, losses: LossTally): number[][] {
  const number = categoryOf(object, RULE, losses);
  if (number === undefined) return [];
  const { box, visible, id } = object;
  const instance = id !== undefined && /^[1-9]\d{0,14}$/.test(id) ? Number(id) : 0;
  if (id !== undefined && instance === 0)
    losses.add("dropped", "ids of objects that are no whole numbers from 1 on");
  if (visible === undefined) losses.add("added", "visible boxes that are not known (the full box)");
  return [[number, ...xywh(box), instance, ...xywh(visible ?? box)]];
}

function regionRow(region: Box<"image">, sample: Sample, index: number, losses: LossTally): number[] {
  const word = sample.ignoreLabels?.[index] ?? "";
  // A pedestrian would be read as one to be found.
  const known = word !== "pedestrian" && Object.hasOwn(NUMBERS, word);
  if (word !== "" && !known)
    losses.add("changed", `words for what ignore regions are ("${word}" to "ignore region")`);
  return [known ? NUMBERS[word]! : IGNORE, ...xywh(region), 0, ...xywh(region)];
}
