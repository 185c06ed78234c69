/**
 * @file Honest responses to a scene: what a good policy says, and what one says that is still learning. They are what
 * exploits must not beat.
 */
import type { Rng } from "../../base/rng.js";
import { boundingBox, clipBox, iou, roundBox, type Box } from "../../geometry/index.js";
import { renderResponse, type LabelledBox } from "../../response/render.js";
import type { AuditScene } from "./scenes.js";

/** What a response says, before it is text. */
export interface Said {
  readonly answer: readonly LabelledBox<"model">[];
  readonly look: readonly Box<"model">[];
}

/** How well a policy does. */
export interface Skill {
  /** Chance to find an object that is easy to see, and one that is hard. */
  readonly easy: number;
  readonly hard: number;
  /** Standard deviation of an edge, as a share of the box's side. */
  readonly jitter: number;
  /** Boxes said of nobody, as a share of the objects there. */
  readonly invented: number;
}

/** F1 about 0.9 on scenes where some stand behind others. */
export const GOOD: Skill = { easy: 0.97, hard: 0.5, jitter: 0.03, invented: 0.03 };
/** F1 about 0.4: an early policy, which misses half, draws loosely and invents people. */
export const BEGINNER: Skill = { easy: 0.55, hard: 0.15, jitter: 0.11, invented: 0.4 };

/** The box with every edge off by a little, in whole pixels inside the picture. */
export function jittered(
  box: Box<"model">,
  { truth: { size } }: AuditScene,
  jitter: number,
  rng: Rng,
): Box<"model"> {
  const [wide, tall] = [box.x2 - box.x1, box.y2 - box.y1];
  const off = (value: number, side: number) => value + jitter * side * rng.normal();
  const [a, b, c, d] = [off(box.x1, wide), off(box.y1, tall), off(box.x2, wide), off(box.y2, tall)];
  const moved = { x1: Math.min(a, c), y1: Math.min(b, d), x2: Math.max(a, c), y2: Math.max(b, d) };
  return roundBox(clipBox(moved, size) ?? box);
}

/** One honest response: it says what it found and looks at those it finds hard to tell apart. */
export function honestResponse(scene: AuditScene, skill: Skill, rng: Rng): Said {
  const { objects, size } = scene.truth;
  const answer: LabelledBox<"model">[] = [];
  objects.forEach(({ box, label }, index) => {
    const chance = scene.hard.includes(index) ? skill.hard : skill.easy;
    if (rng.next() < chance) answer.push({ box: jittered(box, scene, skill.jitter, rng), label });
  });
  objects.forEach(({ box, label }) => {
    if (rng.next() >= skill.invented) return;
    const [wide, tall] = [box.x2 - box.x1, box.y2 - box.y1];
    const [x, y] = [rng.uniform(0, size.width - wide), rng.uniform(0, size.height - tall)];
    answer.push({ box: roundBox({ x1: x, y1: y, x2: x + wide, y2: y + tall }), label });
  });
  return { answer, look: scene.hard.map((index) => jittered(objects[index]!.box, scene, skill.jitter, rng)) };
}

/** The canonical text of what is said. */
export function textOf({ answer, look }: Said): string {
  return renderResponse({ think: "Some people.", look, answer });
}

/** The box of the answer that a policy may be surest of: the one that fits an object best. */
export function safest(
  { truth: { objects } }: AuditScene,
  answer: readonly LabelledBox<"model">[],
): readonly LabelledBox<"model">[] {
  const fit = ({ box }: LabelledBox<"model">) =>
    Math.max(0, ...objects.map((object) => iou(object.box, box)));
  const best = answer.toSorted((a, b) => fit(b) - fit(a))[0];
  return best === undefined ? [] : [best];
}

/** All objects of the scene in one box. */
export function merged({ truth: { objects } }: AuditScene): LabelledBox<"model">[] {
  if (objects.length === 0) return [];
  return [{ box: roundBox(boundingBox(objects.map(({ box }) => box))), label: objects[0]!.label }];
}
