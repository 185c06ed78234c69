/** @file What every command shares: where results and messages go, and how an error becomes words and an exit code. */
import { once } from "node:events";
import picocolors from "picocolors";
import { createLogger, DipError, InputError, toError, type Logger } from "../base/index.js";

/** Exit codes of the command line. */
export const exitCodes = { done: 0, failure: 1, usage: 2 } as const;

/** What a command is handed. */
export interface CliContext {
  /** Writes a line of results. */
  print(line: string): Promise<void>;
  /** Messages, on stderr. */
  readonly logger: Logger;
}

/** The context of a real process. */
export function processContext(): CliContext {
  return {
    logger: createLogger(),
    async print(line) {
      if (!process.stdout.write(line + "\n")) await once(process.stdout, "drain");
    },
  };
}

/** Prints an error (message and hint, a stack only where DIP_DEBUG is set) and returns the exit code it deserves. */
export function reportError(
  thrown: unknown,
  write: (text: string) => void = (text) => process.stderr.write(text),
): number {
  const error = toError(thrown);
  write(`${picocolors.red("error:")} ${error.message}\n`);
  if (error instanceof DipError && error.hint !== undefined)
    write(`${picocolors.dim("hint:")} ${error.hint}\n`);
  if (process.env["DIP_DEBUG"]) write(`${error.stack ?? ""}\n`);
  else if (!(error instanceof DipError))
    write(`${picocolors.dim("hint:")} Set DIP_DEBUG=1 to see where it happened.\n`);
  return error instanceof InputError ? exitCodes.usage : exitCodes.failure;
}

/** Gathers a repeatable option: `--set a=1 --set b=2`. */
export const collect = (value: string, before: readonly string[] = []): string[] => [...before, value];

/**
 * An option's number.
 * @throws InputError naming the option where it is none or out of bounds.
 */
export function numberOption(
  name: string,
  options: { readonly min?: number; readonly max?: number; readonly integer?: boolean } = {},
): (text: string) => number {
  const { min = -Infinity, max = Infinity, integer = false } = options;
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !(value >= min && value <= max) || (integer && !Number.isInteger(value))) {
      const bounds = max < Infinity ? ` from ${min} to ${max}` : min > -Infinity ? ` of at least ${min}` : "";
      throw new InputError(`${name} ${text}: not a ${integer ? "whole " : ""}number${bounds}`);
    }
    return value;
  };
}
