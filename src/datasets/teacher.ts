/**
 * @file The teacher's response for SFT, made from ground truth: a scene sentence that depends on the sample (count, density,
 * where), look regions where ground-truth boxes crowd, and all boxes left to right.
 */
import {
  boundingBox,
  boxArea,
  boxCenter,
  clipBox,
  compareReadingOrder,
  connectedGroups,
  imageToModel,
  roundBox,
  type Box,
  type FrameSize,
} from "../geometry/index.js";
import { renderResponse, type LabelledBox, type ResponseStyle } from "../response/render.js";
import type { GroundTruthObject, Sample } from "./sample.js";

/** Boxes crowd where they are connected by IoU above this. */
export const CROWD_IOU = 0.15;
/** A box alone is worth a look if less of its object than this can be seen. */
export const LOW_VISIBILITY = 0.6;
/** The scene sentence names a place that holds at least this share of the centres. */
const MOSTLY = 0.6;

/**
 * Every word of the scene sentence, beside whole numbers, commas, the full stop and single spaces: a compact tokenizer needs
 * no other. The sentence is
 *
 *     no (people|objects).
 *     COUNT (person|people|object|objects), (apart|partly crowded|crowded), (mostly [top|bottom] [left|middle|right]|spread).
 */
export const TEACHER_VOCABULARY = [
  "no",
  "person",
  "people",
  "object",
  "objects",
  "apart",
  "partly",
  "crowded",
  "mostly",
  "left",
  "middle",
  "right",
  "top",
  "bottom",
  "spread",
] as const;

/** Options of {@link teacherResponse}. */
export interface TeacherOptions {
  /** Size of the picture the model is shown (after smart-resize); the response is in its pixels. */
  readonly modelSize: FrameSize<"model">;
  /** Keep objects of these labels only. @default all */
  readonly labels?: readonly string[];
  /** @default "objects" */
  readonly style?: ResponseStyle;
}

/** A teacher's response, as text and as what the text says. Boxes are whole numbers inside the picture, in reading order. */
export interface TeacherResponse {
  readonly text: string;
  readonly think: string;
  readonly look: readonly Box<"model">[];
  readonly answer: readonly LabelledBox<"model">[];
}

interface Placed extends LabelledBox<"model"> {
  /** Clipped to the picture, not yet rounded. */
  readonly box: Box<"model">;
  readonly visibility: number;
}

/** Share of the object that can be seen: as annotated, else visible area over full area, else 1. */
export function visibilityOf(object: GroundTruthObject): number {
  if (object.visibility !== undefined) return object.visibility;
  if (object.visible === undefined) return 1;
  const full = boxArea(object.box);
  return full > 0 ? Math.min(1, boxArea(object.visible) / full) : 1;
}

/** Makes the teacher's response. Objects wholly outside the picture are left out, those partly outside are clipped. */
export function teacherResponse(sample: Omit<Sample, "image">, options: TeacherOptions): TeacherResponse {
  const { modelSize, labels, style } = options;
  const sizes = { image: { width: sample.width, height: sample.height }, model: modelSize };
  const placed = sample.objects
    .filter((object) => labels === undefined || labels.includes(object.label))
    .flatMap((object): Placed[] => {
      const box = clipBox(imageToModel(object.box, sizes), modelSize);
      return box === undefined ? [] : [{ box, label: object.label, visibility: visibilityOf(object) }];
    })
    .sort((a, b) => compareReadingOrder(a.box, b.box));
  const groups = crowdedGroups(placed);
  const look = groups
    .map((group) => roundBox(boundingBox(group.map(({ box }) => box))))
    .sort(compareReadingOrder);
  const answer = placed
    .map(({ box, label }) => ({ box: roundBox(box), label }))
    .sort((a, b) => compareReadingOrder(a.box, b.box));
  const named = labels ?? placed.map(({ label }) => label);
  const think = sceneSentence(placed, groups.flat().length, modelSize, named);
  return { text: renderResponse({ think, look, answer, ...(style && { style }) }), think, look, answer };
}

/** Groups connected by IoU, and single boxes of which little can be seen. */
function crowdedGroups(placed: readonly Placed[]): Placed[][] {
  return connectedGroups(
    placed.map(({ box }) => box),
    CROWD_IOU,
  )
    .map((group) => group.map((index) => placed[index]!))
    .filter((group) => group.length > 1 || group[0]!.visibility < LOW_VISIBILITY);
}

function sceneSentence(
  placed: readonly Placed[],
  crowded: number,
  size: FrameSize<"model">,
  labels: readonly string[],
): string {
  const people = labels.every((label) => label === "person" || label === "pedestrian");
  const count = placed.length;
  if (count === 0) return people ? "no people." : "no objects.";
  const noun = people ? (count === 1 ? "person" : "people") : count === 1 ? "object" : "objects";
  const density = crowded === 0 ? "apart" : crowded * 2 < count ? "partly crowded" : "crowded";
  return `${count} ${noun}, ${density}, ${whereabouts(placed, size)}.`;
}

/** The third of the picture, each way, that holds most centres. */
function whereabouts(placed: readonly Placed[], size: FrameSize<"model">): string {
  const centers = placed.map(({ box }) => boxCenter(box));
  const third = (shares: readonly number[], names: readonly string[]): string | undefined =>
    names.find((_, i) => {
      const inside = shares.filter((share) => Math.min(2, Math.floor(share * 3)) === i).length;
      return inside >= MOSTLY * placed.length;
    });
  const across = third(
    centers.map(({ x }) => x / size.width),
    ["left", "middle", "right"],
  );
  const down = third(
    centers.map(({ y }) => y / size.height),
    ["top", "", "bottom"],
  );
  const words = [down, across].filter((word) => word !== undefined && word !== "");
  return words.length === 0 ? "spread" : `mostly ${words.join(" ")}`;
}
