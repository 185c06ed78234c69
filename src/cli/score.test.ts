import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));
const main = fileURLToPath(new URL("./main.ts", import.meta.url));

function dip(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["--import", "tsx", main, ...args], {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, NO_COLOR: "1" },
  });
  return { status, stdout, stderr };
}

const folder = mkdtempSync(join(tmpdir(), "dip-score-"));
function file(name: string, ...lines: unknown[]): string {
  const path = join(folder, name);
  writeFileSync(
    path,
    lines.map((line) => (typeof line === "string" ? line : JSON.stringify(line)) + "\n").join(""),
  );
  return path;
}

const samples = file(
  "samples.jsonl",
  {
    id: "a",
    width: 100,
    height: 100,
    objects: [
      { bbox: [0, 0, 50, 50], label: "person" },
      { bbox: [50, 50, 100, 100], label: "person" },
    ],
    ignore: [[0, 60, 30, 100]],
  },
  { id: "empty", width: 64, height: 64, objects: [] },
);
const say = (look: string, answer: string) =>
  `<think>who is there</think><look>${look}</look><answer>${answer}</answer>`;
const responses = file(
  "responses.jsonl",
  {
    id: "a",
    responses: [
      // Both found; the others disagree about the second, and this one does not look there.
      say("[]", "[[0,0,50,50],[50,50,100,100]]"),
      // One found, and looks at exactly the disputed place.
      say("[[50,50,100,100]]", '[{"bbox_2d":[0,0,50,50],"label":"person"}]'),
      // A box inside the ignore region does not count, an empty one is dropped.
      say("[]", "[[0,0,50,50],[2,62,28,98],[9,9,9,20]]"),
      "I see nobody.",
    ],
  },
  { id: "empty", responses: [say("[]", "[]"), say("[[0,0,9,9]]", "[]")] },
);

describe("dip-r1 score", () => {
  it("prints one JSON object a response and nothing else", () => {
    const { status, stdout, stderr } = dip("score", "--samples", samples, "--responses", responses, "--json");
    expect(stderr).toBe("");
    expect(status).toBe(0);
    const lines = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toHaveLength(6);
    for (const line of lines)
      expect(Object.keys(line)).toEqual(
        "id index grade format look accuracy total advantage truePositives predictions dropped".split(" "),
      );
    expect(lines[0]).toMatchObject({
      id: "a",
      index: 0,
      grade: "strict",
      format: 1,
      accuracy: 1,
      truePositives: 2,
    });
    // Precision 1, recall 1/2, linear with equal weights.
    expect(lines[1]).toMatchObject({ accuracy: 0.75, truePositives: 1, predictions: 1, dropped: 0 });
    expect(lines[2]).toMatchObject({ accuracy: 0.75, truePositives: 1, predictions: 1, dropped: 1 });
    expect(lines[3]).toMatchObject({ grade: "none", format: 0, accuracy: 0, predictions: 0 });
    expect(lines[4]).toMatchObject({ id: "empty", look: 1, accuracy: 1, total: 2 });
    expect(lines[5]).toMatchObject({ id: "empty", look: 0, accuracy: 1, total: 1.5 });

    const numbers = (key: string, from: number, to: number) =>
      lines.slice(from, to).map((line) => line[key] as number);
    const looks = numbers("look", 0, 4);
    expect(Math.max(...looks)).toBe(looks[1]);
    for (const line of lines)
      expect(line["total"]).toBeCloseTo(
        0.5 * (line["format"] as number) + 0.5 * (line["look"] as number) + (line["accuracy"] as number),
        12,
      );
    // Group-normalised with the sample standard deviation: 0.25 / (0.5 / sqrt 2 + 1e-4).
    expect(lines[4]!["advantage"]).toBeCloseTo(0.25 / (0.5 * Math.SQRT1_2 + 1e-4), 12);
    expect(numbers("advantage", 0, 4).reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 9);
  });

  it("takes its choices from a preset or a recipe", () => {
    const recipe = file(
      "recipe.yaml",
      "kind: grpo",
      "preset: recommended",
      "engine: {model: none}",
      'data: {train: "scenes:plaza"}',
    );
    const read = (choice: string) =>
      dip("score", "--samples", samples, "--responses", responses, "--recipe", choice, "--json").stdout;
    const [, second] = read("recommended").trim().split("\n");
    // F1 of precision 1 and recall 1/2.
    expect((JSON.parse(second!) as { accuracy: number }).accuracy).toBeCloseTo(2 / 3, 12);
    expect(read(recipe)).toBe(read("recommended"));
  });

  it("prints a table for people", () => {
    const { status, stdout } = dip("score", "--samples", samples, "--responses", responses);
    expect(status).toBe(0);
    expect(stdout.split("\n")[0]).toMatch(/^id\s+#\s+grade\s+format/);
  });

  it("explains, as text, JSON and pictures", () => {
    const pictures = join(folder, "pictures");
    const explain = (...more: string[]) =>
      dip("score", "--samples", samples, "--responses", responses, "--explain", ...more);
    const { status, stdout } = explain("--id", "a", "--response", "2");
    expect(status).toBe(0);
    expect(stdout.split("\n")[0]).toBe("a: 4 responses, 100 x 100, 2 objects, 1 ignore region");
    expect(stdout).toMatch(
      /the group disagrees most at \[0, 0, 50, 50\] \(\d+%\), \[50, 50, 100, 100\] \(\d+%\)/,
    );
    expect(stdout).toMatch(
      /response 2 \(strict\): [\d.]+ = 0.5 \* 1.000 \+ 0.5 \* 0.000 \+ 1 \* 0.750, advantage/,
    );
    expect(stdout).toMatch(/box 0 +\[0, 0, 50, 50\] +no label +hit object 0 at IoU 1.000/);
    expect(stdout).toMatch(/box 1 .*in an ignore region, does not count/);
    expect(stdout).toMatch(/object 1 +\[50, 50, 100, 100\] +person +missed: no box is near/);
    expect(stdout).toContain("1 box dropped");
    expect(stdout).not.toContain("response 1 ");

    const json = explain("--json", "--pictures", pictures);
    const plain = dip("score", "--samples", samples, "--responses", responses, "--json")
      .stdout.trim()
      .split("\n");
    const groups = json.stdout
      .trim()
      .split("\n")
      .map(
        (line) =>
          JSON.parse(line) as {
            id: string;
            disagreement: { values: number[]; columns: number; rows: number };
            responses: { total: number; advantage: number; look: { share: number } }[];
          },
      );
    expect(groups.map(({ id }) => id)).toEqual(["a", "empty"]);
    const flat = groups.flatMap((group) => group.responses.map(({ total, advantage }) => [total, advantage]));
    expect(flat).toEqual(
      plain
        .map((line) => JSON.parse(line) as { total: number; advantage: number })
        .map(({ total, advantage }) => [total, advantage]),
    );
    expect(groups[0]!.disagreement.values).toHaveLength(64 * 64);
    expect(groups[0]!.responses[1]!.look.share).toBeGreaterThan(0.2);
    expect(readdirSync(pictures)).toEqual(["001-a.png", "002-empty.png"]);
    expect(readFileSync(join(pictures, "001-a.png")).subarray(1, 4).toString()).toBe("PNG");
  });

  it.each([
    [
      "an id without responses",
      ["--samples", samples, "--responses", responses, "--explain", "--id", "b"],
      /--id b/,
    ],
    [
      "a response beyond the group",
      ["--samples", samples, "--responses", responses, "--explain", "--response", "9"],
      /--response 9/,
    ],
    ["--id without --explain", ["--samples", samples, "--responses", responses, "--id", "a"], /--explain/],
    ["a missing option", ["--samples", samples], /--responses/],
    [
      "a file that is not there",
      ["--samples", samples, "--responses", "/nowhere.jsonl"],
      /nowhere\.jsonl.*\nhint:/,
    ],
    [
      "an unknown id",
      ["--samples", samples, "--responses", file("r1.jsonl", { id: "b", responses: ["x", "y"] })],
      /r1\.jsonl:1: .*"b"/,
    ],
    [
      "a field of the wrong type",
      ["--samples", samples, "--responses", file("r2.jsonl", { id: "a", responses: "x" })],
      /r2\.jsonl:1: "responses"/,
    ],
    [
      "a group of one",
      ["--samples", samples, "--responses", file("r3.jsonl", { id: "a", responses: ["x"] })],
      /r3\.jsonl:1: /,
    ],
    [
      "a box turned over",
      [
        "--samples",
        file("s1.jsonl", { id: "a", width: 9, height: 9, objects: [{ bbox: [5, 5, 2, 2], label: "p" }] }),
        "--responses",
        responses,
      ],
      /s1\.jsonl:1: .*bbox/,
    ],
    ["broken JSON", ["--samples", samples, "--responses", file("r4.jsonl", "{")], /r4\.jsonl:1: /],
    [
      "an unknown recipe",
      ["--samples", samples, "--responses", responses, "--recipe", "no.yaml"],
      /no\.yaml/,
    ],
    ["an unknown option", ["--sample", samples], /--sample/],
  ])("exits with 2 and says what is wrong: %s", (_, args, message) => {
    const { status, stdout, stderr } = dip("score", ...args, "--json");
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(stdout).toBe("");
    expect(status).toBe(2);
  });
});

describe("dip-r1", () => {
  it("helps, knows its version and refuses unknown commands", () => {
    expect(dip("--help")).toMatchObject({ status: 0, stdout: expect.stringContaining("score") as string });
    expect(dip("--version").stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    expect(dip("scor")).toMatchObject({
      status: 2,
      stderr: expect.stringContaining("Did you mean score") as string,
    });
  });
});
