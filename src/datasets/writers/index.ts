/** @file Every form that can be written, by name. */
import { InputError } from "../../base/errors.js";
import type { AnnotationForm } from "./form.js";
import { cocoForm } from "./coco.js";
import { jsonlForm } from "./jsonl.js";
import { msSwiftForm, trlForm, vlmR1Form } from "./chat.js";
import { crowdHumanForm } from "./crowdhuman.js";
import { cityPersonsForm } from "./citypersons.js";
import { cityPersonsMatForm } from "./citypersons-mat.js";
import { widerPedestrianForm } from "./widerpedestrian.js";
import { visDroneForm } from "./visdrone.js";
import { uavdtForm } from "./uavdt.js";
import { motForm } from "./mot.js";

/** Annotation forms and chat forms. */
export const forms = {
  coco: cocoForm,
  jsonl: jsonlForm,
  crowdhuman: crowdHumanForm,
  citypersons: cityPersonsForm,
  widerpedestrian: widerPedestrianForm,
  uavdt: uavdtForm,
  visdrone: visDroneForm,
  mot: motForm,
  trl: trlForm,
  "ms-swift": msSwiftForm,
  "vlm-r1": vlmR1Form,
} as const satisfies Record<string, AnnotationForm>;

/** Name of a form. */
export type FormName = keyof typeof forms;

/** All names. */
export const formNames = Object.keys(forms) as FormName[];

/**
 * A form by its name.
 * @param out where it is written to: CityPersons' annotations are a .mat file where that is the ending, else the JSON of
 *   its evaluation
 * @throws InputError for a name that is none.
 */
export function formNamed(name: string, out?: string): AnnotationForm {
  if (!Object.hasOwn(forms, name))
    throw new InputError(`there is no form named "${name}" to write`, {
      hint: `One of: ${formNames.join(", ")}.`,
    });
  if (name === "citypersons" && out !== undefined && /\.mat$/i.test(out)) return cityPersonsMatForm;
  return forms[name as FormName];
}
