/** @file The doctor's checks of data: readable, pictures as large as declared, labels that are asked for, boxes inside. */
import { toError } from "../base/index.js";
import { describeProblems, loadPixels, openDataset, type Dataset, type Sample } from "../datasets/index.js";
import { clipBox } from "../geometry/index.js";
import { check, failed, type Check } from "./doctor-check.js";
import type { LoadedRecipe } from "./recipe.js";

/** What the data checks leave for those after them. */
export interface DoctorData {
  readonly checks: readonly Check[];
  /** Evenly over the training set. */
  readonly samples: readonly Sample[];
  /** More of it, for lengths: annotations only. */
  readonly many: readonly Sample[];
}

/** Samples looked at without their pictures. */
const MANY = 500;

/** Up to `count` samples, evenly over the dataset. */
async function spread(dataset: Dataset, count: number): Promise<Sample[]> {
  const n = Math.min(count, dataset.length);
  return Promise.all(Array.from({ length: n }, (_, i) => dataset.at(Math.floor((i * dataset.length) / n))));
}

async function pictureCheck(samples: readonly Sample[]): Promise<Check> {
  const name = "pictures decode";
  for (const sample of samples) {
    try {
      const { width, height } = await loadPixels(sample);
      if (width !== sample.width || height !== sample.height)
        return check(
          name,
          "fail",
          `${sample.id}: the picture is ${width} x ${height}, its annotation says ${sample.width} x ${sample.height}`,
          "Boxes would be off by that scale. Annotate the pictures that are there, or point to those that were annotated.",
        );
    } catch (error) {
      return failed(name, new Error(`${sample.id}: ${toError(error).message}`, { cause: error }));
    }
  }
  return check(name, "pass", `${samples.length} of the training set, each as large as annotated`);
}

function labelCheck(samples: readonly Sample[], labels: readonly string[]): Check {
  const name = "labels are those asked for";
  const counts = new Map<string, number>();
  for (const { objects } of samples)
    for (const { label } of objects) counts.set(label, (counts.get(label) ?? 0) + 1);
  const listed = [...counts].sort((a, b) => b[1] - a[1]).map(([label, n]) => `${label} ${n}`).join(", ");
  const asked = labels.filter((label) => counts.has(label));
  const found = `asked for ${labels.join(", ")}; in ${samples.length} images: ${listed === "" ? "no object" : listed}`;
  if (asked.length === 0)
    return check(name, "fail", found, "Nothing could ever be found: set data.labels to labels of the data, or rename them (rename in the dataset).");
  if (asked.length < labels.length)
    return check(name, "warn", found, "Some of data.labels do not occur in these images.");
  return check(name, "pass", found);
} // prettier-ignore

function insideCheck(samples: readonly Sample[]): Check {
  const name = "boxes are inside the pictures";
  let [all, outside, whole] = [0, 0, 0];
  for (const { objects, width, height } of samples) {
    for (const { box } of objects) {
      all++;
      if (clipBox(box, { width, height }) === undefined) outside++;
      // Normalised boxes (0..1, in whatever unit) all lie within two pixels of the corner.
      else if (Math.max(box.x2, box.y2) <= 2) whole++;
    }
  }
  const found = `${all} boxes, ${outside} wholly outside`;
  if (all > 0 && whole / all > 0.5)
    return check(name, "fail", `${whole} of ${all} boxes lie within two pixels of the corner`, "They look like shares of the picture, 0 to 1: multiply them by width and height.");
  if (all > 0 && outside / all > 0.2)
    return check(name, "fail", found, "They look like another frame, or width and height for right and bottom: check the form of the boxes (docs/datasets.md).");
  if (outside / Math.max(1, all) > 0.01)
    return check(name, "warn", found, "Objects wholly outside are left out. `dip-r1 data inspect --pictures` draws them.");
  return check(name, "pass", found);
} // prettier-ignore

/** Opens the datasets of a recipe and looks at them. */
export async function dataChecks({ recipe, folder }: LoadedRecipe, count: number): Promise<DoctorData> {
  const checks: Check[] = [];
  const open = async (name: string, spec: typeof recipe.data.train): Promise<Dataset | undefined> => {
    try {
      const dataset = await openDataset(spec, { baseDir: folder });
      const problems = describeProblems(dataset.problems);
      const found = `${dataset.name}: ${dataset.length} images`;
      checks.push(
        problems === undefined
          ? check(name, "pass", found)
          : check(name, "warn", `${found}; ${problems.replaceAll("\n", "; ")}`, "`dip-r1 data inspect` says which."),
      );
      return dataset;
    } catch (error) {
      checks.push(failed(name, error));
      return undefined;
    }
  };
  const train = await open("training data", recipe.data.train);
  for (const [name, spec] of Object.entries(recipe.data.eval)) await open(`data to judge on: ${name}`, spec);
  if (train === undefined) return { checks, samples: [], many: [] };
  const many = await spread(train, MANY);
  const every = Math.max(1, Math.floor(many.length / count));
  const samples = many.filter((_, i) => i % every === 0).slice(0, count);
  checks.push(await pictureCheck(samples), labelCheck(many, recipe.data.labels), insideCheck(many));
  return { checks, samples, many };
} // prettier-ignore
