/** @file The scene generator: crowded scenes with exact ground truth, drawn from nothing but a seed and an index. */
import { createRng, deriveSeed, type Rng } from "../../base/rng.js";
import { box, type Box } from "../../geometry/box.js";
import type { GroundTruthObject, Sample } from "../sample.js";
import { paintBackdrop } from "./backdrop.js";
import type { Colour } from "./colour.js";
import { adultHeight, farness, groundPlane, place, type GroundPlane, type Standing } from "./layout.js";
import { LOOK_STYLES, type LookStyle } from "./looks.js";
import { resolveSceneOptions, type ResolvedSceneOptions, type SceneOptions } from "./options.js";
import { Pen } from "./pen.js";
import { GROUND, GROUP, Raster, THING, type Extent } from "./raster.js";
import type { Thing } from "./things.js";

/** Goes up whenever the same options give other pixels or boxes; part of every fingerprint. */
export const SCENES_VERSION = 1;

/** The one class of generated scenes. */
export const SCENE_LABEL = "person";

/** A scene with the id-buffer its boxes were measured on. */
export interface RenderedScene {
  readonly sample: Sample;
  /** [height, width]: 0 = ground, i = the person objects[i - 1], 254 = a group (ignored), 255 = another thing. */
  readonly ids: Uint8Array;
}

/**
 * One scene. Boxes are whole pixels, tight to the person as drawn before anything hid it and clipped to the picture;
 * `visible` and `visibility` come from the id-buffer of the finished picture.
 * @throws InputError when an option is out of range.
 */
export function generateScene(options: SceneOptions): Sample {
  return renderScene(options).sample;
}

/** Like {@link generateScene}, with the id-buffer. */
export function renderScene(options: SceneOptions): RenderedScene {
  const o = resolveSceneOptions(options);
  const style = LOOK_STYLES[o.look];
  // One stream a part, so that replacing a person changes nothing else.
  const stream = (part: string) => createRng(deriveSeed(o.seed, "scene", o.look, o.index, part));
  const rng = stream("people");
  const plane = groundPlane(o, stream("camera"));
  const count = rng.int(o.people.min, o.people.max);
  const people: Standing[] = [];
  for (let i = 0; i < count; i++) people.push(place(style.figure(rng), people, plane, o, rng));
  const props = scatter(o, style, plane, stream("things")).filter((prop) => !stoodOn(prop, people, plane));
  const group = gather(o, style, plane, stream("group"));

  for (let round = 0; ; round++) {
    people.sort((a, b) => a.y - b.y);
    const raster = paint(o, style, plane, people, props, group, stream);
    const seen = raster.visible();
    const keep = people.map((_, i) => wellSeen(raster.painted(i + 1), seen[i + 1]!, o.minVisibility));
    if (keep.every(Boolean)) {
      style.finish(raster, plane, stream("sensor"));
      return { sample: toSample(o, raster, seen, people.length), ids: raster.ids };
    }
    // Hidden people move elsewhere; where that fails again and again they leave.
    const hidden = people.filter((_, i) => !keep[i]);
    const rest = people.filter((_, i) => keep[i]);
    people.length = 0;
    people.push(...rest);
    const room: ResolvedSceneOptions = { ...o, crowding: 0 };
    if (round < ROUNDS) for (const one of hidden) people.push(place(one.figure, people, plane, room, rng));
  }
}

/** How often hidden people are moved before they are dropped. */
const ROUNDS = 6;
/** A person of fewer visible pixels is no instance anyone could find. */
const MIN_PIXELS = 8;

function wellSeen(full: Extent, seen: Extent, minVisibility: number): boolean {
  return seen.pixels >= MIN_PIXELS && seen.pixels >= full.pixels * minVisibility;
}

interface Prop {
  readonly thing: Thing;
  readonly x: number;
  readonly y: number;
  readonly facing: 1 | -1;
}

function scatter(o: ResolvedSceneOptions, style: LookStyle, plane: GroundPlane, rng: Rng): Prop[] {
  const count = Math.floor(rng.uniform(0, 2 * o.distractors + 1));
  return Array.from({ length: count }, () => ({
    thing: style.thing(rng),
    x: rng.uniform(0, o.width),
    // Seldom in front of everything: they would hide the scene.
    y: rng.uniform(plane.far, plane.far + (plane.near - plane.far) * (rng.next() < 0.75 ? 0.55 : 1)),
    facing: rng.next() < 0.5 ? 1 : -1,
  }));
}

/** Nobody stands on a bench, in a bush or on a car. */
function stoodOn(prop: Prop, people: readonly Standing[], plane: GroundPlane): boolean {
  const unit = adultHeight(plane, prop.y);
  const deep = plane.perspective ? 0.1 * unit : Math.max(0.5, prop.thing.halfWidth) * unit;
  const back = plane.perspective ? prop.y : prop.y - 0.5 * unit;
  return people.some(
    (one) =>
      Math.abs(one.x - prop.x) < unit * prop.thing.halfWidth + one.height * 0.1 &&
      Math.abs(one.y - back) < deep,
  );
}

/** A far crowd whose people cannot be told apart. */
function gather(o: ResolvedSceneOptions, style: LookStyle, plane: GroundPlane, rng: Rng): Standing[] {
  if (rng.next() >= o.groups) return [];
  const size = adultHeight(plane, plane.far) * rng.uniform(0.5, 0.7);
  const y = plane.far - size * rng.uniform(0, 0.15);
  const count = rng.int(6, 12);
  const middle = rng.uniform(0.15, 0.85) * o.width;
  const spacing = size * rng.uniform(0.14, 0.2);
  return Array.from({ length: count }, (_, i) => {
    const figure = style.figure(rng);
    return {
      figure,
      x: middle + (i - (count - 1) / 2) * spacing + rng.uniform(-0.5, 0.5) * spacing,
      y: y + rng.uniform(-0.1, 0.1) * size,
      height: size * figure.stature,
      facing: rng.next() < 0.5 ? (1 as const) : (-1 as const),
    };
  }).sort((a, b) => a.y - b.y);
}

function paint(
  o: ResolvedSceneOptions,
  style: LookStyle,
  plane: GroundPlane,
  people: readonly Standing[],
  props: readonly Prop[],
  group: readonly Standing[],
  stream: (part: string) => Rng,
): Raster {
  const raster = new Raster(o.width, o.height);
  const air = style.air(stream("air"));
  paintBackdrop(raster, style.backdrop, plane, stream("backdrop"), air);
  const light = stream("light");
  const sun = {
    dx: light.uniform(-0.9, 0.9),
    dy: light.uniform(-0.25, 0.3),
    dark: style.shadow * light.next(),
  };

  const draw = (
    y: number,
    id: number,
    paintIt: (pen: Pen) => void,
    x: number,
    height: number,
    facing: 1 | -1,
  ) => {
    const away = farness(plane, y);
    const tint = (colour: Colour) => air(colour, away);
    raster.id = id;
    paintIt(new Pen(raster, { x, y, height, facing, tint }));
    raster.id = GROUND;
  };

  // Shadows lie on the ground, under everyone.
  for (const one of [...group, ...people]) {
    shadow(raster, one.x, one.y, one.height, one.figure.halfWidth * one.height, sun);
  }
  for (const prop of props) {
    const unit = adultHeight(plane, prop.y);
    shadow(raster, prop.x, prop.y, unit * prop.thing.tall, unit * prop.thing.halfWidth, sun);
  }
  for (const one of group) draw(one.y, GROUP, (pen) => one.figure.draw(pen), one.x, one.height, one.facing);

  const queue: { y: number; paintIt: () => void }[] = [
    ...people.map((one, i) => ({
      y: one.y,
      paintIt: () => draw(one.y, i + 1, (pen) => one.figure.draw(pen), one.x, one.height, one.facing),
    })),
    ...props.map((prop) => ({
      y: prop.y,
      paintIt: () =>
        draw(prop.y, THING, (pen) => prop.thing.draw(pen), prop.x, adultHeight(plane, prop.y), prop.facing),
    })),
  ];
  queue.sort((a, b) => a.y - b.y);
  for (const item of queue) item.paintIt();
  return raster;
}

interface Sun {
  readonly dx: number;
  readonly dy: number;
  readonly dark: number;
}

function shadow(raster: Raster, x: number, y: number, height: number, half: number, sun: Sun): void {
  raster.alpha = sun.dark;
  raster.capsule(x, y, x + sun.dx * height, y + sun.dy * height, half * 0.45, half * 0.35, 0x101418);
  raster.alpha = Math.min(1, sun.dark * 0.8 + 0.12);
  raster.ellipse(x, y, half * 0.95, half * 0.28, 0x101418);
  raster.alpha = 1;
}

function toSample(o: ResolvedSceneOptions, raster: Raster, seen: readonly Extent[], people: number): Sample {
  const objects: GroundTruthObject[] = [];
  for (let id = 1; id <= people; id++) {
    const full = raster.painted(id);
    const part = seen[id]!;
    objects.push({
      box: boxOf(full),
      visible: boxOf(part),
      visibility: part.pixels / full.pixels,
      label: SCENE_LABEL,
    });
  }
  const crowd = seen[GROUP]!;
  return {
    id: `${o.look}${o.dense ? "-dense" : ""}-${o.seed}-${String(o.index).padStart(6, "0")}`,
    image: { kind: "pixels", image: { width: raster.width, height: raster.height, data: raster.data } },
    width: o.width,
    height: o.height,
    objects,
    ignore: crowd.pixels > 0 ? [boxOf(raster.painted(GROUP))] : [],
  };
}

function boxOf(extent: Extent): Box<"image"> {
  return box<"image">(extent.x1, extent.y1, extent.x2, extent.y2);
}
