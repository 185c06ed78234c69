/**
 * @file Boxes of an annotation file, checked one by one and as a whole. One box proves little, a file's boxes together
 * show the usual mistakes: corners where width and height belong, numbers from 0 to 1, annotations of a larger picture.
 */
import { InputError } from "../base/errors.js";
import { box, type Box } from "../geometry/box.js";
import { fieldError, fourNumbers, type Where } from "./fields.js";
import type { Problems } from "./problems.js";

/** The four numbers of a box: left, top, width, height; or left, top, right, bottom. */
export type BoxForm = "xywh" | "xyxy";

/** Width and height of an image in pixels. */
export interface ImageSize {
  readonly width: number;
  readonly height: number;
}

/** How a file's boxes are to be read. */
export interface BoxAuditOptions {
  /** Of the format. */
  readonly native: BoxForm;
  /** What the user says: it replaces the format's own, and then no other form is suspected. */
  readonly declared?: BoxForm;
  /** Where what is odd but harmless is noted. */
  readonly problems: Problems;
  /** How the user says it, for hints. @default "boxes" */
  readonly option?: string;
}

const FORMS = { xywh: "[x, y, width, height]", xyxy: "[x1, y1, x2, y2]" } as const;
/** Fewer boxes than this say nothing about a file. */
const ENOUGH = 5;
/** A box leaves the image when it reaches further beyond its right or bottom edge than this share of the side. */
const BEYOND = 0.05;

/** Reads the boxes of one file. */
export class BoxAudit {
  private readonly form: BoxForm;
  private boxes = 0;
  private leaving = 0;
  private outside = 0;
  /** Boxes that have no area or leave the image, as they are read and as the other form would have them. */
  private wrong = 0;
  private wrongOtherwise = 0;
  /** Boxes that would have no area as the other form. */
  private emptyOtherwise = 0;
  private upToOne = 0;
  private readonly path: string;
  private readonly options: BoxAuditOptions;

  constructor(path: string, options: BoxAuditOptions) {
    this.path = path;
    this.options = options;
    this.form = options.declared ?? options.native;
  }

  /**
   * The box of an object. @param size of its image, where it is known
   * @throws AnnotationError where it is not four numbers, has no area or lies wholly outside the image.
   */
  read(value: unknown, where: Where, field: string, size?: ImageSize): Box<"image"> {
    const found = this.readCounted(value, where, field, size);
    if (size !== undefined && isOutside(found, size)) {
      throw fieldError(
        where,
        field,
        `${JSON.stringify(value)} lies outside the image of ${size.width}x${size.height}`,
        "Is the image's size right, and is it the picture that was annotated?" +
          (this.looksOtherwise() ? ` ${this.otherwiseHint("The boxes so far look like")}` : ""),
        "box-outside",
      );
    }
    return found;
  }

  /**
   * The box of an object in a dataset whose boxes go on beyond the image's edge (amodal). One wholly outside shows
   * nothing that could be found: it is noted, and `undefined`.
   */
  readAmodal(value: unknown, where: Where, field: string, size: ImageSize): Box<"image"> | undefined {
    const found = this.readCounted(value, where, field, size);
    if (!isOutside(found, size)) return found;
    this.outside++;
    this.options.problems.note(
      "box-outside",
      `${where}: ${field} ${JSON.stringify(value)} lies outside the image of ${size.width}x${size.height}`,
    );
    return undefined;
  }

  /** A box that must have an area but may lie outside the image. @throws AnnotationError */
  readCounted(value: unknown, where: Where, field: string, size?: ImageSize): Box<"image"> {
    const numbers = fourNumbers(value, where, field, FORMS[this.form]);
    const found = toBox(numbers, this.form);
    if (size !== undefined) this.count(numbers, found, size);
    if (!hasArea(found)) throw this.noArea(numbers, where, field, size);
    return found;
  }

  /** An ignore region: one without an area has no effect, so it is noted and left out. */
  readIgnore(value: unknown, where: Where, field: string, size?: ImageSize): Box<"image"> | undefined {
    const numbers = fourNumbers(value, where, field, FORMS[this.form]);
    const found = toBox(numbers, this.form);
    if (size !== undefined) this.count(numbers, found, size);
    if (!hasArea(found)) {
      this.options.problems.note(
        "empty-box",
        `${where}: ${field} ${JSON.stringify(numbers)} is an ignore region without an area`,
      );
      return undefined;
    }
    return found;
  }

  /**
   * A box that says more about an object (its head, its visible part). All zero means that there is none; what cannot
   * be used otherwise is noted, and the object stays.
   */
  readDetail(value: unknown, where: Where, field: string): Box<"image"> | undefined {
    if (value === undefined || value === null) return undefined;
    const numbers = fourNumbers(value, where, field, FORMS[this.form]);
    const found = toBox(numbers, this.form);
    if (hasArea(found)) return found;
    if (numbers[2] !== 0 || numbers[3] !== 0)
      this.options.problems.note(
        "empty-box",
        `${where}: ${field} ${JSON.stringify(numbers)} has no area and is not used`,
      );
    return undefined;
  }

  /** Looks at the file's boxes as a whole; call at its end. @throws InputError where they look like another form. */
  finish(): void {
    const { boxes, options } = this;
    if (boxes < ENOUGH) return;
    if (this.looksOtherwise()) {
      const other = otherForm(this.form);
      throw new InputError(
        `${this.path}: the boxes look like ${FORMS[other]}, and ${FORMS[this.form]} is expected: read so, ` +
          `${this.wrong} of ${boxes} leave the image or have no area, the other way ${this.wrongOtherwise}`,
        {
          hint:
            `Read them as they are: ${this.option}=${other}. ` +
            `If they are right as they stand: ${this.option}=${this.form}.`,
        },
      );
    }
    if (options.declared === undefined && this.upToOne >= 0.98 * boxes) {
      throw new InputError(
        `${this.path}: the boxes look like shares of the image (${this.upToOne} of ${boxes} lie within 0..1)`,
        { hint: "Boxes are pixels of the original image here: multiply by its width and height." },
      );
    }
    if (this.outside >= Math.max(ENOUGH, 0.05 * boxes)) {
      throw new InputError(
        `${this.path}: ${this.outside} of ${boxes} boxes lie wholly outside their images`,
        {
          hint: "The sizes are wrong: of other pictures, of smaller copies, or with width and height exchanged.",
        },
      );
    }
    if (this.leaving >= 0.5 * boxes) {
      options.problems.note(
        "boxes-leaving",
        `${this.path}: ${this.leaving} of ${boxes} boxes leave the image by more than ${100 * BEYOND} %; ` +
          "were the pictures made smaller after they were annotated?",
      );
    }
  }

  /** Counts a box that was read elsewhere, for {@link finish}. */
  observe(found: Box<"image">, size: ImageSize): void {
    const { x1, y1, x2, y2 } = found;
    this.count(this.form === "xywh" ? [x1, y1, x2 - x1, y2 - y1] : [x1, y1, x2, y2], found, size);
  }

  /**
   * Whether the boxes that were read so far are the other form's: a fifth or more are wrong as they are read, and the other
   * way hardly any is. Amodal boxes leave the image a little in either form, but rightly read they hardly ever lose their area.
   */
  private looksOtherwise(): boolean {
    const { boxes, wrong } = this;
    return (
      this.options.declared === undefined &&
      boxes >= ENOUGH &&
      wrong >= 0.2 * boxes &&
      this.wrongOtherwise <= 0.25 * wrong &&
      this.emptyOtherwise <= 0.02 * boxes
    );
  }

  private get option(): string {
    return this.options.option ?? "boxes";
  }

  private otherwiseHint(what: string): string {
    const other = otherForm(this.form);
    return `${what} ${FORMS[other]}: if all are, say ${this.option}=${other}.`;
  }

  private count(numbers: Numbers, found: Box<"image">, size: ImageSize): void {
    const otherwise = toBox(numbers, otherForm(this.form));
    this.boxes++;
    if (leaves(found, size)) this.leaving++;
    if (!hasArea(found) || leaves(found, size)) this.wrong++;
    if (!hasArea(otherwise)) this.emptyOtherwise++;
    if (!hasArea(otherwise) || leaves(otherwise, size)) this.wrongOtherwise++;
    if (Math.min(...numbers) >= 0 && Math.max(...numbers) <= 1 && Math.min(size.width, size.height) > 2)
      this.upToOne++;
  }

  private noArea(numbers: Numbers, where: Where, field: string, size: ImageSize | undefined) {
    const [a, b, c, d] = numbers;
    const problem =
      this.form === "xywh" ? `has no area: width ${c}, height ${d}` : `has no area: [${a}, ${b}, ${c}, ${d}]`;
    const guess = toBox(numbers, otherForm(this.form));
    const looksOther =
      this.options.declared === undefined && hasArea(guess) && (size === undefined || fits(guess, size));
    const hint =
      `Boxes are ${FORMS[this.form]} here.` +
      (looksOther
        ? ` ${this.otherwiseHint("This one looks like")}`
        : this.looksOtherwise()
          ? ` ${this.otherwiseHint("Those so far look like")}`
          : "");
    return fieldError(where, field, problem, hint, "empty-box");
  }
}

type Numbers = readonly [number, number, number, number];

function otherForm(form: BoxForm): BoxForm {
  return form === "xywh" ? "xyxy" : "xywh";
}

function toBox([a, b, c, d]: Numbers, form: BoxForm): Box<"image"> {
  return form === "xywh" ? box<"image">(a, b, a + c, b + d) : box<"image">(a, b, c, d);
}

function hasArea(b: Box<"image">): boolean {
  return b.x2 > b.x1 && b.y2 > b.y1;
}

/** Beyond the right or the bottom edge: only that end is read differently in the two forms. */
function leaves(b: Box<"image">, { width, height }: ImageSize): boolean {
  return b.x2 > width * (1 + BEYOND) || b.y2 > height * (1 + BEYOND);
}

function isOutside(b: Box<"image">, { width, height }: ImageSize): boolean {
  return b.x1 >= width || b.y1 >= height || b.x2 <= 0 || b.y2 <= 0;
}

/** With a pixel of slack, as tools count the last pixel in or out. */
function fits(b: Box<"image">, { width, height }: ImageSize): boolean {
  return hasArea(b) && b.x1 >= -1 && b.y1 >= -1 && b.x2 <= width + 1 && b.y2 <= height + 1;
}
