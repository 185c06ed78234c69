/**
 * @file Other kinds of people for the out-of-domain looks: `figurine` (dolls, robots, round suits and robes in colours
 * no pedestrian wears) and `fromAbove` (a steep camera: head, shoulders, little else).
 */
import type { Rng } from "../../base/rng.js";
import { scaled, varied, type Colour } from "./colour.js";
import type { Figure } from "./figure.js";
import { sinCos } from "./raster.js";

const VIVID: readonly Colour[] = [
  0xff3b6b, 0x00c2d1, 0x9be000, 0xff9f1c, 0x8f5bff, 0xfff04d, 0x0a84ff, 0xf7f7f7, 0x2d2d34,
];
const FACES: readonly Colour[] = [0x69d36e, 0x5aa9ff, 0xffe08a, 0xd98cff, 0xf2f2f2, 0xff8f70];

/** A person of another shape: peg doll, robot, round suit or robe. */
export function figurine(rng: Rng): Figure {
  const body = varied(rng.pick(VIVID), 18, rng);
  const limbs = varied(rng.pick(VIVID), 18, rng);
  const face = varied(rng.pick(FACES), 18, rng);
  const crown = varied(rng.pick(VIVID), 18, rng);
  const stature = rng.uniform(0.75, 1.1);
  const kind = rng.int(0, 3);
  if (kind === 0) {
    return {
      stature,
      halfWidth: 0.2,
      draw: (pen) => {
        pen.skirt(0, 0.68, 0, 0.1, 0.2, body);
        pen.limb(0, 0.68, 0, 0.62, 0.11, 0.12, body);
        pen.skirt(0, 0.34, 0.24, 0.15, 0.165, limbs);
        pen.oval(0, 0.84, 0.15, 0.15, face);
        pen.oval(0, 0.93, 0.12, 0.06, crown);
      },
    };
  }
  if (kind === 1) {
    const reach = rng.uniform(0.02, 0.1);
    return {
      stature,
      halfWidth: 0.22 + reach,
      draw: (pen) => {
        for (const side of [-1, 1]) {
          pen.block(side * 0.085, 0.16, 0.045, 0.16, 0.01, limbs);
          pen.limb(side * 0.19, 0.66, side * (0.2 + reach), 0.4, 0.04, 0.035, limbs);
        }
        pen.block(0, 0.5, 0.17, 0.2, 0.02, body);
        pen.block(0, 0.52, 0.09, 0.07, 0.02, scaled(body, 0.6));
        pen.block(0, 0.81, 0.12, 0.1, 0.02, face);
        pen.limb(0, 0.9, 0, 0.97, 0.012, 0.02, crown);
      },
    };
  }
  if (kind === 2) {
    return {
      stature,
      halfWidth: 0.27,
      draw: (pen) => {
        for (const side of [-1, 1]) {
          pen.limb(side * 0.1, 0.2, side * 0.12, 0.05, 0.07, 0.05, limbs);
          pen.limb(side * 0.22, 0.56, side * 0.26, 0.38, 0.06, 0.045, limbs);
        }
        pen.oval(0, 0.43, 0.23, 0.29, body);
        pen.oval(0, 0.8, 0.17, 0.17, crown);
        pen.oval(0.03, 0.79, 0.12, 0.1, face);
      },
    };
  }
  return {
    stature,
    halfWidth: 0.21,
    draw: (pen) => {
      pen.skirt(0, 0.8, 0.01, 0.06, 0.21, body);
      pen.limb(-0.06, 0.6, -0.15, 0.42, 0.045, 0.055, limbs);
      pen.limb(0.06, 0.6, 0.15, 0.42, 0.045, 0.055, limbs);
      pen.oval(0, 0.82, 0.085, 0.09, face);
      pen.skirt(0, 1.0, 0.85, 0.01, 0.11, crown);
    },
  };
}

const CLOTHES: readonly Colour[] = [
  0xb03030, 0x2f5fa8, 0x2f8f5f, 0xd9a520, 0xececec, 0x24262c, 0x66727f, 0xd86a24, 0x8a4fa0,
];
const CROWNS: readonly Colour[] = [0x1b1512, 0x3b2417, 0x6a4524, 0xc09a60, 0xa0a09c, 0xe8d8c4, 0xb22222];

/** A pedestrian seen steeply from above; its height on the picture is that of head, shoulders and feet together. */
export function fromAbove(rng: Rng): Figure {
  const clothes = varied(rng.pick(CLOTHES), 18, rng);
  const legs = scaled(clothes, rng.uniform(0.35, 0.6));
  const crown = varied(rng.pick(CROWNS), 14, rng);
  const [sin, cos] = sinCos(rng.uniform(-Math.PI, Math.PI));
  const stature = rng.uniform(0.85, 1.12);
  const stride = rng.uniform(0.05, 0.16);
  const bag = rng.next() < 0.25 ? varied(rng.pick(VIVID), 30, rng) : undefined;
  return {
    stature,
    halfWidth: 0.25,
    draw: (pen) => {
      // Feet stand on the ground, the shoulders hide most of the legs, the head comes on top.
      pen.limb(0, 0.42, sin * stride - 0.05, 0.1 + cos * stride * 0.4, 0.11, 0.08, legs);
      pen.limb(0, 0.42, -sin * stride + 0.05, 0.1 - cos * stride * 0.4, 0.11, 0.08, scaled(legs, 0.8));
      const rx = 0.19 * cos;
      const ry = 0.12 * sin;
      if (bag !== undefined) pen.limb(-ry * 0.9, 0.5 + rx * 0.5, -ry, 0.46 + rx * 0.5, 0.12, 0.1, bag);
      pen.limb(-rx, 0.58 - ry, rx, 0.58 + ry, 0.14, 0.14, clothes);
      pen.limb(-rx * 0.5, 0.6 - ry * 0.5, rx * 0.5, 0.6 + ry * 0.5, 0.15, 0.15, scaled(clothes, 0.88));
      pen.oval(0, 0.78, 0.145, 0.155, crown);
    },
  };
}
