/** @file Reading untrusted JSON with zod, with errors that name the file and the key. */
import { z } from "zod";
import { InputError } from "../base/errors.js";

/** A whole number of at least one. */
export const count = z.int().positive();

/** A whole number of at least zero: a token id. */
export const tokenId = z.int().nonnegative();

/**
 * `value` read by `schema`.
 * @param where Name of the file (and section) for the message.
 * @throws InputError naming every key that is wrong, as `file: a.b: what was expected`.
 */
export function readWith<T>(schema: z.ZodType<T>, value: unknown, where: string, hint?: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const lines = result.error.issues.map((issue) => {
    const key = issue.path.map(String).join(".");
    return `${where}: ${key === "" ? "" : `${key}: `}${issue.message}`;
  });
  throw new InputError(lines.join("\n"), hint === undefined ? {} : { hint });
}
