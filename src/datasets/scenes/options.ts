/** @file What can be asked of the scene generator, its defaults and its limits. */
import { InputError } from "../../base/errors.js";
import { MAX_PEOPLE } from "./raster.js";

/** `plaza` is in-domain; the others test what was never trained on. */
export const LOOKS = ["plaza", "night", "aerial", "fog", "objects"] as const;
/** The name of a look. */
export type Look = (typeof LOOKS)[number];

/** Both ends included. */
export interface MinMax {
  readonly min: number;
  readonly max: number;
}

/** One scene: the same options give the same bytes on every machine. */
export interface SceneOptions {
  /** @default "plaza" */
  readonly look?: Look;
  /** Any 32-bit integer. */
  readonly seed: number;
  /** Position in the dataset, 0 or more; scenes do not depend on each other. */
  readonly index: number;
  /** Pixels, 16..4096. */
  readonly width: number;
  readonly height: number;
  /** Annotated people, drawn uniformly; where so many do not fit without hiding each other, fewer stay. @default 1..8; dense 9..15 */
  readonly people?: MinMax;
  /** Chance, 0..1, that a person is put next to or behind another. @default 0.25, aerial 0.4; dense 0.7 */
  readonly crowding?: number;
  /** The dense slice: more and smaller people, closer together, more inseparable groups. @default false */
  readonly dense?: boolean;
  /** Height of an adult from the farthest to the nearest, as a share of the picture's height. @default by look */
  readonly personHeight?: MinMax;
  /** Mean number of things that are not people (trees, lamp posts, bins, signs, dogs ...). @default 3 */
  readonly distractors?: number;
  /** Chance of a far group too dense to separate, given as an ignore region. @default 0.12; dense 0.35 */
  readonly groups?: number;
  /** People of whom less than this share can be seen are not left in the scene. @default 0.15 */
  readonly minVisibility?: number;
}

/** Options with every default filled in. */
export type ResolvedSceneOptions = Required<SceneOptions>;

const HEIGHTS: Record<Look, { readonly usual: MinMax; readonly dense: MinMax }> = {
  plaza: { usual: { min: 0.24, max: 0.62 }, dense: { min: 0.18, max: 0.42 } },
  night: { usual: { min: 0.24, max: 0.62 }, dense: { min: 0.18, max: 0.42 } },
  fog: { usual: { min: 0.24, max: 0.62 }, dense: { min: 0.18, max: 0.42 } },
  objects: { usual: { min: 0.24, max: 0.62 }, dense: { min: 0.18, max: 0.42 } },
  aerial: { usual: { min: 0.14, max: 0.2 }, dense: { min: 0.11, max: 0.16 } },
};

/** Fills in defaults. @throws InputError naming the option that is out of range. */
export function resolveSceneOptions(options: SceneOptions): ResolvedSceneOptions {
  const look = options.look ?? "plaza";
  if (!LOOKS.includes(look)) {
    throw new InputError(`scenes: unknown look "${String(look)}"`, {
      hint: `Choose one of ${LOOKS.join(", ")}.`,
    });
  }
  const dense = options.dense ?? false;
  const resolved: ResolvedSceneOptions = {
    look,
    seed: options.seed,
    index: options.index,
    width: options.width,
    height: options.height,
    people: options.people ?? (dense ? { min: 9, max: 15 } : { min: 1, max: 8 }),
    crowding: options.crowding ?? (dense ? 0.7 : look === "aerial" ? 0.4 : 0.25),
    dense,
    personHeight: options.personHeight ?? HEIGHTS[look][dense ? "dense" : "usual"],
    distractors: options.distractors ?? 3,
    groups: options.groups ?? (dense ? 0.35 : 0.12),
    minVisibility: options.minVisibility ?? 0.15,
  };
  whole("seed", resolved.seed, -0x80000000, 0xffffffff);
  whole("index", resolved.index, 0, Number.MAX_SAFE_INTEGER);
  whole("width", resolved.width, 16, 4096);
  whole("height", resolved.height, 16, 4096);
  whole("people.min", resolved.people.min, 0, MAX_PEOPLE);
  whole("people.max", resolved.people.max, resolved.people.min, MAX_PEOPLE);
  within("crowding", resolved.crowding, 0, 1);
  within("personHeight.min", resolved.personHeight.min, 0.02, 1);
  within("personHeight.max", resolved.personHeight.max, resolved.personHeight.min, 1);
  within("distractors", resolved.distractors, 0, 100);
  within("groups", resolved.groups, 0, 1);
  within("minVisibility", resolved.minVisibility, 0, 0.9);
  return resolved;
}

function whole(name: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value)) throw new InputError(`scenes: ${name} must be a whole number, got ${value}`);
  within(name, value, min, max);
}

function within(name: string, value: number, min: number, max: number): void {
  if (!(value >= min && value <= max)) {
    throw new InputError(`scenes: ${name} must be within ${min}..${max}, got ${value}`);
  }
}
