/** @file A clock that only runs while somebody sleeps, so that tests of patience take no time. */
import type { RetryTools } from "../../../src/engines/tinker/retry.js";

/** Tools for a client, and the time it has slept. */
export function fastTools(): RetryTools & { readonly slept: number[] } {
  let time = 0;
  const slept: number[] = [];
  return {
    slept,
    now: () => time,
    random: () => 0.5,
    async sleep(ms) {
      slept.push(ms);
      time += ms;
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}
