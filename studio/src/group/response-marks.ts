/** @file A response and its ground truth as marks on the picture, each with what became of it in words. */
import type { CanvasTruth, Corners } from "../../../src/server/studio/api.js";
import type { ExplainedBox, ExplainedMiss, ExplainedResponse, NoPair } from "../../../src/rewards/index.js";
import type { Box } from "../../../src/geometry/box.js";
import type { Mark, MarkState } from "../overlay/marks.js";

/** What of a response is drawn; boxes on the canvas of the truth. */
export interface MarkedResponse {
  readonly regions: readonly { readonly box: Corners }[];
  readonly answer: readonly {
    readonly box: Corners;
    readonly label?: string;
    readonly probability?: number;
  }[];
  /** Object that each answer box hit, -1 = none, -2 = in an ignore region. */
  readonly matches: readonly number[];
  readonly explained?: Explained | undefined;
}

/** What explains a response; evaluations know nothing of the look. */
export type Explained = Pick<ExplainedResponse, "answer"> & Partial<Pick<ExplainedResponse, "look">>;

/** Ids of marks; the text and the tables use the same. */
export const markId = {
  answer: (index: number) => `answer:${index}`,
  look: (index: number) => `look:${index}`,
  truth: (index: number) => `truth:${index}`,
  ignore: (index: number) => `ignore:${index}`,
};

/** A box from its four numbers. */
export function boxOf([x1, y1, x2, y2]: Corners): Box {
  return { x1, y1, x2, y2 };
}

const short = (value: number) => String(Math.round(10 * value) / 10);

/** Four numbers in brackets, to a tenth. */
export function cornersInWords(corners: Corners): string {
  return `[${corners.map(short).join(", ")}]`;
}

const two = (value: number) => value.toFixed(2);

/** Why a box and an object are no pair. */
export const noPairWords: Readonly<Record<NoPair, string>> = {
  iou: "too little overlap",
  label: "another label",
  taken: "another box has it",
};

/** What became of an answer box, in words; objects are counted from 1. */
export function verdictInWords({ verdict, object, iou, because }: ExplainedBox): string {
  const near = object === undefined ? "" : `object ${object + 1} at IoU ${two(iou ?? 0)}`;
  switch (verdict) {
    case "hit":
      return `hits ${near}`;
    case "duplicate":
      return `duplicate: ${near} went to another box`;
    case "ignored":
      return "in an ignore region, does not count";
    case "false-positive":
      return near === ""
        ? "false alarm: nothing is there"
        : `false alarm: nearest is ${near}, ${noPairWords[because ?? "iou"]}`;
  }
}

/** Why an object was missed, in words; answers are counted from 1. */
export function missInWords({ nearest }: ExplainedMiss): string {
  if (nearest === undefined) return "missed: no answer is near";
  const why = nearest.because === "taken" ? "which hit another object" : noPairWords[nearest.because];
  return `missed: nearest is answer ${nearest.index + 1} at IoU ${two(nearest.iou)}, ${why}`;
}

/** How much of the doubt a look region covers, in words; nothing where it was not explained. */
export function lookInWords(explained: Explained | undefined, index: number): string | undefined {
  const look = explained?.look;
  if (look === undefined) return undefined;
  if (look.kind === "grid") {
    const region = look.regions[index];
    if (region === undefined) return undefined;
    if (!look.any) return "the group agrees everywhere: there was nothing to look at";
    return `covers ${Math.round(100 * region.share)}% of the disagreement (${region.cells} cells, mean ${two(region.mean)})`;
  }
  const region = look.regions[index];
  if (region === undefined) return undefined;
  return region.instance === undefined
    ? `finds no uncertain instance (nearest IoU ${two(region.iou)})`
    : `finds uncertain instance ${region.instance + 1} at IoU ${two(region.iou)}`;
}

function stateOf(match: number, index: number, explained: Explained | undefined, known: boolean): MarkState {
  const verdict = explained?.answer.boxes[index]?.verdict;
  if (verdict !== undefined) return verdict;
  if (!known) return "plain";
  return match >= 0 ? "hit" : match === -2 ? "ignored" : "false-positive";
} // prettier-ignore

const bare: Readonly<Record<string, string>> = {
  hit: "hit",
  "false-positive": "false alarm",
  ignored: "in an ignore region, does not count",
  duplicate: "duplicate",
  plain: "",
};

const sentence = (parts: readonly (string | undefined)[]) =>
  parts.filter((part) => part !== undefined && part !== "").join(", ");

/**
 * All marks of a response: answers, look regions, objects, ignore regions.
 * @param truth absent where nothing is known of the picture (Detect): answers are then neither hits nor false alarms
 */
export function responseMarks(response: MarkedResponse | undefined, truth?: CanvasTruth): Mark[] {
  const explained = response?.explained;
  const answers = (response?.answer ?? []).map(({ box, label, probability }, index): Mark => {
    const match = response!.matches[index] ?? -1;
    const state = stateOf(match, index, explained, truth !== undefined);
    const one = explained?.answer.boxes[index];
    const said =
      one === undefined ? (state === "hit" ? `hits object ${match + 1}` : bare[state]) : verdictInWords(one);
    return {
      id: markId.answer(index),
      layer: "answer",
      state,
      box: boxOf(box),
      number: index + 1,
      words: sentence([
        `Answer ${index + 1}`,
        label,
        said,
        probability === undefined ? undefined : `probability ${two(probability)}`,
        cornersInWords(box),
      ]),
    };
  });
  const regions = (response?.regions ?? []).map(({ box }, index): Mark => ({
    id: markId.look(index),
    layer: "look",
    state: "plain",
    box: boxOf(box),
    number: index + 1,
    words: sentence([`Look region ${index + 1}`, lookInWords(explained, index), cornersInWords(box)]),
  }));
  const hitBy = new Map(
    (response?.matches ?? []).flatMap((object, index) => (object >= 0 ? [[object, index] as const] : [])),
  );
  const objects = (truth?.objects ?? []).map(({ box, label }, index): Mark => {
    const by = hitBy.get(index);
    const miss = explained?.answer.missed.find(({ object }) => object === index);
    const state = response === undefined ? "plain" : by === undefined ? "missed" : "found";
    const said =
      state === "plain"
        ? undefined
        : by !== undefined
          ? `found by answer ${by + 1}`
          : miss === undefined
            ? "missed"
            : missInWords(miss);
    return {
      id: markId.truth(index),
      layer: "truth",
      state,
      box: boxOf(box),
      number: index + 1,
      words: sentence([`Object ${index + 1}`, label, said, cornersInWords(box)]),
    };
  });
  const ignored = (truth?.ignore ?? []).map((box, index): Mark => ({
    id: markId.ignore(index),
    layer: "ignore",
    state: "plain",
    box: boxOf(box),
    number: index + 1,
    words: `Ignore region ${index + 1}: neither hits nor false alarms count here, ${cornersInWords(box)}`,
  }));
  return [...answers, ...regions, ...objects, ...ignored];
}

/** Marks that belong together with one: the object an answer hit and the answer that hit an object. */
export function partnerOf(id: string | undefined, matches: readonly number[]): string | undefined {
  const [layer, text] = id?.split(":") ?? [];
  const index = Number(text);
  if (layer === "answer") {
    const object = matches[index] ?? -1;
    return object >= 0 ? markId.truth(object) : undefined;
  }
  if (layer !== "truth") return undefined;
  const by = matches.indexOf(index);
  return by < 0 ? undefined : markId.answer(by);
}
