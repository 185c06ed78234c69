/** @file What one check of the doctor says. */
import { DipError, toError } from "../base/index.js";

/** `skip` = could not be checked, because something before it failed or was not given. */
export type CheckStatus = "pass" | "warn" | "fail" | "skip";

/** What one check found. */
export interface Check {
  /** Short name, the same in every run. */
  readonly name: string;
  readonly status: CheckStatus;
  /** What was seen. */
  readonly found: string;
  /** What to do about it; absent where all is well. */
  readonly advice?: string;
}

/** Makes a check; advice is for what is not well. */
export function check(name: string, status: CheckStatus, found: string, advice?: string): Check {
  return { name, status, found, ...(advice !== undefined && status !== "pass" && { advice }) };
}

/** A check that an error fails, its hint the advice. */
export function failed(name: string, thrown: unknown): Check {
  const error = toError(thrown);
  return check(name, "fail", error.message, error instanceof DipError ? error.hint : undefined);
}
