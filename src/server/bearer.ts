/** @file The optional bearer token (RFC 6750). */
import { createHash, timingSafeEqual } from "node:crypto";
import { readFile } from "node:fs/promises";
import { InputError, toError } from "../base/errors.js";

/** Environment variable that holds the token. */
export const TOKEN_VARIABLE = "DIP_R1_TOKEN";

const digest = (text: string) => createHash("sha256").update(text).digest();

/** Whether an Authorization header carries the token; compared in constant time. */
export function carriesToken(header: string | undefined, token: string): boolean {
  const given = /^bearer +(\S+) *$/i.exec(header ?? "")?.[1];
  return given !== undefined && timingSafeEqual(digest(given), digest(token));
}

/**
 * The token of a file (surrounding white space is no part of it), else of the environment, else none.
 * @throws InputError for a file that cannot be read, and for a token that no header can carry
 */
export async function readToken(
  file: string | undefined,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<string | undefined> {
  const source = file ?? TOKEN_VARIABLE;
  let text: string | undefined;
  try {
    text = (file === undefined ? environment[TOKEN_VARIABLE] : await readFile(file, "utf8"))?.trim();
  } catch (error) {
    throw new InputError(`cannot read the token: ${toError(error).message}`, { cause: error });
  }
  if (text === undefined || (text === "" && file === undefined)) return undefined;
  if (!/^[\x21-\x7e]+$/.test(text))
    throw new InputError(`${source}: a token is one word of visible ASCII characters`, {
      hint: "For instance: openssl rand -hex 32 > token",
    });
  return text;
}
