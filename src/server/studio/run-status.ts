/** @file Whether a run is training at this moment: what its manifest says, and whether a living process holds its folder. */
import { hostname } from "node:os";
import type { RunManifest } from "../../runs/index.js";
import type { RunStatus } from "./api.js";

/** lock.json of a run's folder (src/runs/run-folder.ts). */
interface Holder {
  readonly pid?: unknown;
  readonly host?: unknown;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Whether the lock is held; one of another machine is believed, as its processes cannot be seen from here. */
export function isHeld(lock: string | undefined): boolean {
  if (lock === undefined) return false;
  let holder: Holder | null;
  try {
    holder = JSON.parse(lock) as Holder | null;
  } catch {
    // Torn while it was written: nobody holds it.
    return false;
  }
  const { pid, host } = holder ?? {};
  if (typeof pid !== "number" || !Number.isInteger(pid) || pid <= 0) return false;
  return host !== hostname() || isAlive(pid);
}

/** A run's status. @param lock content of lock.json, where there is one */
export function runStatus({ state }: Pick<RunManifest, "state">, lock: string | undefined): RunStatus {
  if (state !== "running") return state;
  return isHeld(lock) ? "training" : "interrupted";
}
