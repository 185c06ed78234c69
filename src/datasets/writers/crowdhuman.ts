/** @file Writes CrowdHuman's .odgt: one image a line, each person as full body, visible part and head. */
import { extname } from "node:path";
import type { Box } from "../../geometry/box.js";
import type { GroundTruthObject, Sample } from "../sample.js";
import type { AnnotationForm } from "./form.js";
import { xywh } from "./boxes.js";
import { countLosses, type Holds } from "./losses.js";
import { keepsPerson } from "./people.js";
import { pictureNames } from "./picture-names.js";
import { stemNames } from "./stems.js";

/** The reader's names for `occ` and `unsure` of body and head. */
const BODY = { occluded: "occ", unsure: "unsure" } as const;
const HEAD = { headIgnored: "ignore", headOccluded: "occ", headUnsure: "unsure" } as const;

const HOLDS: Holds = {
  visible: true,
  visibility: false,
  head: true,
  id: true,
  attributes: [...Object.keys(BODY), ...Object.keys(HEAD)],
  ignore: true,
  ignoreLabels: true,
};

/** CrowdHuman. */
export const crowdHumanForm: AnnotationForm = {
  title: "CrowdHuman's .odgt (full, visible and head box of people; regions to ignore)",
  layout: "file",
  fileName: "annotation.odgt",
  holds: HOLDS,
  async open(context) {
    const { target, losses, create } = context;
    const file = await create(target);
    const nameOf = pictureNames("Images/");
    const stemOf = stemNames(context);
    return {
      pictureName: (sample, extension) => nameOf(sample.id, extension),
      async add(sample, picture) {
        countLosses(sample, HOLDS, losses);
        if (extname(picture).toLowerCase() !== ".jpg")
          losses.add("changed", "pictures that do not end in .jpg, as other CrowdHuman tools expect them to");
        const people = sample.objects.filter(({ label }) => keepsPerson(label, losses));
        const line = {
          ID: stemOf(sample, picture),
          // Not in the official file, but in the evaluators' own, and no picture must be opened to know them.
          width: sample.width,
          height: sample.height,
          gtboxes: [
            ...people.map(personEntry),
            ...sample.ignore.map((region, i) => entryOf(region, sample, i)),
          ],
        };
        await file.write(JSON.stringify(line) + "\n");
      },
      finish: () => file.close(),
    };
  },
};

function personEntry(object: GroundTruthObject): object {
  const { box, visible, head, id } = object;
  return {
    tag: "person",
    ...(head && { hbox: xywh(head) }),
    head_attr: flags(object, HEAD, {}),
    fbox: xywh(box),
    ...(visible && { vbox: xywh(visible) }),
    extra: flags(object, BODY, id === undefined ? {} : { box_id: /^\d{1,15}$/.test(id) ? Number(id) : id }),
  };
}

function flags(
  { attributes = {} }: GroundTruthObject,
  names: Readonly<Record<string, string>>,
  others: object,
): object {
  const set = Object.entries(names).flatMap(([name, field]) =>
    attributes[name] === undefined ? [] : [[field, attributes[name] ? 1 : 0] as const],
  );
  return { ...others, ...Object.fromEntries(set) };
}

function entryOf(region: Box<"image">, { ignoreLabels }: Sample, index: number): object {
  const box = xywh(region);
  const word = ignoreLabels?.[index] ?? "";
  return {
    tag: word === "" ? "mask" : word,
    hbox: box,
    head_attr: {},
    fbox: box,
    vbox: box,
    extra: { ignore: 1 },
  };
}
