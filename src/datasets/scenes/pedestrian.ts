/** @file People as a camera at street height or on a mast sees them: walking or standing, dressed, some with bags. */
import type { Rng } from "../../base/rng.js";
import { mix, scaled, varied, type Colour } from "./colour.js";
import type { Figure } from "./figure.js";
import type { Pen } from "./pen.js";
import { sinCos } from "./raster.js";

const SKIN: readonly Colour[] = [0xf1c9a5, 0xe0ac84, 0xc68642, 0x8d5524, 0x5c3a21, 0xffdbc0];
const HAIR: readonly Colour[] = [0x1b1512, 0x3b2417, 0x6a4524, 0xb08d57, 0x8a8a88, 0xd8d2c4, 0x7a2f1a];
const TOPS: readonly Colour[] = [
  0xc0392b, 0x1f4e9c, 0x2e8b57, 0xe1a21b, 0x7d3c98, 0xf4f4f0, 0x20242b, 0x5d6d7e, 0xd35400, 0x16a085,
  0xe79ab5, 0x8c6a4f, 0x9bb7d4, 0x34495e,
];
const BOTTOMS: readonly Colour[] = [
  0x22304a, 0x1c1c1f, 0x4a4f57, 0x8b7b62, 0x3d5a80, 0x5a3e2b, 0xb9b3a5, 0x5b2333,
];
const BAGS: readonly Colour[] = [0x7b3f20, 0x1e1e1e, 0xb03a2e, 0x2c6e49, 0xd9b44a, 0x34507a];

interface Wardrobe {
  readonly skin: Colour;
  readonly hair: Colour;
  readonly top: Colour;
  readonly sleeve: Colour;
  readonly bottom: Colour;
  readonly shoe: Colour;
  readonly bag: Colour;
  readonly longHair: boolean;
  readonly hat: Colour | undefined;
  /** Bare forearms. */
  readonly shortSleeves: boolean;
  readonly lower: "trousers" | "shorts" | "skirt" | "coat";
  readonly carry: "nothing" | "backpack" | "handbag";
  /** Breadth, about 1. */
  readonly build: number;
}

/** A pedestrian with random body, clothes and pose. */
export function pedestrian(rng: Rng): Figure {
  const wear = wardrobe(rng);
  const child = rng.next() < 0.1;
  const stature = child ? rng.uniform(0.62, 0.8) : rng.uniform(0.9, 1.08);
  const walking = rng.next() < 0.7;
  const swing = walking ? rng.uniform(0.2, 0.5) * (rng.next() < 0.5 ? 1 : -1) : rng.uniform(-0.08, 0.08);
  if (rng.next() < 0.5) {
    return { stature, halfWidth: 0.12 + Math.abs(swing) * 0.2, draw: (pen) => drawSide(pen, wear, swing) };
  }
  const back = rng.next() < 0.4;
  const spread = rng.uniform(0.02, 0.06);
  const armsOut = rng.uniform(0.02, 0.1);
  return {
    stature,
    halfWidth: 0.17 * wear.build + armsOut * 0.4,
    draw: (pen) => drawFrontal(pen, wear, { swing, spread, armsOut, back }),
  };
}

function wardrobe(rng: Rng): Wardrobe {
  const top = varied(rng.pick(TOPS), 22, rng);
  const lower = rng.next();
  const carry = rng.next();
  return {
    skin: varied(rng.pick(SKIN), 10, rng),
    hair: varied(rng.pick(HAIR), 10, rng),
    top,
    sleeve: scaled(top, rng.uniform(0.72, 0.92)),
    bottom: varied(rng.pick(BOTTOMS), 16, rng),
    shoe: varied(rng.next() < 0.7 ? 0x1d1a1a : 0xd8d5d0, 12, rng),
    bag: varied(rng.pick(BAGS), 12, rng),
    longHair: rng.next() < 0.35,
    hat: rng.next() < 0.15 ? varied(rng.pick(TOPS), 20, rng) : undefined,
    shortSleeves: rng.next() < 0.4,
    lower: lower < 0.6 ? "trousers" : lower < 0.72 ? "shorts" : lower < 0.86 ? "skirt" : "coat",
    carry: carry < 0.6 ? "nothing" : carry < 0.8 ? "backpack" : "handbag",
    build: rng.uniform(0.88, 1.18),
  };
}

const HIP = 0.5;
const SHOULDER = 0.8;
const HEAD = 0.905;

function drawSide(pen: Pen, wear: Wardrobe, swing: number): void {
  const b = wear.build;
  // The far arm and leg first, a little darker.
  arm(pen, wear, 0, -swing, 0.75);
  leg(pen, wear, 0, swing, 0.78);
  leg(pen, wear, 0, -swing, 1);
  pen.limb(0, HIP + 0.03, 0.012, SHOULDER - 0.07, 0.08 * b, 0.092 * b, wear.top);
  lower(pen, wear, 0.085 * b, Math.abs(swing));
  if (wear.carry === "backpack") pen.block(-0.115 * b, 0.68, 0.055, 0.105, 0.03, wear.bag);
  arm(pen, wear, 0, swing, 1);
  if (wear.carry === "handbag") pen.block(-0.02, 0.42, 0.06, 0.045, 0.01, wear.bag);
  pen.limb(0.01, SHOULDER - 0.01, 0.015, HEAD - 0.05, 0.032, 0.03, wear.skin);
  pen.oval(0.022, HEAD, 0.058, 0.075, wear.skin);
  pen.oval(-0.006, HEAD + 0.025, 0.058, 0.06, wear.hair);
  if (wear.longHair) pen.limb(-0.035, HEAD + 0.01, -0.05, SHOULDER - 0.02, 0.035, 0.03, wear.hair);
  if (wear.hat !== undefined) {
    pen.limb(0, HEAD + 0.05, 0.085, HEAD + 0.042, 0.018, 0.012, wear.hat);
    pen.oval(0.005, HEAD + 0.055, 0.064, 0.045, wear.hat);
  }
}

interface FrontalPose {
  readonly swing: number;
  readonly spread: number;
  readonly armsOut: number;
  readonly back: boolean;
}

function drawFrontal(pen: Pen, wear: Wardrobe, pose: FrontalPose): void {
  const b = wear.build;
  const stride = pose.swing * 0.12;
  const shoulders = 0.125 * b;
  for (const side of [-1, 1] as const) {
    const hip = side * 0.055 * b;
    const foot = hip + side * pose.spread * 0.6;
    // Walking towards the camera, one foot is nearer: lower on the picture.
    const lift = 0.018 + (side * stride > 0 ? 0.045 : 0);
    const thigh = wear.lower === "trousers" ? wear.bottom : wear.lower === "shorts" ? wear.bottom : wear.skin;
    const shin = wear.lower === "trousers" ? wear.bottom : wear.skin;
    const shade = side < 0 ? 1 : 0.84;
    pen.limb(hip, HIP, (hip + foot) / 2, 0.27, 0.062 * b, 0.048 * b, scaled(thigh, shade));
    pen.limb((hip + foot) / 2, 0.27, foot, lift + 0.03, 0.046 * b, 0.034, scaled(shin, shade));
    pen.limb(foot, lift, foot + side * 0.012, lift, 0.03, 0.026, wear.shoe);
  }
  // From behind the backpack is painted over the torso below; from the front only its edges show.
  if (wear.carry === "backpack" && !pose.back) pen.block(0, 0.7, shoulders + 0.015, 0.09, 0.03, wear.bag);
  pen.block(0, (HIP + SHOULDER) / 2 + 0.015, shoulders, 0.165, 0.065, wear.top);
  pen.block(shoulders * 0.55, 0.65, shoulders * 0.45, 0.14, 0.05, wear.sleeve);
  lower(pen, wear, 0.11 * b, 0.1);
  if (pose.back && wear.carry === "backpack") pen.block(0, 0.68, 0.085 * b, 0.105, 0.035, wear.bag);
  for (const side of [-1, 1] as const) {
    const elbow = side * (shoulders + pose.armsOut * 0.5);
    const hand = side * (shoulders + pose.armsOut);
    const forearm = wear.shortSleeves ? wear.skin : wear.sleeve;
    pen.limb(side * shoulders, SHOULDER - 0.035, elbow, 0.63, 0.038, 0.033, wear.sleeve);
    pen.limb(elbow, 0.63, hand, 0.49, 0.031, 0.025, forearm);
    pen.oval(hand, 0.468, 0.026, 0.03, wear.skin);
  }
  if (wear.carry === "handbag") pen.block(shoulders + pose.armsOut, 0.4, 0.055, 0.05, 0.01, wear.bag);
  if (wear.longHair && !pose.back) pen.block(0, HEAD - 0.035, 0.07, 0.085, 0.05, wear.hair);
  pen.limb(0, SHOULDER, 0, HEAD - 0.05, 0.035, 0.033, wear.skin);
  if (pose.back) {
    pen.oval(0, HEAD, 0.06, 0.077, wear.hair);
    if (wear.longHair) pen.block(0, HEAD - 0.05, 0.056, 0.09, 0.04, wear.hair);
  } else {
    pen.oval(0, HEAD + 0.015, 0.064, 0.072, wear.hair);
    pen.oval(0, HEAD - 0.014, 0.05, 0.058, wear.skin);
  }
  if (wear.hat !== undefined) {
    pen.oval(0, HEAD + 0.05, 0.066, 0.045, wear.hat);
    pen.limb(-0.065, HEAD + 0.03, 0.065, HEAD + 0.03, 0.015, 0.015, scaled(wear.hat, 0.8));
  }
}

function lower(pen: Pen, wear: Wardrobe, half: number, stride: number): void {
  if (wear.lower === "skirt")
    pen.skirt(0, HIP + 0.06, 0.27, half * 0.85, half * 1.25 + stride * 0.06, wear.bottom);
  else if (wear.lower === "coat")
    pen.skirt(0, 0.64, 0.24, half, half * 1.2 + stride * 0.08, scaled(wear.top, 0.93));
  else pen.block(0, HIP + 0.015, half * 0.92, 0.05, 0.04, wear.bottom);
}

function leg(pen: Pen, wear: Wardrobe, hipX: number, angle: number, shade: number): void {
  const [sin, cos] = sinCos(angle);
  // The trailing leg bends at the knee.
  const [sinShin, cosShin] = sinCos(angle < 0 ? angle - 0.25 : angle);
  const b = wear.build;
  const kneeX = hipX + sin * 0.245;
  const kneeY = HIP - cos * 0.245;
  const footX = kneeX + sinShin * 0.225;
  const footY = Math.max(0.028, kneeY - cosShin * 0.225);
  const thigh = wear.lower === "trousers" || wear.lower === "shorts" ? wear.bottom : wear.skin;
  const shin = wear.lower === "trousers" ? wear.bottom : wear.skin;
  pen.limb(hipX, HIP, kneeX, kneeY, 0.068 * b, 0.05 * b, scaled(thigh, shade));
  pen.limb(kneeX, kneeY, footX, footY, 0.048 * b, 0.033, scaled(shin, shade));
  pen.limb(footX, footY, footX + 0.055, footY - 0.004, 0.028, 0.022, scaled(wear.shoe, shade));
}

function arm(pen: Pen, wear: Wardrobe, shoulderX: number, angle: number, shade: number): void {
  const [sin, cos] = sinCos(angle * 0.9);
  const [sinFore, cosFore] = sinCos(angle * 0.9 + 0.3);
  const elbowX = shoulderX + sin * 0.165;
  const elbowY = SHOULDER - 0.04 - cos * 0.165;
  const handX = elbowX + sinFore * 0.15;
  const handY = elbowY - cosFore * 0.15;
  const forearm = wear.shortSleeves ? wear.skin : wear.sleeve;
  pen.limb(shoulderX, SHOULDER - 0.04, elbowX, elbowY, 0.042, 0.035, scaled(wear.sleeve, shade));
  pen.limb(elbowX, elbowY, handX, handY, 0.032, 0.026, scaled(forearm, shade));
  pen.oval(handX, handY - 0.012, 0.027, 0.027, scaled(mix(wear.skin, 0, 0.05), shade));
}
