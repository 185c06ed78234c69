/** @file Writes the project's own JSON Lines. */
import { toJsonlLine } from "../jsonl.js";
import type { AnnotationForm } from "./form.js";
import { countLosses, HOLDS_ALL } from "./losses.js";
import { pictureNames } from "./picture-names.js";

/** The project's own JSON Lines, which keeps everything. */
export const jsonlForm: AnnotationForm = {
  title: "this project's JSON Lines, which keep everything",
  layout: "file",
  fileName: "samples.jsonl",
  holds: HOLDS_ALL,
  async open({ target, losses, create }) {
    const file = await create(target);
    const nameOf = pictureNames("images/");
    return {
      pictureName: (sample, extension) => nameOf(sample.id, extension),
      async add(sample, picture) {
        countLosses(sample, HOLDS_ALL, losses);
        await file.write(toJsonlLine(sample, picture) + "\n");
      },
      finish: () => file.close(),
    };
  },
};
