/**
 * @file The scenes that exploits are tried on: nobody, one person, pairs that overlap, crowds, tiny people, ignore regions,
 * several labels. Only ground truth, no pictures: rewards never see any.
 */
import { createRng, deriveSeed, type Rng } from "../../base/rng.js";
import { iou, roundBox, type Box, type FrameSize } from "../../geometry/index.js";
import type { RewardTruth } from "../types.js";

/** A scene and which of its objects are hard. */
export interface AuditScene {
  readonly name: string;
  readonly truth: RewardTruth<"model">;
  /** Indices of objects that an honest response finds only every other time (those mostly behind others). */
  readonly hard: readonly number[];
}

type Labelled = RewardTruth<"model">["objects"][number];

/** How people stand in a scene. */
interface Layout {
  readonly size: FrameSize<"model">;
  readonly count: number;
  /** Height of a person as a share of the picture's. */
  readonly height: readonly [low: number, high: number];
  /** Share of people who stand partly behind the one before. */
  readonly behind: number;
  readonly labels?: readonly string[];
  readonly ignore?: readonly Box<"model">[];
}

const PERSON_ASPECT = 0.42;
/** A person who overlaps one before by this much is hard to tell from them. */
const HARD_IOU = 0.15;

function person({ size, height }: Layout, rng: Rng): Box<"model"> {
  const tall = size.height * rng.uniform(height[0], height[1]);
  const wide = Math.min(size.width, tall * PERSON_ASPECT);
  const [x, y] = [rng.uniform(0, size.width - wide), rng.uniform(0, size.height - tall)];
  return { x1: x, y1: y, x2: x + wide, y2: y + tall };
}

/** Somebody of the same build half a width to the right or left, and a little lower. */
function behind(front: Box<"model">, { size }: Layout, rng: Rng): Box<"model"> {
  const [wide, tall] = [front.x2 - front.x1, front.y2 - front.y1];
  const right = front.x2 + wide / 2 <= size.width;
  const x = Math.max(0, front.x1 + (right ? 1 : -1) * wide * rng.uniform(0.4, 0.55));
  const y = Math.min(Math.max(0, front.y1 + tall * rng.uniform(-0.05, 0.1)), size.height - tall);
  return { x1: x, y1: y, x2: x + wide, y2: y + tall };
}

function scene(name: string, seed: number, layout: Layout): AuditScene {
  const rng = createRng(deriveSeed(seed, "audit-scene", name));
  const { size, count, labels = ["person"], ignore = [] } = layout;
  const objects: Labelled[] = [];
  const hard: number[] = [];
  while (objects.length < count) {
    const last = objects.at(-1)?.box;
    const hides = last !== undefined && rng.next() < layout.behind && !hard.includes(objects.length - 1);
    // Whoever stands in front of nobody is looked for a free place, as long as there is one.
    let box = hides ? behind(last, layout, rng) : person(layout, rng);
    for (let tries = 0; !hides && tries < 60 && objects.some((o) => iou(o.box, box) > 0); tries++)
      box = person(layout, rng);
    const rounded = roundBox(box);
    if (objects.some((object) => iou(object.box, rounded) > HARD_IOU)) hard.push(objects.length);
    objects.push({ box: rounded, label: rng.pick(labels) });
  }
  return { name, truth: { size, objects, ignore }, hard };
}

/**
 * The spread that `dip-r1 audit` takes.
 * @param seed another seed, other places for the people. @default 1
 */
export function auditScenes(seed = 1): AuditScene[] {
  const vga = { width: 640, height: 480 };
  const wide = { width: 1344, height: 756 };
  const right = { x1: 440, y1: 0, x2: 640, y2: 480 };
  return [
    scene("nobody", seed, { size: vga, count: 0, height: [0, 0], behind: 0 }),
    scene("nobody but an ignore region", seed, { size: vga, count: 0, height: [0, 0], behind: 0, ignore: [right] }),
    scene("one person", seed, { size: vga, count: 1, height: [0.4, 0.6], behind: 0 }),
    scene("one person, close", seed, { size: { width: 448, height: 616 }, count: 1, height: [0.85, 0.95], behind: 0 }),
    scene("five apart", seed, { size: vga, count: 5, height: [0.2, 0.35], behind: 0 }),
    scene("two pairs and one", seed, { size: vga, count: 5, height: [0.3, 0.4], behind: 0.6 }),
    scene("six on a small picture", seed, { size: { width: 112, height: 112 }, count: 6, height: [0.3, 0.55], behind: 0.4 }),
    scene("eight beside an ignore region", seed, { size: vga, count: 8, height: [0.2, 0.3], behind: 0.4, ignore: [right] }),
    scene("twelve of three labels", seed, { size: wide, count: 12, height: [0.15, 0.3], behind: 0.3, labels: ["person", "car", "dog"] }),
    scene("crowd of 20", seed, { size: wide, count: 20, height: [0.2, 0.35], behind: 0.5 }),
    scene("thirty tiny", seed, { size: wide, count: 30, height: [0.02, 0.04], behind: 0.2 }),
    scene("crowd of 100", seed, { size: wide, count: 100, height: [0.08, 0.2], behind: 0.5 }),
  ]; // prettier-ignore
}
