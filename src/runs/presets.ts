/**
 * @file The two named sets of choices (design, 4.3 to 4.5): `paper`, our reading of DIP-R1 as published, and
 * `recommended`, what our own measurements favour. A recipe's own keys stand over its preset's.
 */

/** A partial recipe. */
export type PresetValues = Readonly<Record<string, unknown>>;

/** Every preset by name. */
export const presets = {
  paper: {
    rewards: {
      weights: { format: 0.5, look: 0.5, accuracy: 1 },
      accuracy: { shape: { kind: "linear", precisionWeight: 1, recallWeight: 1 } },
      look: { kind: "count-variance" },
    },
    grpo: { credit: { kind: "response" } },
  },
  recommended: {
    rewards: {
      weights: { format: 0.5, look: 0.25, accuracy: 1 },
      accuracy: { shape: { kind: "fbeta", beta: 1 } },
      // The grid kinds pay for looking at edges, and let stray boxes take from the others of a group (`dip-r1 audit`).
      look: { kind: "hit-variance", over: "others" },
    },
    grpo: { credit: { kind: "box", mix: 0.8, coordinates: 0.8 } },
  },
} as const satisfies Record<string, PresetValues>;

/** The name of a preset. */
export type PresetName = keyof typeof presets;

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * `over` laid on `under`, key by key. Two objects whose `kind` (or `format`) differ are different variants:
 * there `over` stands alone.
 */
export function mergeDeep(under: unknown, over: unknown): unknown {
  if (over === undefined) return under;
  if (!isPlain(under) || !isPlain(over)) return over;
  for (const tag of ["kind", "format"])
    if (tag in over && tag in under && over[tag] !== under[tag]) return over;
  const out: Record<string, unknown> = { ...under };
  for (const [key, value] of Object.entries(over)) out[key] = mergeDeep(out[key], value);
  return out;
}
