import { appendFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { exportRollouts, writeExportRun } from "../../../test/support/export-run.js";
import type { RolloutLine } from "../../runs/index.js";
import { groupMarkdown, scanRollouts } from "./rollout-groups.js";

const all = () => true;

describe("scanRollouts", () => {
  it("gives the first group of every wanted step", async () => {
    const path = join(writeExportRun({ steps: 5 }), "rollouts.jsonl");
    const { groups } = await scanRollouts(path, { wanted: (step) => step % 2 === 1, upTo: 5 });
    expect(groups.map(({ step, lines }) => [step, lines.map(({ sample, index }) => [sample, index])])).toEqual(
      [1, 3, 5].map((step) => [step, [["plaza-7-000000", 0], ["plaza-7-000000", 1]]]),
    ); // prettier-ignore
  });

  it("goes on where it ended, and not past the last whole step", async () => {
    const path = join(writeExportRun({ steps: 3 }), "rollouts.jsonl");
    const first = await scanRollouts(path, { wanted: all, upTo: 2 });
    expect(first.groups.map(({ step }) => step)).toEqual([1, 2]);
    const torn = JSON.stringify(exportRollouts(4)[0]);
    appendFileSync(path, torn.slice(0, 40));
    const second = await scanRollouts(path, { wanted: all, upTo: 4, from: first.offset });
    expect(second.groups.map(({ step }) => step)).toEqual([3]);
    appendFileSync(path, torn.slice(40) + "\n");
    const third = await scanRollouts(path, { wanted: all, upTo: 4, from: second.offset });
    expect(third.groups.map(({ step }) => step)).toEqual([4]);
  });

  it("reads a file anew that a resumed run has cut back", async () => {
    const path = join(writeExportRun({ steps: 3 }), "rollouts.jsonl");
    const { offset } = await scanRollouts(path, { wanted: all, upTo: 3 });
    truncateSync(path, 0);
    writeFileSync(path, exportRollouts(1).map((line) => JSON.stringify(line) + "\n").join("")); // prettier-ignore
    const again = await scanRollouts(path, { wanted: all, upTo: 3, from: offset });
    expect(again.groups.map(({ step }) => step)).toEqual([1]);
  });

  it("finds nothing in SFT runs, which have no rollouts", async () => {
    expect(await scanRollouts("/nowhere/rollouts.jsonl", { wanted: all, upTo: 9 })).toEqual({
      groups: [],
      offset: 0,
    });
  });

  it("keeps letters whole where chunks of the file end within one", async () => {
    const path = join(writeExportRun({ steps: 0 }), "rollouts.jsonl");
    // 64 KiB is the size of a chunk; three bytes a letter never fit in it evenly.
    const text = "人".repeat(70_000);
    writeFileSync(path, JSON.stringify({ ...exportRollouts(1)[0], text }) + "\n");
    const { groups } = await scanRollouts(path, { wanted: all, upTo: 1 });
    expect(groups[0]!.lines[0]!.text).toBe(text);
  });
});

describe("groupMarkdown", () => {
  it("shows what a response says as code, whatever it says", () => {
    const lines = exportRollouts(1).slice(0, 2) as RolloutLine[];
    const text = groupMarkdown({ step: 1, lines });
    expect(text).toContain("    <script>alert(1)</script>\n    ```\n    # no heading\n        more");
    // The best first.
    expect(text.indexOf("Response 1:")).toBeLessThan(text.indexOf("Response 0:"));
    expect(text).toContain("| 1 | 1.250 | 0.000 | 0.500 | 1.000 | 0.500 | none | 1 | 1 | 12 |");
  });
});
