import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { carriesToken, readToken } from "./bearer.js";

it("knows the token in an Authorization header", () => {
  expect(carriesToken("Bearer secret", "secret")).toBe(true);
  expect(carriesToken("bearer  secret ", "secret")).toBe(true);
  for (const header of [
    undefined,
    "",
    "secret",
    "Basic secret",
    "Bearer",
    "Bearer secret2",
    "Bearer secret x",
  ])
    expect(carriesToken(header, "secret")).toBe(false);
});

it("reads it from a file before the environment, and refuses what no header can carry", async () => {
  const file = join(mkdtempSync(join(tmpdir(), "dip-token-")), "token");
  writeFileSync(file, "  from-file\n");
  expect(await readToken(file, { DIP_R1_TOKEN: "from-environment" })).toBe("from-file");
  expect(await readToken(undefined, { DIP_R1_TOKEN: "from-environment" })).toBe("from-environment");
  expect(await readToken(undefined, { DIP_R1_TOKEN: "" })).toBeUndefined();
  expect(await readToken(undefined, {})).toBeUndefined();
  writeFileSync(file, "two words");
  await expect(readToken(file, {})).rejects.toThrow(/one word/);
  writeFileSync(file, "\n");
  await expect(readToken(file, {})).rejects.toThrow(/one word/);
  await expect(readToken(`${file}.missing`, {})).rejects.toThrow(/cannot read the token/);
});
