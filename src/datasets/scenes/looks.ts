/** @file The looks: which people, which things, which ground, which air and which sensor make a domain. */
import type { Rng } from "../../base/rng.js";
import type { BackdropStyle } from "./backdrop.js";
import { mix, rgb, scaled, type Colour } from "./colour.js";
import { addNoise, expose, nightfall, soften, type LightPool } from "./effects.js";
import type { Figure } from "./figure.js";
import type { GroundPlane } from "./layout.js";
import type { Look } from "./options.js";
import { figurine, fromAbove } from "./other-people.js";
import { pedestrian } from "./pedestrian.js";
import type { Raster } from "./raster.js";
import { groundThing, streetThing, type Thing } from "./things.js";

/** What a look decides. */
export interface LookStyle {
  readonly figure: (rng: Rng) => Figure;
  readonly thing: (rng: Rng) => Thing;
  readonly backdrop: BackdropStyle;
  /** Darkness of shadows, 0..1. */
  readonly shadow: number;
  /** The air of one scene: what it makes of a colour at farness 0..1. */
  air(rng: Rng): (colour: Colour, farness: number) => Colour;
  /** Light and sensor, over the finished picture. */
  finish(raster: Raster, plane: GroundPlane, rng: Rng): void;
}

const STREET: BackdropStyle = {
  ground: [0xb4aca0, 0x9a9c9e, 0xc2b59b, 0x8d8378, 0xa7a79a, 0x7f8588],
  wall: [0xa88f78, 0x8f9aa6, 0xc9bda6, 0x7a6558, 0xb5b5ae, 0x6f7f6a, 0x9fc0de],
  tiles: 0.65,
};

const CLEAR = () => (colour: Colour, farness: number) => mix(colour, 0xb8c0c8, farness * 0.12);

function daylight(raster: Raster, _plane: GroundPlane, rng: Rng): void {
  if (rng.next() < 0.4) soften(raster);
  const gain = rng.uniform(0.8, 1.15);
  const warm = rng.uniform(-0.06, 0.06);
  expose(raster, [gain * (1 + warm), gain, gain * (1 - warm)], rng.uniform(-8, 10));
  addNoise(raster, rng.uniform(1, 5), rng);
}

/** Every look by its name. */
export const LOOK_STYLES: Record<Look, LookStyle> = {
  plaza: {
    figure: pedestrian,
    thing: streetThing,
    backdrop: STREET,
    shadow: 0.32,
    air: CLEAR,
    finish: daylight,
  },
  night: {
    figure: pedestrian,
    thing: streetThing,
    backdrop: { ...STREET, ground: STREET.ground.map((c) => scaled(c, 0.85)) },
    shadow: 0.18,
    air: CLEAR,
    finish: (raster, plane, rng) => {
      const ambient = rng.uniform(0.24, 0.38);
      const pools: LightPool[] = Array.from({ length: rng.int(1, 4) }, () => {
        const reach = rng.uniform(0.2, 0.5) * raster.width;
        return {
          x: rng.uniform(0, raster.width),
          y: rng.uniform(plane.far * 0.8, raster.height),
          rx: reach,
          ry: reach * rng.uniform(0.5, 1),
          strength: rng.uniform(0.25, 0.7),
        };
      });
      nightfall(raster, [ambient * 0.85, ambient * 0.92, ambient * 1.15], pools);
      if (rng.next() < 0.5) soften(raster);
      expose(raster, [1, 1, 1.04], rng.uniform(2, 10));
      addNoise(raster, rng.uniform(7, 14), rng);
    },
  },
  fog: {
    figure: pedestrian,
    thing: streetThing,
    backdrop: STREET,
    shadow: 0.08,
    air: (rng) => {
      const grey = rng.uniform(175, 220);
      const white = rgb(grey, grey + 3, grey + 6);
      const near = rng.uniform(0.15, 0.35);
      const far = rng.uniform(0.66, 0.84);
      return (colour, farness) => mix(colour, white, near + (far - near) * farness);
    },
    finish: (raster, _plane, rng) => {
      soften(raster);
      const gain = rng.uniform(0.92, 1.05);
      expose(raster, [gain, gain, gain], 0);
      addNoise(raster, rng.uniform(1.5, 4), rng);
    },
  },
  objects: {
    figure: figurine,
    thing: streetThing,
    backdrop: {
      ground: [0x3f6f86, 0x6b4f7a, 0x2f7a5c, 0xd9b77a, 0xc46b5a],
      wall: [0x20324a, 0xf0d8a0, 0x5a2f4a, 0x90d0c8],
      tiles: 0.8,
    },
    shadow: 0.28,
    air: CLEAR,
    finish: daylight,
  },
  aerial: {
    figure: fromAbove,
    thing: groundThing,
    backdrop: { ground: [0x8f9294, 0xa9a294, 0x7b7f78, 0x6f8a58, 0xb9ad95], wall: STREET.wall, tiles: 0.5 },
    shadow: 0.38,
    air: () => (colour) => colour,
    finish: daylight,
  },
};
