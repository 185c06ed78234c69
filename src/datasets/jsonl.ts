/**
 * @file The project's own form, one image a line, which holds everything a sample does:
 * `{"id","image","width","height","objects":[{"bbox":[x1,y1,x2,y2],"label","visibility"?,"visible"?,"head"?,"id"?,
 * "attributes"?}],"ignore":[[...]],"ignoreLabels"?:[...]}`.
 * Boxes are corners in pixels of the original image. `score` and the reward server take it
 * without `image` too.
 */
import { dirname, resolve } from "node:path";
import type { Box } from "../geometry/box.js";
import { BoxAudit, type BoxForm, type ImageSize } from "./box-audit.js";
import {
  arrayField,
  asObject,
  attributesField,
  duplicateError,
  fieldError,
  type Fields,
  idField,
  numberField,
  quoted,
  sizeField,
  textField,
} from "./fields.js";
import { openSizes, type SizeLookup } from "./image-sizes.js";
import { readJsonLines } from "./lines.js";
import { AnnotationError, Problems } from "./problems.js";
import type { GroundTruthObject, Sample, SampleTruth } from "./sample.js";

/** How to read the project's JSON Lines. */
export interface JsonlOptions {
  /** Folder that image paths are relative to. @default the file's folder */
  readonly images?: string;
  /** Label of objects that name none. @default "person" */
  readonly label?: string;
  /** Form of the file's boxes. @default "xyxy", and files that look otherwise are refused */
  readonly boxes?: BoxForm;
  /** Where sizes come from that a line does not give: see {@link openSizes}. @default the pictures' headers */
  readonly sizes?: string;
  /** @default MAX_LINE_BYTES */
  readonly maxLineBytes?: number;
  /** @default stop at the first bad record */
  readonly problems?: Problems;
}

interface Context {
  readonly path: string;
  readonly options: JsonlOptions;
  readonly problems: Problems;
  readonly audit: BoxAudit;
  readonly sizes: SizeLookup;
}

/**
 * Streams the lines of a file; `image` may be missing where `width` and `height` are given.
 * @throws InputError naming file, line and field.
 */
export async function* readJsonlTruth(path: string, options: JsonlOptions = {}): AsyncGenerator<SampleTruth> {
  yield* readTruth(path, options, false);
}

/** Like {@link readJsonlTruth}, but every line must have an image. */
export async function* readJsonlSamples(path: string, options: JsonlOptions = {}): AsyncGenerator<Sample> {
  for await (const truth of readTruth(path, options, true)) yield { ...truth, image: truth.image! };
}

async function* readTruth(
  path: string,
  options: JsonlOptions,
  needsImage: boolean,
): AsyncGenerator<SampleTruth> {
  const problems = options.problems ?? new Problems();
  const context: Context = {
    path,
    options,
    problems,
    audit: new BoxAudit(path, { native: "xyxy", declared: options.boxes, problems }),
    sizes: await openSizes(options.sizes),
  };
  const seen = new Map<string, number>();
  for await (const { line, value } of readJsonLines(path, { problems, maxLineBytes: options.maxLineBytes })) {
    const where = `${path}:${line}`;
    const sample = await problems.attemptAsync(async () => {
      const fields = asObject(value, where, "the line");
      const id = idField(fields, "id", where);
      const before = seen.get(id);
      if (before !== undefined) {
        throw duplicateError(where, "id", id, `line ${before}`, "Ids must be unique.");
      }
      const truth = await toTruth(fields, id, where, context);
      if (needsImage && truth.image === undefined) {
        throw new AnnotationError("image-missing", `${path}: sample ${quoted(id)} has no image`, {
          hint: 'Give each line an "image" path, relative to the file.',
        });
      }
      seen.set(id, line);
      return truth;
    });
    if (sample !== undefined) yield sample;
  }
  context.audit.finish();
}

async function toTruth(fields: Fields, id: string, where: string, context: Context): Promise<SampleTruth> {
  const { options, problems, audit } = context;
  const name = textField(fields, "image", where);
  const file = name === undefined ? undefined : resolve(options.images ?? dirname(context.path), name);
  const size = await sizeOf(fields, { id, where, file }, context);
  const objects: GroundTruthObject[] = [];
  for (const [i, value] of arrayField(fields, "objects", where).entries()) {
    const object = problems.attempt(() => toObject(value, where, i, size, context));
    if (object !== undefined) objects.push(object);
  }
  const regions = fields["ignore"] === undefined ? [] : arrayField(fields, "ignore", where);
  const words = ignoreWords(fields, where, regions.length);
  const ignore: Box<"image">[] = [];
  const ignoreLabels: string[] = [];
  for (const [i, value] of regions.entries()) {
    problems.attempt(() => {
      // Not readIgnore: this is our own form, whoever writes an empty region made a mistake.
      ignore.push(audit.readCounted(value, where, `ignore[${i}]`, size));
      ignoreLabels.push(words?.[i] ?? "");
    });
  }
  return {
    id,
    ...(file === undefined ? {} : { image: { kind: "file", path: file } as const }),
    ...size,
    objects,
    ignore,
    ...(words === undefined ? {} : { ignoreLabels }),
  };
}

async function sizeOf(
  fields: Fields,
  { id, where, file }: { readonly id: string; readonly where: string; readonly file: string | undefined },
  { sizes }: Context,
): Promise<ImageSize> {
  const width = sizeField(fields, "width", where);
  const height = sizeField(fields, "height", where);
  if (width !== undefined && height !== undefined) return { width, height };
  if (file !== undefined) return sizes({ id, path: file, where });
  const missing = width === undefined ? "width" : "height";
  throw fieldError(where, missing, "is missing, and there is no image to ask");
}

function ignoreWords(fields: Fields, where: string, count: number): readonly string[] | undefined {
  if (fields["ignoreLabels"] === undefined || fields["ignoreLabels"] === null) return undefined;
  const words = arrayField(fields, "ignoreLabels", where);
  if (words.length !== count || !words.every((word) => typeof word === "string"))
    throw fieldError(where, "ignoreLabels", `must be as many texts as there are ignore regions (${count})`);
  return words as readonly string[];
}

function toObject(
  value: unknown,
  where: string,
  index: number,
  size: ImageSize,
  { audit, options }: Context,
): GroundTruthObject {
  const at = `objects[${index}]`;
  const fields = asObject(value, where, at);
  const inside = `${where}: ${at}`;
  const visibility = numberField(fields, "visibility", inside, 0);
  if (visibility !== undefined && visibility > 1) {
    throw fieldError(inside, "visibility", `must be within 0..1, got ${visibility}`);
  }
  const box = audit.read(fields["bbox"], where, `${at}.bbox`, size);
  const visible = audit.readDetail(fields["visible"], where, `${at}.visible`);
  const head = audit.readDetail(fields["head"], where, `${at}.head`);
  const attributes = attributesField(fields, "attributes");
  return {
    box,
    ...(visible === undefined ? {} : { visible }),
    ...(head === undefined ? {} : { head }),
    ...(visibility === undefined ? {} : { visibility }),
    label: textField(fields, "label", inside) ?? options.label ?? "person",
    ...(fields["id"] === undefined || fields["id"] === null ? {} : { id: idField(fields, "id", inside) }),
    ...(attributes === undefined ? {} : { attributes }),
  };
}

/** A line of the file, without the line break. `image` is the path to write; absent where there is none. */
export function toJsonlLine(sample: SampleTruth, image?: string): string {
  const corners = (b: Box<"image">) => [b.x1, b.y1, b.x2, b.y2];
  return JSON.stringify({
    id: sample.id,
    image,
    width: sample.width,
    height: sample.height,
    objects: sample.objects.map((o) => ({
      bbox: corners(o.box),
      label: o.label,
      visibility: o.visibility,
      visible: o.visible === undefined ? undefined : corners(o.visible),
      head: o.head === undefined ? undefined : corners(o.head),
      id: o.id,
      attributes: o.attributes,
    })),
    ignore: sample.ignore.map(corners),
    ignoreLabels: sample.ignoreLabels,
  });
}
