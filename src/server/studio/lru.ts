/** @file A map that forgets what was not used for longest, once it weighs too much. */

/** The map. */
export interface Lru<V> {
  get(key: string): V | undefined;
  set(key: string, value: V): void;
  delete(key: string): void;
}

/** @param limit total weight; a single value may weigh more and is then kept alone */
export function createLru<V>(limit: number, weigh: (value: V) => number): Lru<V> {
  const kept = new Map<string, V>();
  let weight = 0;
  const drop = (key: string) => {
    const value = kept.get(key);
    if (value === undefined) return;
    kept.delete(key);
    weight -= weigh(value);
  };
  return {
    get(key) {
      const value = kept.get(key);
      if (value !== undefined) {
        kept.delete(key);
        kept.set(key, value);
      }
      return value;
    },
    set(key, value) {
      drop(key);
      kept.set(key, value);
      weight += weigh(value);
      for (const old of kept.keys()) {
        if (weight <= limit || old === key) break;
        drop(old);
      }
    },
    delete: drop,
  };
}
