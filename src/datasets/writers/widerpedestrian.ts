/**
 * @file Writes WIDER Pedestrian's text files. 2019: `<part>_bbox.txt` and `<part>_ignore.txt`, each `<image> x y w h ...`,
 * and `<part>_list.txt`. 2018: `<part>_annotations.txt`, `<image> class x y w h ...` (1 pedestrian, 2 cyclist).
 */
import { basename, join } from "node:path";
import { InputError } from "../../base/errors.js";
import type { AnnotationForm } from "./form.js";
import { xywh } from "./boxes.js";
import { countLosses, HOLDS_BOXES, type Holds } from "./losses.js";
import { categoryOf, keepsPerson } from "./people.js";
import { pictureNames } from "./picture-names.js";
import { createTextFile } from "./text-file.js";

const HOLDS: Holds = { ...HOLDS_BOXES, ignore: true };
const CLASSES = { pedestrian: 1, cyclist: 2 } as const;

/** WIDER Pedestrian. */
export const widerPedestrianForm: AnnotationForm = {
  title: "WIDER Pedestrian's text files (2019; 2018 with classes and without regions to ignore)",
  layout: "folder",
  fileName: "",
  holds: HOLDS,
  async open(context) {
    const { target, losses, options, dataset } = context;
    const year = options.year ?? 2019;
    const { spec } = dataset;
    const part = (spec.format !== "scenes" ? spec.split?.part : undefined) ?? "train";
    const create = (name: string) => createTextFile(join(target, `${part}_${name}.txt`));
    const boxes = await create(year === 2018 ? "annotations" : "bbox");
    const ignore = year === 2018 ? undefined : await create("ignore");
    const list = year === 2018 ? undefined : await create("list");
    const nameOf = pictureNames("images/");
    return {
      pictureName: (sample, extension) => nameOf(sample.id, extension),
      async add(sample, picture) {
        countLosses(sample, { ...HOLDS, ignore: year !== 2018 }, losses);
        const name = basename(picture);
        if (/\s/.test(name))
          throw new InputError(`${sample.id}: the picture's name "${name}" has a space in it`, {
            hint: "Spaces separate columns in this form: --copy-images gives pictures names without.",
          });
        if (name !== sample.id) losses.add("changed", "ids of images (the name of the picture in this form)");
        losses.add("dropped", "sizes of images (the pictures tell)");
        const cells: (string | number)[] = [name];
        for (const { box, label } of sample.objects) {
          if (year === 2018) {
            const number = categoryOf(label, CLASSES, "pedestrian", losses);
            if (number !== undefined) cells.push(number, ...xywh(box));
          } else if (keepsPerson(label, losses)) cells.push(...xywh(box));
        }
        await boxes.write(cells.join(" ") + "\n");
        await list?.write(name + "\n");
        if (sample.ignore.length > 0)
          await ignore?.write([name, ...sample.ignore.flatMap(xywh)].join(" ") + "\n");
      },
      async finish() {
        for (const file of [boxes, ignore, list]) await file?.close();
      },
    };
  },
};
