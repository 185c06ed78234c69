/** @file Compiled graphs by key: built once, the least recently used closed when there are too many. */
import type { Program } from "../../tensor/index.js";

/** A bounded store of programs. */
export interface ProgramCache {
  get(key: string, build: () => Promise<Program>): Promise<Program>;
  /** Graphs built so far, rebuilt ones counted again: a run logs it. */
  readonly built: number;
  close(): Promise<void>;
}

/** @param limit programs kept at a time: each holds the memory of its largest run. */
export function createProgramCache(limit: number): ProgramCache {
  const programs = new Map<string, Promise<Program>>();
  let built = 0;
  return {
    get built() {
      return built;
    },
    async get(key, build) {
      let program = programs.get(key);
      programs.delete(key);
      if (program === undefined) {
        built++;
        const building = (program = build());
        // A build that failed is tried again when it is asked for again.
        building.catch(() => programs.get(key) === building && programs.delete(key));
      }
      // Insertion order is the order of use.
      programs.set(key, program);
      if (programs.size > limit) {
        const [oldest, stale] = programs.entries().next().value!;
        programs.delete(oldest);
        await stale.then(
          (old) => old.close(),
          () => undefined,
        );
      }
      return program;
    },
    async close() {
      const open = [...programs.values()];
      programs.clear();
      const settled = await Promise.allSettled(open);
      await Promise.all(settled.map((each) => each.status === "fulfilled" && each.value.close()));
    },
  };
}
