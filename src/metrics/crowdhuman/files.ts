/**
 * @file CrowdHuman's annotations (.odgt) and the detection lines of its evaluators, read line by line.
 * A detection line is `{"ID", "width", "height", "dtboxes": [{<key>: [x, y, width, height], "score"}], "gtboxes": [{<key>, "tag"}]}`.
 */
import { InputError } from "../../base/errors.js";
import { arrayField, asObject, fieldError, quoted, sizeField, type Fields } from "../../datasets/fields.js";
import { readJsonLines } from "../../datasets/lines.js";
import { officialFiles, scoreValue, xywhValue, type Xywh } from "../file-values.js";
import { plainFromXywh, type PlainBoxes, type PlainDetections } from "../plain.js";
import type { CrowdHumanImage } from "./match.js";

/** Which of a person's three boxes is evaluated, and the field that holds it. */
export const crowdHumanBoxes = { full: "fbox", visible: "vbox", head: "hbox" } as const;

/** Options of {@link readCrowdHumanFiles}. */
export interface CrowdHumanFileOptions {
  /** @default "full", as papers report */
  readonly boxes?: keyof typeof crowdHumanBoxes;
  /** Field of a detection that holds its box. @default the annotations' own name of it, or `box` where the first detection has that */
  readonly detectionKey?: string;
}

/** A set read from files. */
export interface CrowdHumanFiles {
  /** For AP and MR, in the annotations' order: truths are the annotations'. */
  readonly images: readonly CrowdHumanImage[];
  /** For JI: truths are those in the detection lines, where a line has them, as in the official evaluator. */
  readonly jaccardImages: readonly CrowdHumanImage[];
  /** Images whose JI truths came from the detection lines. */
  readonly jaccardTruthsFromDetections: number;
  /** Images without a detection line; the official evaluator stops at one. */
  readonly missing: number;
  readonly detectionKey: string;
}

interface Truths {
  readonly boxes: PlainBoxes;
  readonly ignore: Uint8Array;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

interface Annotated extends Truths {
  readonly size: Size | undefined;
}

function sizeOf(fields: Fields, where: string): Size | undefined {
  const width = sizeField(fields, "width", where);
  const height = sizeField(fields, "height", where);
  return width === undefined || height === undefined ? undefined : { width, height };
}

function idOf(fields: Fields, where: string): string {
  const id = fields["ID"];
  if (typeof id !== "string" || id === "") throw fieldError(where, "ID", `must be text, got ${quoted(id)}`);
  return id;
}

/** Whether a flag inside an optional object is set: `extra.ignore`, `head_attr.ignore`. */
function innerFlag(fields: Fields, outer: string, where: () => string): boolean {
  const inner = fields[outer];
  if (inner === undefined || inner === null) return false;
  const flag = asObject(inner, where(), outer)["ignore"];
  if (flag === undefined || flag === 0 || flag === false) return false;
  if (flag === 1 || flag === true) return true;
  throw fieldError(where(), `${outer}.ignore`, `must be 0 or 1, got ${quoted(flag)}`);
}

function readTruths(fields: Fields, where: string, kind: keyof typeof crowdHumanBoxes): Truths {
  const key = crowdHumanBoxes[kind];
  const entries = arrayField(fields, "gtboxes", where);
  const boxes: Xywh[] = [];
  const ignore = new Uint8Array(entries.length);
  entries.forEach((value, i) => {
    const at = () => `${where}: gtboxes[${i}]`;
    const entry = asObject(value, at());
    boxes.push(xywhValue(entry[key], at, key));
    const ignored =
      entry["tag"] !== "person" ||
      innerFlag(entry, "extra", at) ||
      (kind === "head" && innerFlag(entry, "head_attr", at));
    ignore[i] = ignored ? 1 : 0;
  });
  return { boxes: plainFromXywh(boxes), ignore };
}

/** Reads .odgt annotations by image, in the file's order. @throws InputError naming file, line and field. */
export async function readCrowdHumanAnnotations(
  path: string,
  boxes: keyof typeof crowdHumanBoxes = "full",
): Promise<Map<string, Annotated>> {
  const images = new Map<string, Annotated>();
  for await (const { line, value } of readJsonLines(path, { problems: officialFiles() })) {
    const where = `${path}:${line}`;
    const fields = asObject(value, where, "the line");
    const id = idOf(fields, where);
    if (images.has(id))
      throw new InputError(`${where}: a second line for the image ${id}`, {
        hint: "Each image needs one line; the official tool silently takes the last.",
      });
    images.set(id, { ...readTruths(fields, where, boxes), size: sizeOf(fields, where) });
  }
  if (images.size === 0) throw new InputError(`${path}: has no images`);
  return images;
}

function keyOf(entry: Fields, wanted: readonly string[], where: string): string {
  const found = wanted.find((key) => entry[key] !== undefined);
  if (found !== undefined) return found;
  throw new InputError(`${where}: has no box: none of ${wanted.join(", ")}`, {
    hint: `It has the fields ${Object.keys(entry).join(", ")}; name the box's with --dt-key.`,
  });
}

function readDetections(entries: readonly unknown[], where: string, key: string): PlainDetections {
  const boxes: Xywh[] = [];
  const scores = new Float64Array(entries.length);
  entries.forEach((value, i) => {
    const at = () => `${where}: dtboxes[${i}]`;
    const entry = asObject(value, at());
    boxes.push(xywhValue(entry[key], at, key));
    scores[i] = scoreValue(entry["score"], at);
  });
  return { ...plainFromXywh(boxes), scores };
}

/** The truths that a detection line carries: tag -1 is an ignore region. */
function readCarriedTruths(entries: readonly unknown[], where: string, key: string): Truths {
  const boxes: Xywh[] = [];
  const ignore = new Uint8Array(entries.length);
  entries.forEach((value, i) => {
    const at = () => `${where}: gtboxes[${i}]`;
    const entry = asObject(value, at());
    boxes.push(xywhValue(entry[key], at, key));
    if (typeof entry["tag"] !== "number")
      throw fieldError(at(), "tag", `must be 1 or -1 here, got ${quoted(entry["tag"])}`);
    ignore[i] = entry["tag"] === -1 ? 1 : 0;
  });
  return { boxes: plainFromXywh(boxes), ignore };
}

const noDetections: PlainDetections = { ...plainFromXywh([]), scores: new Float64Array(0) };

/**
 * Reads annotations and detections.
 * @throws InputError naming file, line and field; also for a detection line of an image that the annotations do not have,
 * and where neither file gives the size of an image with detections.
 */
export async function readCrowdHumanFiles(
  truthPath: string,
  detectionPath: string,
  options: CrowdHumanFileOptions = {},
): Promise<CrowdHumanFiles> {
  const { boxes = "full" } = options;
  const annotated = await readCrowdHumanAnnotations(truthPath, boxes);
  const wanted =
    options.detectionKey === undefined ? [crowdHumanBoxes[boxes], "box"] : [options.detectionKey];
  const found = new Map<string, { image: CrowdHumanImage; jaccard: CrowdHumanImage }>();
  let key: string | undefined;
  let carriedLines = 0;
  for await (const { line, value } of readJsonLines(detectionPath, { problems: officialFiles() })) {
    const where = `${detectionPath}:${line}`;
    const fields = asObject(value, where, "the line");
    const id = idOf(fields, where);
    const truth = annotated.get(id);
    if (truth === undefined)
      throw fieldError(
        where,
        "ID",
        `${quoted(id)} is not among the annotations' images`,
        "Detections must be of the same set and split as the annotations; an ID has no ending such as .jpg.",
      );
    if (found.has(id)) throw new InputError(`${where}: a second line for the image ${id}`);
    const entries = arrayField(fields, "dtboxes", where);
    if (key === undefined && entries.length > 0)
      key = keyOf(asObject(entries[0], `${where}: dtboxes[0]`), wanted, `${where}: dtboxes[0]`);
    const detections = readDetections(entries, where, key ?? wanted[0]!);
    const size = truth.size ?? sizeOf(fields, where);
    if (size === undefined && entries.length > 0)
      throw fieldError(
        where,
        "width",
        "and height of the picture are missing",
        "Boxes are clipped to the picture: each detection line needs its width and height.",
      );
    const rest = { detections, ...(size && { size }) };
    const image = { truths: truth.boxes, ignore: truth.ignore, ...rest };
    let jaccard: CrowdHumanImage = image;
    if (fields["gtboxes"] !== undefined) {
      const list = arrayField(fields, "gtboxes", where);
      const first = list[0];
      const own =
        key ??
        (first === undefined ? wanted[0]! : keyOf(asObject(first, where), wanted, `${where}: gtboxes[0]`));
      const carried = readCarriedTruths(list, where, own);
      jaccard = { truths: carried.boxes, ignore: carried.ignore, ...rest };
      carriedLines++;
    }
    found.set(id, { image, jaccard });
  }
  const empty = ({ boxes: truths, ignore, size }: Annotated): CrowdHumanImage => ({
    truths,
    ignore,
    detections: noDetections,
    ...(size && { size }),
  });
  const entries = [...annotated].map(
    ([id, truth]) => found.get(id) ?? { image: empty(truth), jaccard: empty(truth) },
  );
  return {
    images: entries.map(({ image }) => image),
    jaccardImages: entries.map(({ jaccard }) => jaccard),
    jaccardTruthsFromDetections: carriedLines,
    missing: annotated.size - found.size,
    detectionKey: key ?? wanted[0]!,
  };
}
