/** @file Seeded random numbers whose state can be written down and taken up again (pure-rand's xoroshiro128+). */
import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { uniformInt } from "pure-rand/distribution/uniformInt";
import { xoroshiro128plus, xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";

/** A stream of random numbers. The same seed gives the same stream on every machine. */
export interface Rng {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform integer, both ends included. */
  int(min: number, max: number): number;
  /** Uniform in [min, max). */
  uniform(min: number, max: number): number;
  /** Standard normal (Box-Muller). */
  normal(): number;
  /** One element, uniformly. */
  pick<T>(items: readonly T[]): T;
  /** The whole state, to be handed to {@link rngFromState}. */
  state(): readonly number[];
}

type Generator = ReturnType<typeof xoroshiro128plus>;

function wrap(generator: Generator): Rng {
  const next = () => uniformFloat64(generator);
  return {
    next,
    int: (min, max) => uniformInt(generator, min, max),
    uniform: (min, max) => min + (max - min) * next(),
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    pick: (items) => items[uniformInt(generator, 0, items.length - 1)]!,
    state: () => generator.getState(),
  };
}

/** A stream from a seed (any 32-bit integer). */
export function createRng(seed: number): Rng {
  return wrap(xoroshiro128plus(seed | 0));
}

/** The stream that goes on where `rng.state()` was taken. */
export function rngFromState(state: readonly number[]): Rng {
  return wrap(xoroshiro128plusFromState(state));
}

/**
 * A seed for a named part of a run, so that adding one part never shifts the numbers of another
 * (FNV-1a over the base seed and the names).
 */
export function deriveSeed(seed: number, ...names: readonly (string | number)[]): number {
  let hash = 0x811c9dc5 ^ (seed | 0);
  for (const character of names.join("/")) {
    hash ^= character.codePointAt(0)!;
    hash = Math.imul(hash, 0x01000193);
  }
  // Murmur3's finaliser: neighbouring seeds must not give neighbouring streams.
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) | 0;
}

/** A copy in random order (Fisher-Yates). */
export function shuffled<T>(items: readonly T[], rng: Rng): T[] {
  const out = items.slice();
  for (let i = out.length - 1; i > 0; i--) {
    const j = rng.int(0, i);
    [out[i], out[j]] = [out[j]!, out[i]!];
  }
  return out;
}
