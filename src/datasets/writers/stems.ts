/** @file Forms that know an image only by the name of its picture: the name instead of an id, never twice the same. */
import { basename, extname } from "node:path";
import { InputError } from "../../base/errors.js";
import type { Sample } from "../sample.js";
import type { FormContext } from "./form.js";

/** Checks names as they come. @returns the file name without its ending. */
export function stemNames({ losses, copied }: FormContext): (sample: Sample, picture: string) => string {
  const seen = new Map<string, string>();
  return (sample, picture) => {
    const stem = basename(picture, extname(picture));
    const before = seen.get(stem);
    if (before !== undefined)
      throw new InputError(`samples "${before}" and "${sample.id}" both have a picture named ${stem}`, {
        hint: copied
          ? "This form tells images by the names of their pictures: take fewer datasets at once."
          : "This form tells images by the names of their pictures: --copy-images gives each a name of its own.",
      });
    seen.set(stem, sample.id);
    if (stem !== sample.id) losses.add("changed", "ids of images (the name of the picture in this form)");
    return stem;
  };
}
