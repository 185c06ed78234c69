/** @file The error tree: one class per exit code, each with a hint that says what to do. */

/** What went wrong, where, and what to do about it. Every error the user can cause is a DipError. */
export class DipError extends Error {
  override readonly name: string = "DipError";
  /** One sentence of advice; printed under the message. */
  readonly hint?: string;

  constructor(message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    if (options.hint !== undefined) this.hint = options.hint;
  }
}

/** Bad usage or bad input: the command line exits with 2. */
export class InputError extends DipError {
  override readonly name = "InputError";
}

/** The machine lacks what was asked for (a GPU adapter, a library): the command line exits with 1. */
export class UnavailableError extends DipError {
  override readonly name = "UnavailableError";
}

/** A tensor program that cannot be built: shapes or types that do not fit. A programming error. */
export class ShapeError extends DipError {
  override readonly name = "ShapeError";
}

/** Anything thrown, as an Error. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
