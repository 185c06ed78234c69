/**
 * @file Reads CrowdHuman (.odgt): one image a line, each box as a full body, its visible part and its head. The pictures
 * are `Images/<ID>.jpg`; the file holds no sizes. As the official evaluation has it, a person counts where `extra.ignore`
 * is not 1; masks (crowds, reflections, statues) and all else are ignore regions.
 */
import { dirname, join } from "node:path";
import { boxArea } from "../geometry/overlap.js";
import type { Box } from "../geometry/box.js";
import { BoxAudit, type BoxForm, type ImageSize } from "./box-audit.js";
import {
  arrayField,
  asObject,
  duplicateError,
  fieldError,
  type Fields,
  flagField,
  idField,
  sizeField,
  textField,
} from "./fields.js";
import { firstEnding, firstFolder } from "./image-folder.js";
import { openSizes, type SizeLookup } from "./image-sizes.js";
import { readJsonLines } from "./lines.js";
import { mapOrdered } from "./ordered.js";
import { Problems } from "./problems.js";
import type { Attributes, GroundTruthObject, Sample } from "./sample.js";

/** Which of CrowdHuman's three boxes is the object. */
export type CrowdHumanBox = "full" | "visible" | "head";

/** How to read CrowdHuman. */
export interface CrowdHumanOptions {
  /** Folder of the pictures. @default `Images` beside the file or one folder up */
  readonly images?: string;
  /** @default "full" */
  readonly box?: CrowdHumanBox;
  /** Where sizes come from when a line has none: see {@link openSizes}. @default the pictures' headers */
  readonly sizes?: string;
  /** Form of the file's boxes. @default "xywh", and files that look otherwise are refused */
  readonly boxes?: BoxForm;
  /** @default "person", "head" with `box: head` */
  readonly label?: string;
  /** @default MAX_LINE_BYTES */
  readonly maxLineBytes?: number;
  /** @default stop at the first bad record */
  readonly problems?: Problems;
}

const FIELDS = { full: "fbox", visible: "vbox", head: "hbox" } as const satisfies Record<
  CrowdHumanBox,
  string
>;

interface OdgtLine {
  readonly id: string;
  readonly fields: Fields;
  readonly where: string;
}

interface Context {
  readonly kind: CrowdHumanBox;
  readonly label: string;
  readonly folder: string;
  readonly audit: BoxAudit;
  readonly sizes: SizeLookup;
  readonly problems: Problems;
}

/**
 * Streams the lines of an .odgt file in order; memory holds a few lines, whatever the file's length.
 * @throws InputError naming file, line, box and field.
 */
export async function* readCrowdHuman(path: string, options: CrowdHumanOptions = {}): AsyncGenerator<Sample> {
  const problems = options.problems ?? new Problems();
  const kind = options.box ?? "full";
  const beside = dirname(path);
  const context: Context = {
    kind,
    label: options.label ?? (kind === "head" ? "head" : "person"),
    folder:
      options.images ??
      firstFolder([join(beside, "Images"), join(beside, "images"), join(dirname(beside), "Images")]),
    audit: new BoxAudit(path, { native: "xywh", declared: options.boxes, problems }),
    sizes: await openSizes(options.sizes),
    problems,
  };
  const samples = mapOrdered(odgtLines(path, problems, options.maxLineBytes), (line) =>
    problems.attemptAsync(() => toSample(line, context)),
  );
  for await (const sample of samples) if (sample !== undefined) yield sample;
  context.audit.finish();
}

async function* odgtLines(path: string, problems: Problems, maxLineBytes?: number): AsyncGenerator<OdgtLine> {
  const seen = new Map<string, number>();
  for await (const { line, value } of readJsonLines(path, { problems, maxLineBytes })) {
    const where = `${path}:${line}`;
    const found = problems.attempt((): OdgtLine => {
      const fields = asObject(value, where, "the line");
      refuseCoco(fields, where);
      const id = idField(fields, "ID", where);
      const before = seen.get(id);
      if (before !== undefined) {
        throw duplicateError(where, "ID", id, `line ${before}`, "Each image has one line.");
      }
      seen.set(id, line);
      return { id, fields, where };
    });
    if (found !== undefined) yield found;
  }
}

function refuseCoco(fields: Fields, where: string): void {
  if (fields["ID"] !== undefined || !Array.isArray(fields["annotations"])) return;
  throw fieldError(where, "ID", "is missing, and this looks like COCO json", "Write coco:FILE.");
}

async function toSample({ id, fields, where }: OdgtLine, context: Context): Promise<Sample> {
  const path = firstEnding(join(context.folder, id), [".jpg", ".png", ".jpeg"]);
  const width = sizeField(fields, "width", where);
  const height = sizeField(fields, "height", where);
  const boxes = gtBoxes(fields, where);
  const size =
    width !== undefined && height !== undefined
      ? { width, height }
      : await context.sizes({ id, path, where });
  const objects: GroundTruthObject[] = [];
  const ignore: Box<"image">[] = [];
  const ignoreLabels: string[] = [];
  for (const [i, value] of boxes.entries()) {
    context.problems.attempt(() => {
      const one = readBox(asObject(value, where, `gtboxes[${i}]`), `${where}: gtboxes[${i}]`, size, context);
      if ("label" in one) objects.push(one);
      else if (one.region !== undefined) {
        ignore.push(one.region);
        ignoreLabels.push(one.tag);
      }
    });
  }
  return { id, image: { kind: "file", path }, ...size, objects, ignore, ignoreLabels };
}

function gtBoxes(fields: Fields, where: string): readonly unknown[] {
  if (fields["gtboxes"] === undefined && Array.isArray(fields["dtboxes"])) {
    throw fieldError(
      where,
      "gtboxes",
      "is missing, and there are dtboxes",
      "This looks like a file of detections, not of annotations.",
    );
  }
  return arrayField(fields, "gtboxes", where);
}

interface Region {
  readonly region: Box<"image"> | undefined;
  readonly tag: string;
}

function readBox(
  entry: Fields,
  where: string,
  size: ImageSize,
  context: Context,
): GroundTruthObject | Region {
  const { kind, audit } = context;
  const tag = textField(entry, "tag", where);
  if (tag === undefined) throw fieldError(where, "tag", "is missing");
  const extra = optionalObject(entry, "extra", where);
  const head = optionalObject(entry, "head_attr", where);
  const counts =
    tag === "person" &&
    !flagField(extra, "ignore", `${where}: extra`) &&
    !(kind === "head" && flagField(head, "ignore", `${where}: head_attr`));
  const field = FIELDS[kind];
  if (!counts) return { region: audit.readIgnore(entry[field], where, field, size), tag };
  const box =
    kind === "full"
      ? audit.readAmodal(entry[field], where, field, size)
      : audit.read(entry[field], where, field, size);
  if (box === undefined) return { region: undefined, tag };
  const visible = audit.readDetail(entry["vbox"], where, "vbox");
  const full = kind === "full" ? box : audit.readDetail(entry["fbox"], where, "fbox");
  const headBox = kind === "head" ? undefined : audit.readDetail(entry["hbox"], where, "hbox");
  const id = extra["box_id"];
  const attributes = attributesOf(extra, head);
  return {
    box,
    ...(visible === undefined || kind === "head" ? {} : { visible }),
    ...(headBox === undefined ? {} : { head: headBox }),
    // The evaluators' visible ratio. Of a head nothing is known: the body's share would say the wrong thing.
    ...(visible === undefined || full === undefined || kind === "head"
      ? {}
      : { visibility: Math.min(1, boxArea(visible) / boxArea(full)) }),
    label: context.label,
    ...(typeof id === "number" || typeof id === "string" ? { id: String(id) } : {}),
    ...(Object.keys(attributes).length === 0 ? {} : { attributes }),
  };
}

const ATTRIBUTES = [
  ["occluded", "extra", "occ"],
  ["unsure", "extra", "unsure"],
  ["headIgnored", "head", "ignore"],
  ["headOccluded", "head", "occ"],
  ["headUnsure", "head", "unsure"],
] as const;

/** Flags of body and head; absent where the file does not say. */
function attributesOf(extra: Fields, head: Fields): Attributes {
  const found: Record<string, boolean> = {};
  for (const [name, of, field] of ATTRIBUTES) {
    const value = (of === "extra" ? extra : head)[field];
    if (typeof value === "number" || typeof value === "boolean") found[name] = Boolean(value);
  }
  return found;
}

function optionalObject(fields: Fields, field: string, where: string): Fields {
  const value = fields[field];
  return value === undefined || value === null ? {} : asObject(value, where, field);
}
