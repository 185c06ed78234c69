/** @file One image as every entry answered it, side by side as one picture: for files, of the same shapes as the page. Pure. */
import type { CompareImage } from "../../../src/server/studio/compare-api.js";
import { responseMarks } from "../group/response-marks.js";
import { displayList, type Shape } from "../overlay/display-list.js";
import type { Layer, Mark } from "../overlay/marks.js";
import { count, score, signed } from "../format.js";

/** What an entry did with an image, in words: "F1 0.857, 6 of 7 found, 1 false alarm". */
export function panelWords(image: CompareImage, entry: number, response: number): string {
  const { numbers, responses } = image.entries[entry]!;
  const one = responses[response];
  if (one === undefined) return "no response";
  const hits = one.matches.filter((match) => match >= 0).length;
  const alarms = one.matches.filter((match) => match === -1).length;
  const f1 = responses.length > 1 ? `mean F1 ${score(numbers.f1)}` : `F1 ${score(numbers.f1)}`;
  return `${f1}, ${hits} of ${image.truth.objects.length} found, ${count(alarms, "false alarm")}`;
}

/** How an image changed, in words. */
export function gainWords({ gain }: CompareImage): string {
  return gain === 0 ? "no difference" : signed(gain);
}

/** Marks of one entry's response. */
export function entryMarks(image: CompareImage, entry: number, response: number): Mark[] {
  const one = image.entries[entry]?.responses[response];
  return responseMarks(
    one && { regions: one.regions.map((box) => ({ box })), answer: one.answer, matches: one.matches },
    image.truth,
  );
}

/** Shapes and size of a picture of all entries. */
export interface SideBySide {
  readonly shapes: readonly Shape[];
  readonly width: number;
  readonly height: number;
  /** CSS pixels a pixel of the image. */
  readonly unit: number;
}

const TITLE = 44;
const GAP = 14;

/** @param options.panel width of one entry's picture, CSS pixels. @default 360 */
export function sideBySide(
  image: CompareImage,
  options: {
    readonly names: readonly string[];
    readonly response: number;
    readonly layers?: ReadonlySet<Layer>;
    readonly panel?: number;
    /** @default 3 */
    readonly columns?: number;
  },
): SideBySide {
  const { names, response, layers, panel = 360, columns = 3 } = options;
  const unit = panel / image.canvas.width;
  const tall = unit * image.canvas.height;
  const across = Math.min(columns, names.length);
  const down = Math.ceil(names.length / across);
  const width = across * panel + (across - 1) * GAP;
  const height = down * (tall + TITLE) + (down - 1) * GAP;
  const room = Math.floor(panel / 7.4);
  const cut = (text: string) => (text.length > room ? `${text.slice(0, room - 1)}…` : text);
  const shapes = names.flatMap((name, k): Shape[] => {
    const x = (k % across) * (panel + GAP);
    const y = Math.floor(k / across) * (tall + TITLE + GAP);
    return [
      { kind: "text", x, y: y + 15, text: cut(name), size: 14, colour: "#171b23" },
      { kind: "text", x, y: y + 33, text: cut(panelWords(image, k, response)), size: 12, colour: "#59616f" },
      ...displayList({
        view: { scale: unit, x, y: y + TITLE },
        scene: image.canvas,
        marks: entryMarks(image, k, response),
        ...(layers && { layers }),
      }),
    ];
  });
  return {
    shapes: [{ kind: "rect", rect: { x: 0, y: 0, width, height }, fill: "#ffffff" }, ...shapes],
    width,
    height,
    unit,
  };
}
