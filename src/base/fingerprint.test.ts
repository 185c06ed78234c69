import { mkdtemp, mkdir, rename, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson, codeFingerprint, fingerprintPath, fingerprintValue } from "./fingerprint.js";

describe("canonicalJson", () => {
  it("does not depend on the order of keys and round-trips", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 })), (value) => {
        const turned = Object.fromEntries(Object.entries(value).reverse());
        expect(canonicalJson(turned)).toBe(canonicalJson(value));
        expect(JSON.parse(canonicalJson(value))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it("treats undefined as absent and refuses NaN", () => {
    expect(fingerprintValue({ a: 1, b: undefined })).toBe(fingerprintValue({ a: 1 }));
    expect(fingerprintValue({ a: 1 })).not.toBe(fingerprintValue({ a: 2 }));
    expect(() => canonicalJson({ a: NaN })).toThrow(TypeError);
  });
});

describe("fingerprintPath", () => {
  it("sees content and names", async () => {
    const folder = await mkdtemp(join(tmpdir(), "dip-print-"));
    await mkdir(join(folder, "a"));
    await writeFile(join(folder, "a", "x"), "1");
    const first = await fingerprintPath(folder);
    expect(await fingerprintPath(folder)).toBe(first);
    await rename(join(folder, "a", "x"), join(folder, "a", "y"));
    const second = await fingerprintPath(folder);
    expect(second).not.toBe(first);
    await writeFile(join(folder, "a", "y"), "2");
    expect(await fingerprintPath(folder)).not.toBe(second);
  });
});

describe("codeFingerprint", () => {
  it("gives the version and a stable hash", async () => {
    const code = await codeFingerprint();
    expect(code.version).toMatch(/^\d+\.\d+\.\d+/);
    expect(code.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(await codeFingerprint()).toEqual(code);
  });
});
