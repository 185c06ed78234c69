import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { writeExportRun } from "../../test/support/export-run.js";
import { startMlflowServer } from "../../test/support/mlflow-server.js";
import { silentLogger } from "../base/index.js";
import { runCli } from "./program.js";

/** Runs a command in this process. */
async function dip(...args: string[]) {
  const lines: string[] = [];
  const code = await runCli(args, {
    logger: silentLogger,
    print: (line) => {
      lines.push(line);
      return Promise.resolve();
    },
  });
  return { code, lines };
}

describe("dip-r1 export", () => {
  it("prints where the result is", async () => {
    const run = writeExportRun();
    const events = await dip("export", "tensorboard", run, "--images", "0", "--follow");
    expect(events.code).toBe(0);
    expect(existsSync(events.lines[0]!)).toBe(true);
    const out = mkdtempSync(join(tmpdir(), "dip-export-"));
    const offline = await dip("export", "wandb", run, "--images", "0", "--out", out, "--tag", "a");
    expect(offline.code).toBe(0);
    expect(offline.lines[0]!.startsWith(join(out, "offline-run-"))).toBe(true);
    const server = await startMlflowServer();
    try {
      const sent = await dip("export", "mlflow", run, "--tracking-uri", server.url, "--json");
      expect(sent.code).toBe(0);
      expect(JSON.parse(sent.lines[0]!)).toMatchObject({ runId: "run1", resumed: false });
    } finally {
      await server.close();
    }
  });

  it("ends with 2 for what is no tracker, no run or no number", async () => {
    const run = writeExportRun();
    const codes = [
      await dip("export", "comet", run),
      await dip("export", "tensorboard", join(run, "nowhere")),
      await dip("export", "wandb", writeExportRun({ steps: 0 })),
      await dip("export", "tensorboard", run, "--images", "-1"),
      await dip("export", "mlflow", run, "--tracking-uri", "sqlite:///x.db"),
    ].map(({ code }) => code);
    expect(codes).toEqual([2, 2, 2, 2, 2]);
  });
});
