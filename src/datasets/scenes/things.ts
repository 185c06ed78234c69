/** @file Distractors: things that stand in a scene, hide people and are not people. */
import type { Rng } from "../../base/rng.js";
import { scaled, varied } from "./colour.js";
import type { Pen } from "./pen.js";

/** A thing in units of an adult's height. */
export interface Thing {
  draw(pen: Pen): void;
  /** Ground room it takes, half-width, for its shadow. */
  readonly halfWidth: number;
  /** Height, for its shadow. */
  readonly tall: number;
}

/** Things seen from street height. */
export function streetThing(rng: Rng): Thing {
  const kind = rng.int(0, 8);
  if (kind <= 1) return tree(rng);
  if (kind === 2) return lampPost(rng);
  if (kind === 3) return sign(rng);
  if (kind === 4) return bin(rng);
  if (kind === 5) return bollard(rng);
  if (kind === 6) return bush(rng);
  if (kind === 7) return bench(rng);
  return dog(rng);
}

function tree(rng: Rng): Thing {
  const trunk = varied(0x5a4330, 14, rng);
  const leaf = varied(rng.pick([0x3f6b32, 0x567d3a, 0x2f5530, 0x8a7a30]), 16, rng);
  const tall = rng.uniform(1.3, 2);
  const wide = rng.uniform(0.3, 0.55);
  const blobs = Array.from({ length: 5 }, () => [
    rng.uniform(-0.6, 0.6) * wide,
    tall * rng.uniform(0.68, 0.95),
    rng.uniform(0.45, 0.8) * wide,
    rng.uniform(0.78, 1.15),
  ]);
  return {
    tall,
    halfWidth: wide,
    draw: (pen) => {
      pen.limb(0, 0, 0, tall * 0.7, 0.06, 0.04, trunk);
      for (const [x, y, r, shade] of blobs) pen.oval(x!, y!, r!, r! * 0.85, scaled(leaf, shade!));
    },
  };
}

function lampPost(rng: Rng): Thing {
  const metal = varied(0x4a4d52, 20, rng);
  const tall = rng.uniform(1.5, 2.3);
  const arm = rng.uniform(0.1, 0.3);
  return {
    tall,
    halfWidth: 0.05,
    draw: (pen) => {
      pen.limb(0, 0, 0, tall, 0.032, 0.02, metal);
      pen.limb(0, 0, 0, 0.12, 0.055, 0.045, metal);
      pen.limb(0, tall, arm, tall + 0.03, 0.018, 0.018, metal);
      pen.oval(arm, tall + 0.01, 0.065, 0.035, 0xfff2c8);
    },
  };
}

function sign(rng: Rng): Thing {
  const plate = varied(rng.pick([0xc8322b, 0x2458a6, 0xf2f2ee, 0xe2b31c, 0x2c7a45]), 16, rng);
  const round = rng.next() < 0.5;
  const tall = rng.uniform(0.9, 1.35);
  const size = rng.uniform(0.1, 0.18);
  return {
    tall,
    halfWidth: size,
    draw: (pen) => {
      pen.limb(0, 0, 0, tall, 0.02, 0.02, 0x8b8f94);
      if (round) {
        pen.oval(0, tall, size, size, 0xf4f4f4);
        pen.oval(0, tall, size * 0.8, size * 0.8, plate);
      } else {
        pen.block(0, tall, size * 1.3, size, 0.02, plate);
        pen.block(0, tall, size * 0.9, size * 0.2, 0.01, 0xf4f4f4);
      }
    },
  };
}

function bin(rng: Rng): Thing {
  const body = varied(rng.pick([0x2e5e3e, 0x3c4148, 0x6a4a2c, 0x2d4f7c]), 14, rng);
  const tall = rng.uniform(0.42, 0.6);
  const half = rng.uniform(0.13, 0.19);
  return {
    tall,
    halfWidth: half,
    draw: (pen) => {
      pen.skirt(0, tall, 0.02, half, half * 0.8, body);
      pen.oval(0, 0.02, half * 0.8, 0.03, scaled(body, 0.7));
      pen.oval(0, tall, half * 1.05, 0.05, scaled(body, 0.5));
    },
  };
}

function bollard(rng: Rng): Thing {
  const body = varied(rng.pick([0x55585c, 0x9a9a94, 0xb8342c]), 14, rng);
  const tall = rng.uniform(0.4, 0.58);
  return {
    tall,
    halfWidth: 0.06,
    draw: (pen) => {
      pen.limb(0, 0.04, 0, tall, 0.055, 0.05, body);
      pen.block(0, tall * 0.75, 0.052, 0.03, 0, 0xe8e8e0);
    },
  };
}

function bush(rng: Rng): Thing {
  const leaf = varied(rng.pick([0x3b6a35, 0x55813c, 0x6e7a34]), 16, rng);
  const wide = rng.uniform(0.22, 0.45);
  const tall = rng.uniform(0.3, 0.55);
  return {
    tall,
    halfWidth: wide,
    draw: (pen) => {
      pen.oval(-wide * 0.4, tall * 0.42, wide * 0.6, tall * 0.45, scaled(leaf, 0.85));
      pen.oval(wide * 0.42, tall * 0.4, wide * 0.58, tall * 0.42, scaled(leaf, 0.95));
      pen.oval(0, tall * 0.55, wide * 0.6, tall * 0.5, leaf);
    },
  };
}

function bench(rng: Rng): Thing {
  const wood = varied(0x7a5534, 16, rng);
  const half = rng.uniform(0.32, 0.46);
  return {
    tall: 0.45,
    halfWidth: half,
    draw: (pen) => {
      for (const side of [-1, 1])
        pen.limb(side * half * 0.85, 0, side * half * 0.85, 0.25, 0.025, 0.025, 0x2f3236);
      pen.block(0, 0.38, half, 0.06, 0.02, wood);
      pen.block(0, 0.24, half, 0.035, 0.02, scaled(wood, 0.8));
    },
  };
}

function dog(rng: Rng): Thing {
  const coat = varied(rng.pick([0x3a2a1e, 0xb58a56, 0xe4dccf, 0x1e1e20, 0x8a5a34]), 14, rng);
  const size = rng.uniform(0.75, 1.15);
  const step = rng.uniform(-0.05, 0.05);
  return {
    tall: 0.36 * size,
    halfWidth: 0.26 * size,
    draw: (pen) => {
      const s = size;
      for (const x of [-0.15, 0.12]) {
        pen.limb(x * s, 0.2 * s, (x + step) * s, 0.02, 0.03 * s, 0.022 * s, scaled(coat, 0.75));
        pen.limb((x + 0.04) * s, 0.2 * s, (x + 0.04 - step) * s, 0.02, 0.03 * s, 0.022 * s, coat);
      }
      pen.limb(-0.15 * s, 0.24 * s, 0.15 * s, 0.26 * s, 0.07 * s, 0.075 * s, coat);
      pen.limb(-0.2 * s, 0.27 * s, -0.28 * s, 0.38 * s, 0.022 * s, 0.012 * s, coat);
      pen.limb(0.17 * s, 0.29 * s, 0.23 * s, 0.36 * s, 0.05 * s, 0.05 * s, coat);
      pen.oval(0.26 * s, 0.37 * s, 0.07 * s, 0.05 * s, scaled(coat, 0.92));
    },
  };
}

/** Things seen from above; sizes in heights of a person as the same camera shows it. */
export function groundThing(rng: Rng): Thing {
  const kind = rng.int(0, 3);
  if (kind === 0) {
    const leaf = varied(rng.pick([0x3f6b32, 0x567d3a, 0x2f5530]), 16, rng);
    const r = rng.uniform(0.7, 1.5);
    const blobs = Array.from({ length: 7 }, () => [
      rng.uniform(-0.5, 0.5) * r,
      0.5 + rng.uniform(-0.5, 0.5) * r,
      rng.uniform(0.35, 0.6) * r,
      rng.uniform(0.8, 1.2),
    ]);
    return {
      tall: 1,
      halfWidth: r,
      draw: (pen) => {
        for (const [x, y, radius, shade] of blobs) pen.oval(x!, y!, radius!, radius!, scaled(leaf, shade!));
      },
    };
  }
  if (kind === 1) {
    const paint = varied(rng.pick([0xb03030, 0xe8e8e8, 0x30343a, 0x2f5fa8, 0xa8adb2]), 12, rng);
    return {
      tall: 0.5,
      halfWidth: 1.1,
      draw: (pen) => {
        pen.block(0, 0.5, 1.35, 0.58, 0.25, paint);
        pen.block(-0.1, 0.5, 0.7, 0.46, 0.15, scaled(paint, 0.45));
        pen.block(-0.12, 0.5, 0.42, 0.44, 0.1, scaled(paint, 0.92));
      },
    };
  }
  if (kind === 2) {
    const lid = varied(0x4a4f57, 20, rng);
    return {
      tall: 0.2,
      halfWidth: 0.25,
      draw: (pen) => {
        pen.oval(0, 0.3, 0.26, 0.26, lid);
        pen.oval(0, 0.3, 0.17, 0.17, scaled(lid, 0.55));
      },
    };
  }
  const wood = varied(0x7a5534, 16, rng);
  const upright = rng.next() < 0.5;
  return {
    tall: 0.2,
    halfWidth: 0.5,
    draw: (pen) => {
      for (let i = -1; i <= 1; i++) {
        if (upright) pen.block(i * 0.14, 0.4, 0.055, 0.6, 0.02, scaled(wood, 1 - 0.08 * i));
        else pen.block(0, 0.4 + i * 0.14, 0.6, 0.055, 0.02, scaled(wood, 1 - 0.08 * i));
      }
    },
  };
}
