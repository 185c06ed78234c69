/** @file Writes COCO json: images stream into the file, annotations into a second one that is joined to it at the end. */
import { createReadStream, existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { AnnotationForm, FormContext } from "./form.js";
import { Categories, cocoAnnotations } from "./coco-records.js";
import { countLosses, HOLDS_ALL } from "./losses.js";
import { pictureNames } from "./picture-names.js";
import type { TextFile } from "./text-file.js";

/** COCO json. */
export const cocoForm: AnnotationForm = {
  title: "COCO json; what COCO has no field for in fields of its own",
  layout: "file",
  fileName: "annotations.json",
  holds: HOLDS_ALL,
  // The reader takes names relative to the folder `images` where there is one.
  pictureBase: (folder) => (existsSync(join(folder, "images")) ? join(folder, "images") : folder),
  async open(context) {
    const { dataset, target, losses, create } = context;
    const numeric = await idsAreNumbers(context);
    const spool = `${target}.annotations`;
    const file = await create(target);
    const annotations = await create(spool);
    const categories = new Categories();
    let images = 0;
    let boxes = 0;
    const info = { description: dataset.name, fingerprint: dataset.fingerprint };
    await file.write(`{"info":${JSON.stringify(info)},\n"images":[`);
    const nameOf = pictureNames("images/");
    return {
      pictureName: (sample, extension) => nameOf(sample.id, extension),
      async add(sample, picture) {
        countLosses(sample, HOLDS_ALL, losses);
        images++;
        const id = numeric ? Number(sample.id) : images;
        const entry = {
          id,
          file_name: context.copied ? picture.slice("images/".length) : picture,
          width: sample.width,
          height: sample.height,
          ...(numeric ? {} : { sample_id: sample.id }),
        };
        await file.write(`${images === 1 ? "\n" : ",\n"}${JSON.stringify(entry)}`);
        for (const annotation of cocoAnnotations(sample, id, categories, () => ++boxes))
          await annotations.write(`${annotation["id"] === 1 ? "\n" : ",\n"}${JSON.stringify(annotation)}`);
      },
      async finish() {
        await annotations.close();
        await file.write(`\n],\n"annotations":[`);
        await append(file, spool);
        await file.write(`\n],\n"categories":${JSON.stringify(categories.list())}}\n`);
        await file.close();
        await rm(spool, { force: true });
      },
    };
  },
};

/** COCO's ids are numbers: ids that are stay what they are, others are counted from 1 and kept in `sample_id`. */
async function idsAreNumbers({ dataset }: FormContext): Promise<boolean> {
  for await (const { id } of dataset.samples()) if (!/^(0|[1-9]\d{0,14})$/.test(id)) return false;
  return true;
}

async function append(file: TextFile, path: string): Promise<void> {
  const stream = createReadStream(path, "utf8");
  for await (const chunk of stream) await file.write(chunk as string);
}
