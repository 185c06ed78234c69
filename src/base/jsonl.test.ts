import { mkdtempSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InputError } from "./errors.js";
import { openJsonlAppender, readJsonl, readJsonlTolerant } from "./jsonl.js";

const scratch = () => join(mkdtempSync(join(tmpdir(), "dip-jsonl-")), "x.jsonl");

describe("openJsonlAppender", () => {
  it("goes on after a cut at any byte with a whole prefix of the lines", async () => {
    const path = scratch();
    const values = [{ step: 1, text: "où" }, { step: 2, text: "a\nb" }, { step: 3 }];
    await fc.assert(
      fc.asyncProperty(fc.nat(100), async (share) => {
        writeFileSync(path, values.map((value) => JSON.stringify(value) + "\n").join(""));
        const size = readFileSync(path).length;
        truncateSync(path, Math.round((size * share) / 100));
        const before = await readJsonlTolerant(path);
        expect(before).toEqual(values.slice(0, before.length));
        const file = openJsonlAppender(path);
        file.append({ step: "next" });
        file.sync();
        file.close();
        expect(await readJsonlTolerant(path)).toEqual([...before, { step: "next" }]);
      }),
    );
  });

  it("cuts off everything from the first line that is refused", async () => {
    const path = scratch();
    writeFileSync(path, '{"step":1}\n{"step":2}\n{"step":3}\n');
    openJsonlAppender(path, { keep: (value) => (value as { step: number }).step <= 1 }).close();
    expect(readFileSync(path, "utf8")).toBe('{"step":1}\n');
  });
});

describe("readJsonl", () => {
  it("names the file and the line", async () => {
    const path = scratch();
    writeFileSync(path, '{"a":1}\n\n{"a":\n');
    const error = await readJsonl(path).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(InputError);
    expect((error as Error).message).toContain(`${path}:3`);
    await expect(readJsonl(path + ".no")).rejects.toThrow(InputError);
    expect(await readJsonlTolerant(path + ".no")).toEqual([]);
  });
});
