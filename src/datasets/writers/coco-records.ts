/** @file The entries of a COCO file, as `data generate` and `data convert` both write them. */
import type { Box } from "../../geometry/box.js";
import type { GroundTruthObject, Sample } from "../sample.js";
import { xywh } from "./boxes.js";

/** Gives each label a number from 1, in the order of their coming. */
export class Categories {
  private readonly ids = new Map<string, number>();

  idOf(label: string): number {
    const id = this.ids.get(label) ?? this.ids.size + 1;
    this.ids.set(label, id);
    return id;
  }

  list(): { id: number; name: string }[] {
    return [...this.ids].map(([name, id]) => ({ id, name }));
  }
}

/** An entry of `annotations`. */
export type CocoAnnotation = Readonly<Record<string, unknown>>;

/**
 * The annotations of a sample: objects, then ignore regions as crowds (`iscrowd` and `ignore` 1). What COCO has no field
 * for goes into fields of its own: `vis_bbox`, `vis_ratio`, `head_bbox`, `track_id`, `attributes`, `ignore_label`.
 * @param nextId Called once an annotation.
 */
export function cocoAnnotations(
  sample: Sample,
  imageId: number | string,
  categories: Categories,
  nextId: () => number,
): CocoAnnotation[] {
  const entry = (label: string, full: Box<"image">, crowd: 0 | 1, extra: object): CocoAnnotation => {
    const bbox = xywh(full);
    return {
      id: nextId(),
      image_id: imageId,
      category_id: categories.idOf(label),
      bbox,
      area: bbox[2] * bbox[3],
      iscrowd: crowd,
      ignore: crowd,
      ...extra,
    };
  };
  const own = sample.objects.map((object) => entry(object.label, object.box, 0, extraFields(object)));
  // A crowd takes up only detections of its own category: it gets the category that is looked for in this image.
  const looked = sample.objects[0]?.label ?? "person";
  const crowds = sample.ignore.map((region, i) => {
    const word = sample.ignoreLabels?.[i] ?? "";
    return entry(looked, region, 1, word === "" ? {} : { ignore_label: word });
  });
  return [...own, ...crowds];
}

function extraFields({ visible, visibility, head, id, attributes }: GroundTruthObject): object {
  return {
    ...(visible && { vis_bbox: xywh(visible) }),
    ...(visibility !== undefined && { vis_ratio: visibility }),
    ...(head && { head_bbox: xywh(head) }),
    ...(id !== undefined && { track_id: id }),
    ...(attributes && { attributes }),
  };
}
