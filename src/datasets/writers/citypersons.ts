/** @file Writes the JSON of CityPersons' evaluation: COCO's form with `im_name`, `vis_bbox`, `vis_ratio`, `height`. */
import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import { basename } from "node:path";
import type { Box } from "../../geometry/box.js";
import { visibilityOf } from "../teacher.js";
import type { AnnotationForm } from "./form.js";
import { xywh } from "./boxes.js";
import { countLosses, type Holds } from "./losses.js";
import { keepsPerson } from "./people.js";
import { pictureNames } from "./picture-names.js";

const HOLDS: Holds = {
  visible: true,
  visibility: true,
  head: false,
  id: false,
  attributes: [],
  ignore: true,
  ignoreLabels: false,
};

/** CityPersons' evaluation JSON. */
export const cityPersonsForm: AnnotationForm = {
  title: "the JSON of CityPersons' evaluation (full and visible boxes of people; regions to ignore)",
  layout: "file",
  fileName: "val_gt.json",
  holds: HOLDS,
  async open({ target, losses, create }) {
    const spool = `${target}.annotations`;
    const file = await create(target);
    const annotations = await create(spool);
    const nameOf = pictureNames("images/");
    let images = 0;
    let boxes = 0;
    await file.write('{"categories":[{"id":1,"name":"pedestrian"}],\n"images":[');
    const annotate = async (full: Box<"image">, visible: Box<"image">, share: number, ignore: 0 | 1) => {
      const entry = {
        id: ++boxes,
        image_id: images,
        category_id: 1,
        iscrowd: 0,
        ignore,
        bbox: xywh(full),
        vis_bbox: xywh(visible),
        height: full.y2 - full.y1,
        vis_ratio: share,
      };
      await annotations.write(`${boxes === 1 ? "\n" : ",\n"}${JSON.stringify(entry)}`);
    };
    return {
      pictureName: (sample, extension) => nameOf(sample.id, extension),
      async add(sample, picture) {
        countLosses(sample, HOLDS, losses);
        images++;
        const { width, height } = sample;
        const entry = {
          id: images,
          im_name: basename(picture),
          height,
          width,
          ...(sample.id === String(images) ? {} : { sample_id: sample.id }),
        };
        await file.write(`${images === 1 ? "\n" : ",\n"}${JSON.stringify(entry)}`);
        for (const object of sample.objects) {
          if (!keepsPerson(object.label, losses)) continue;
          const { box, visible, visibility } = object;
          // The evaluation reads both of every box.
          if (visible === undefined) losses.add("added", "visible boxes that are not known (the full box)");
          if (visible === undefined && visibility === undefined)
            losses.add("added", "visible shares that are not known (1)");
          await annotate(box, visible ?? box, visibilityOf(object), 0);
        }
        for (const region of sample.ignore) await annotate(region, region, 1, 1);
      },
      async finish() {
        await annotations.close();
        await file.write('\n],\n"annotations":[');
        for await (const chunk of createReadStream(spool, "utf8")) await file.write(chunk as string);
        await file.write("\n]}\n");
        await file.close();
        await rm(spool, { force: true });
      },
    };
  },
};
