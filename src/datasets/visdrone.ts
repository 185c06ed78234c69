/**
 * @file Reads VisDrone-DET: a folder of text files, one a picture, each row
 * `left,top,width,height,score,category,truncation,occlusion`. Category 0 (ignored region), category 11 (others) and rows
 * with score 0 are ignore regions.
 */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { InputError } from "../base/errors.js";
import type { Box } from "../geometry/box.js";
import { BoxAudit, type BoxForm, type ImageSize } from "./box-audit.js";
import { readRow } from "./columns.js";
import { fieldError } from "./fields.js";
import { firstEnding } from "./image-folder.js";
import { openSizes } from "./image-sizes.js";
import { readLines } from "./lines.js";
import { mapOrdered } from "./ordered.js";
import { Problems } from "./problems.js";
import type { GroundTruthObject, Sample } from "./sample.js";

/** VisDrone's categories by number: 0 is an ignored region, 11 what is none of the others. */
export const VISDRONE_CATEGORIES = [
  "ignored region",
  "pedestrian",
  "people",
  "bicycle",
  "car",
  "van",
  "truck",
  "tricycle",
  "awning-tricycle",
  "bus",
  "motor",
  "others",
] as const;
/** One of {@link VISDRONE_CATEGORIES}. */
export type VisDroneCategory = (typeof VISDRONE_CATEGORIES)[number];

/** People by posture: standing or walking, and any other. One without the other cannot be asked for in words. */
const PEOPLE: readonly VisDroneCategory[] = ["pedestrian", "people"];
const NEUTRAL: readonly VisDroneCategory[] = ["ignored region", "others"];

const OCCLUSION = ["none", "partial", "heavy"] as const;
/** The middle of each level's range: unhidden, 1 to 50 % hidden, more than 50 % hidden. */
const VISIBILITY = [1, 0.75, 0.25] as const;

/** How to read VisDrone-DET. */
export interface VisDroneOptions {
  /** Folder of the pictures. @default `images` beside the folder of annotations */
  readonly images?: string;
  /** Categories that are objects. Of pedestrian and people the one that is not becomes ignore regions; others go. @default both */
  readonly categories?: readonly VisDroneCategory[];
  /** Objects are labelled with their category's name instead of `label`. @default false */
  readonly perCategory?: boolean;
  /** Form of the files' boxes. @default "xywh", and files that look otherwise are refused */
  readonly boxes?: BoxForm;
  /** Sizes of the pictures: see {@link openSizes}. @default the pictures' headers */
  readonly sizes?: string;
  /** @default "person" */
  readonly label?: string;
  /** @default stop at the first bad record */
  readonly problems?: Problems;
}

/**
 * Streams the pictures of a folder of annotations in the order of their names.
 * @param path the folder `annotations`, the folder that holds it, or one of its files
 * @throws InputError naming file, line and column
 */
export async function* readVisDrone(path: string, options: VisDroneOptions = {}): AsyncGenerator<Sample> {
  const problems = options.problems ?? new Problems();
  const files = await visDroneFiles(path);
  const folder = options.images ?? join(dirname(dirname(files[0]!)), "images");
  const sizes = await openSizes(options.sizes);
  const audit = new BoxAudit(path, { native: "xywh", declared: options.boxes, problems });
  const samples = mapOrdered(files, (file) =>
    problems.attemptAsync(async (): Promise<Sample> => {
      const id = basename(file, ".txt");
      const picture = firstEnding(join(folder, id), [".jpg", ".png", ".jpeg"]);
      const size = await sizes({ id, path: picture, where: file });
      const truth = await readTruth(file, size, { ...options, problems, audit });
      return { id, image: { kind: "file", path: picture }, ...size, ...truth };
    }),
  );
  for await (const sample of samples) if (sample !== undefined) yield sample;
  audit.finish();
}

/** The text files that a spec's path stands for. @throws InputError where there is none */
export async function visDroneFiles(path: string): Promise<string[]> {
  if (path.endsWith(".txt")) return [path];
  const nested = join(path, "annotations");
  const folder = existsSync(nested) ? nested : path;
  const names = (await readdir(folder)).filter((name) => name.endsWith(".txt")).sort();
  if (names.length === 0) {
    throw new InputError(`${folder}: holds no .txt file of annotations`, {
      hint: "VisDrone-DET's sets are folders with annotations/*.txt and images/*.jpg.",
    });
  }
  return names.map((name) => join(folder, name));
}

const SHAPE = {
  names: ["left", "top", "width", "height", "score", "category", "truncation", "occlusion"],
  counts: [8],
  hint:
    "A row of VisDrone-DET has 8 columns: left,top,width,height,score,category,truncation,occlusion. " +
    "With 10 it is VisDrone-VID or -MOT, which are not read.",
} as const;

async function readTruth(
  file: string,
  size: ImageSize,
  options: VisDroneOptions & { readonly problems: Problems; readonly audit: BoxAudit },
): Promise<Required<Pick<Sample, "objects" | "ignore" | "ignoreLabels">>> {
  const { problems, audit } = options;
  const objects: GroundTruthObject[] = [];
  const ignore: Box<"image">[] = [];
  const ignoreLabels: string[] = [];
  for await (const { line, text } of readLines(file, { problems })) {
    const where = `${file}:${line}`;
    problems.attempt(() => {
      const values = readRow(text, where, SHAPE);
      const [xywh, [score, number, truncation, occlusion]] = [values.slice(0, 4), values.slice(4)];
      const category = VISDRONE_CATEGORIES[number!];
      if (category === undefined) throw fieldError(where, "category", `must be 0 to 11, got ${number}`);
      const role = roleOf(category, score!, options.categories ?? PEOPLE);
      if (role === "ignore") {
        const region = audit.readIgnore(xywh, where, "box", size);
        if (region === undefined) return;
        ignore.push(region);
        ignoreLabels.push(category);
      } else if (role === "object") {
        const level = OCCLUSION[occlusion!];
        objects.push({
          box: audit.read(xywh, where, "box", size),
          ...(level === undefined ? {} : { visibility: VISIBILITY[occlusion as 0 | 1 | 2] }),
          label: options.perCategory === true ? category : (options.label ?? "person"),
          attributes: {
            category,
            truncation: truncation!,
            ...(level === undefined ? {} : { occlusion: level }),
          },
        });
      }
    });
  }
  return { objects, ignore, ignoreLabels };
}

function roleOf(
  category: VisDroneCategory,
  score: number,
  counted: readonly VisDroneCategory[],
): "object" | "ignore" | "other" {
  if (NEUTRAL.includes(category)) return "ignore";
  if (counted.includes(category)) return score === 0 ? "ignore" : "object";
  return PEOPLE.includes(category) && PEOPLE.some((one) => counted.includes(one)) ? "ignore" : "other";
}
