/** @file `bench rewards`: how fast responses become rewards. */
import { cpus } from "node:os";
import { benchRewardsLocal, type LocalRewardsOptions } from "./rewards-local.js";

/** Options of {@link benchRewards}. */
export type BenchRewardsOptions = LocalRewardsOptions;

/** Prints everything. */
export function benchRewards(options: BenchRewardsOptions): void {
  console.log(`${cpus()[0]?.model ?? "unknown CPU"}, ${cpus().length} cores, Node ${process.version}`);
  benchRewardsLocal(options);
}
