import { mkdtemp, mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { sweepTemporaries, writeFileAtomic, writeFolderAtomic, writeJsonAtomic } from "./atomic-file.js";

const scratch = () => mkdtemp(join(tmpdir(), "dip-atomic-"));

describe("writeFileAtomic", () => {
  it("makes folders, replaces content and leaves nothing beside it", async () => {
    const folder = await scratch();
    const path = join(folder, "a", "b.json");
    await writeFileAtomic(path, "one");
    await writeJsonAtomic(path, { two: 2 });
    expect(JSON.parse(await readFile(path, "utf8"))).toEqual({ two: 2 });
    expect(await readdir(join(folder, "a"))).toEqual(["b.json"]);
  });

  it("keeps the old content and cleans up when the rename fails", async () => {
    const folder = await scratch();
    await mkdir(join(folder, "taken", "inside"), { recursive: true });
    await expect(writeFileAtomic(join(folder, "taken"), "x")).rejects.toThrow(
      /EISDIR|ENOTEMPTY|EEXIST|directory/,
    );
    expect(await readdir(folder)).toEqual(["taken"]);
  });
});

describe("writeFolderAtomic", () => {
  it("replaces a folder as a whole", async () => {
    const folder = await scratch();
    const path = join(folder, "step");
    await writeFolderAtomic(path, (to) => writeFile(join(to, "old"), "1"));
    await writeFolderAtomic(path, (to) => writeFile(join(to, "new"), "2"));
    expect(await readdir(path)).toEqual(["new"]);
    expect(await readdir(folder)).toEqual(["step"]);
  });

  it("leaves the old folder when filling fails", async () => {
    const folder = await scratch();
    const path = join(folder, "step");
    await writeFolderAtomic(path, (to) => writeFile(join(to, "old"), "1"));
    await expect(
      writeFolderAtomic(path, async (to) => {
        await writeFile(join(to, "half"), "");
        throw new Error("full disk");
      }),
    ).rejects.toThrow("full disk");
    expect(await readdir(path)).toEqual(["old"]);
    expect(await readdir(folder)).toEqual(["step"]);
  });

  it("sweeps what a killed process left", async () => {
    const folder = await scratch();
    await mkdir(join(folder, ".tmp-step-abc"));
    await writeFile(join(folder, ".tmp-step-abc", "weights"), "half");
    await writeFile(join(folder, "kept"), "");
    await sweepTemporaries(folder);
    expect(await readdir(folder)).toEqual(["kept"]);
  });
});
