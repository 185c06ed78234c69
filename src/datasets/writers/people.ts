/** @file Labels for forms that know people only, or a list of categories of their own. */
import type { GroundTruthObject } from "../sample.js";
import type { LossTally } from "./losses.js";

/** Words that all mean: a person to be found. */
const PEOPLE: ReadonlySet<string> = new Set(["person", "pedestrian", "people", "human"]);

/** Whether the label means a person. */
export function isPerson(label: string): boolean {
  return PEOPLE.has(label.toLowerCase());
}

/** Whether an object can go into a form that holds people only; counts what cannot, and whose word is lost. */
export function keepsPerson(label: string, losses: LossTally): boolean {
  if (!isPerson(label)) {
    losses.add("dropped", `objects labelled "${label}" (this form holds people only)`);
    return false;
  }
  if (label !== "person") losses.add("changed", `labels "${label}" (this form just says person)`);
  return true;
}

/** How a form numbers what objects are. */
export interface CategoryRule {
  readonly categories: Readonly<Record<string, number>>;
  /** What a person is whose kind is not known. */
  readonly person?: string;
  /** What a vehicle is whose kind is not known. */
  readonly vehicle?: string;
}

/**
 * The number of an object in a form's list: of its attribute `category`, which readers keep where they give all objects
 * one label, else of its label. Counts objects without a number as dropped, and kinds that had to be chosen as added.
 */
export function categoryOf(
  { label, attributes }: GroundTruthObject,
  { categories, person, vehicle }: CategoryRule,
  losses: LossTally,
): number | undefined {
  for (const word of [attributes?.["category"], label])
    if (typeof word === "string" && Object.hasOwn(categories, word)) return categories[word];
  const kind = isPerson(label) ? person : label === "vehicle" ? vehicle : undefined;
  if (kind !== undefined) {
    losses.add("added", `categories of objects labelled "${label}" ("${kind}")`);
    return categories[kind];
  }
  losses.add("dropped", `objects labelled "${label}" (no such category in this form)`);
  return undefined;
}
