/** @file Labels for forms that know people only, or a list of categories of their own. */
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

/**
 * The number of a label in a form's list; a person is `person` in the list. Counts labels without a number as dropped,
 * those that come back under another name as changed.
 */
export function categoryOf(
  label: string,
  categories: Readonly<Record<string, number>>,
  person: string | undefined,
  losses: LossTally,
): number | undefined {
  if (Object.hasOwn(categories, label)) return categories[label];
  if (person !== undefined && isPerson(label)) {
    losses.add("changed", `labels "${label}" ("${person}" in this form)`);
    return categories[person];
  }
  losses.add("dropped", `objects labelled "${label}" (no such category in this form)`);
  return undefined;
}
