/** @file A dataset under other labels. */
import { fingerprintValue } from "../base/fingerprint.js";
import type { Dataset } from "./dataset.js";
import type { Sample } from "./sample.js";

/** The same dataset with labels (old to new) renamed, of objects and of ignore regions; its fingerprint says so. */
export function renameLabels(dataset: Dataset, names: ReadonlyMap<string, string>): Dataset {
  const rename = (label: string) => names.get(label) ?? label;
  const renamed = (sample: Sample): Sample => ({
    ...sample,
    objects: sample.objects.map((object) => ({ ...object, label: rename(object.label) })),
    ...(sample.ignoreLabels && { ignoreLabels: sample.ignoreLabels.map(rename) }),
  });
  return {
    ...dataset,
    fingerprint: fingerprintValue({ of: dataset.fingerprint, renamed: Object.fromEntries(names) }),
    async *samples() {
      for await (const sample of dataset.samples()) yield renamed(sample);
    },
    at: async (index) => renamed(await dataset.at(index)),
  };
}
