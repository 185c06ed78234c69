import { spawn } from "node:child_process";
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { createRng, InputError, readJsonlTolerant } from "../base/index.js";
import { listCheckpoints } from "./checkpoints.js";
import { createRunFolder, openRunFolder, readManifest, type RunFolder } from "./run-folder.js";
import type { Recipe } from "./recipe-schema.js";

const scratch = () => join(mkdtempSync(join(tmpdir(), "dip-run-")), "run");

const manifest = {
  name: "test",
  recipe: { kind: "grpo" } as Recipe,
  source: { path: "r.yaml", set: [] },
  seed: 1,
  data: { train: "0" },
  model: "0",
  code: { version: "0.0.0", sha256: "0" },
  versions: {},
};

/** Steps with a checkpoint at every second one; the engine's file holds the step number 1000 times. */
async function work(run: RunFolder, from: number, to: number): Promise<void> {
  for (let step = from; step <= to; step++) {
    run.append("rollouts", { step, text: "x".repeat(100) });
    run.append("metrics", { step });
    if (step % 2 === 0)
      await run.checkpoint(
        step,
        { cursor: step },
        {
          keep: 2,
          save: (path) => writeFile(join(path, "weights"), `${step} `.repeat(1000)),
        },
      );
  }
}

const steps = async (path: string) =>
  (await readJsonlTolerant(path)).map((line) => (line as { step: number }).step);
const upTo = (n: number) => Array.from({ length: n }, (_, i) => i + 1);

describe("a run folder", () => {
  it("keeps the last checkpoints and hands back state and lines", async () => {
    const path = scratch();
    const run = await createRunFolder(path, manifest);
    await work(run, 1, 7);
    await run.update({ state: "done" });
    await run.close();
    expect(readdirSync(join(path, "checkpoints"))).toEqual(["step-000004", "step-000006"]);

    const again = await openRunFolder(path);
    const latest = await again.latest();
    expect(latest).toMatchObject({ step: 6, state: { cursor: 6 } });
    again.rewind(latest!.step);
    await work(again, 7, 8);
    await again.close();
    expect(await steps(join(path, "metrics.jsonl"))).toEqual(upTo(8));
    expect(await steps(join(path, "rollouts.jsonl"))).toEqual(upTo(8));
    expect((await readManifest(path)).state).toBe("done");
  });

  it("refuses a second run, a second process and a folder that is none", async () => {
    const path = scratch();
    const run = await createRunFolder(path, manifest);
    await expect(createRunFolder(path, manifest)).rejects.toThrow(InputError);
    // A process that is there for sure: the parent of this one.
    writeFileSync(
      join(path, "lock.json"),
      JSON.stringify({ pid: process.ppid, host: (await import("node:os")).hostname() }),
    );
    await expect(openRunFolder(path)).rejects.toThrow(/in use by process/);
    rmSync(join(path, "lock.json"));
    await run.close();
    await expect(openRunFolder(join(path, "nothing"))).rejects.toThrow(InputError);
  });

  it("is usable whatever byte its growing files and checkpoints were cut at", async () => {
    const rng = createRng(7);
    for (let trial = 0; trial < 12; trial++) {
      const path = scratch();
      const run = await createRunFolder(path, manifest);
      await work(run, 1, 6);
      await run.close();
      for (const file of ["metrics.jsonl", "rollouts.jsonl"])
        truncateSync(join(path, file), rng.int(0, statSync(join(path, file)).size));
      const victim = join(
        path,
        "checkpoints",
        "step-000006",
        rng.pick(["engine/weights", "checkpoint.json"]),
      );
      truncateSync(victim, rng.int(0, statSync(victim).size - 1));

      const again = await openRunFolder(path);
      const latest = (await again.latest())!;
      expect(latest.step).toBe(4);
      again.rewind(latest.step);
      for (const file of ["metrics.jsonl", "rollouts.jsonl"]) {
        const kept = await steps(join(path, file));
        expect(kept).toEqual(upTo(kept.length));
        expect(kept.length).toBeLessThanOrEqual(4);
      }
      await work(again, 5, 6);
      expect((await again.latest())!.step).toBe(6);
      await again.close();
    }
  });

  it("survives kill -9 of the process that writes it", async () => {
    const path = scratch();
    const module = (name: string) => JSON.stringify(new URL(`./${name}`, import.meta.url).href);
    const child = `
      import { createRunFolder, openRunFolder, isRunFolder } from ${module("run-folder.ts")};
      import { writeFile } from "node:fs/promises";
      import { join } from "node:path";
      const path = ${JSON.stringify(path)};
      const run = isRunFolder(path) ? await openRunFolder(path) : await createRunFolder(path, ${JSON.stringify(manifest)});
      const latest = await run.latest();
      run.rewind(latest?.step ?? 0);
      console.log("ready");
      for (let step = (latest?.step ?? 0) + 1; ; step++) {
        run.append("rollouts", { step, text: "x".repeat(5000) });
        run.append("metrics", { step });
        await run.checkpoint(step, { cursor: step }, { keep: 2, save: async (to) => {
          await writeFile(join(to, "a"), (step + " ").repeat(20000));
          await writeFile(join(to, "b"), String(step));
        } });
      }`;
    const rng = createRng(3);
    let reached = 0;
    for (let round = 0; round < 4; round++) {
      const running = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", child], {
        cwd: fileURLToPath(new URL("../..", import.meta.url)),
        stdio: ["ignore", "pipe", "inherit"],
      });
      await new Promise((resolve) => running.stdout.once("data", resolve));
      // Not a timed assertion: wherever the kill falls, what follows must hold.
      await new Promise((resolve) => setTimeout(resolve, rng.int(20, 120)));
      running.kill("SIGKILL");
      await new Promise((resolve) => running.once("exit", resolve));

      const complete = await listCheckpoints(join(path, "checkpoints"));
      for (const { step, state, enginePath } of complete) {
        expect(state).toEqual({ cursor: step });
        expect(readFileSync(join(enginePath, "b"), "utf8")).toBe(String(step));
        expect(readFileSync(join(enginePath, "a"), "utf8")).toBe(`${step} `.repeat(20000));
      }
      const run = await openRunFolder(path);
      const latest = await run.latest();
      expect(latest?.step ?? 0).toBeGreaterThanOrEqual(reached);
      reached = latest?.step ?? 0;
      run.rewind(reached);
      expect(await steps(join(path, "metrics.jsonl"))).toEqual(upTo(reached));
      expect(await steps(join(path, "rollouts.jsonl"))).toEqual(upTo(reached));
      await run.close();
    }
    expect(reached).toBeGreaterThan(0);
  });
});
