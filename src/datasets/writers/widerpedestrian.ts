/**
 * @file Writes WIDER Pedestrian's text files. 2019: `<part>_bbox.txt`, `<image> x y w h ...` a line. 2018:
 * `<part>_annotations.txt`, `<image> class x y w h ...` (1 pedestrian, 2 cyclist). Both with `<part>_ignore.txt` (in the
 * layout of 2019) and `<part>_list.txt`.
 */
import { basename, join } from "node:path";
import { InputError } from "../../base/errors.js";
import type { AnnotationForm } from "./form.js";
import { xywh } from "./boxes.js";
import { countLosses, HOLDS_BOXES, type Holds } from "./losses.js";
import { categoryOf, keepsPerson, type CategoryRule } from "./people.js";
import { pictureNames } from "./picture-names.js";

const HOLDS: Holds = { ...HOLDS_BOXES, ignore: true };
const RULE: CategoryRule = { categories: { pedestrian: 1, cyclist: 2 }, person: "pedestrian" };

/** WIDER Pedestrian. */
export const widerPedestrianForm: AnnotationForm = {
  title: "WIDER Pedestrian's text files (2019, or 2018 with classes)",
  layout: "folder",
  fileName: "",
  holds: HOLDS,
  async open(context) {
    const { target, losses, options, dataset } = context;
    const year = options.year ?? 2019;
    const { spec } = dataset;
    const part = (spec.format !== "scenes" ? spec.split?.part : undefined) ?? "train";
    const create = (name: string) => context.create(join(target, `${part}_${name}.txt`));
    const boxes = await create(year === 2018 ? "annotations" : "bbox");
    const ignore = await create("ignore");
    const list = await create("list");
    const nameOf = pictureNames("images/");
    return {
      pictureName: (sample, extension) => nameOf(sample.id, extension),
      async add(sample, picture) {
        countLosses(sample, { ...HOLDS, attributes: year === 2018 ? ["category"] : [] }, losses);
        const name = basename(picture);
        if (/\s/.test(name))
          throw new InputError(`${sample.id}: the picture's name "${name}" has a space in it`, {
            hint: "Spaces separate columns in this form: --copy-images gives pictures names without.",
          });
        if (name !== sample.id) losses.add("changed", "ids of images (the name of the picture in this form)");
        losses.add("dropped", "sizes of images (the pictures tell)");
        const cells: (string | number)[] = [name];
        for (const object of sample.objects) {
          if (year === 2018) {
            const number = categoryOf(object, RULE, losses);
            if (number !== undefined) cells.push(number, ...xywh(object.box));
          } else if (keepsPerson(object.label, losses)) cells.push(...xywh(object.box));
        }
        await boxes.write(cells.join(" ") + "\n");
        await list.write(name + "\n");
        if (sample.ignore.length > 0)
          await ignore.write([name, ...sample.ignore.flatMap(xywh)].join(" ") + "\n");
      },
      async finish() {
        for (const file of [boxes, ignore, list]) await file.close();
      },
    };
  },
};
