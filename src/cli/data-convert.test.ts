import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fixture } from "../../test/qwen-fixture.js";
import { silentLogger } from "../base/index.js";
import { runCli } from "./program.js";

const scratch = () => mkdtempSync(join(tmpdir(), "dip-cli-"));

/** Runs a command in this process; what it prints and what it warns of. */
async function dip(...args: string[]) {
  const lines: string[] = [];
  const warnings: string[] = [];
  const code = await runCli(args, {
    logger: { ...silentLogger, warn: (text: string) => void warnings.push(text) },
    print: (line) => {
      lines.push(line);
      return Promise.resolve();
    },
  });
  return { code, text: lines.join("\n"), warnings: warnings.join("\n"), lines };
}

/** A line of our own form whose picture is not at hand. */
const line = (id: string, bbox: readonly number[]) =>
  JSON.stringify({ id, image: `${id}.jpg`, width: 100, height: 50, objects: [{ bbox, label: "person" }] }) +
  "\n";

describe("dip-r1 data convert", () => {
  it("goes around: scenes, COCO, VLM-R1, and what is lost is said", async () => {
    const folder = scratch();
    const coco = join(folder, "coco");
    const first = await dip(
      "data",
      "convert",
      "scenes:plaza?count=2&dense",
      "--to",
      "coco",
      "--out",
      coco,
      "--copy-images",
    );
    expect(first).toMatchObject({ code: 0 });
    expect(first.text).toMatch(/coco, 2 images, \d+ objects.*\nnothing was lost/);
    expect(readdirSync(coco).sort()).toEqual(["annotations.json", "dataset.json", "images"]);
    const chat = join(folder, "chat.jsonl");
    const model = ["--model", fixture("model"), "--label", "person"];
    const second = await dip(
      "data",
      "convert",
      join(coco, "annotations.json"),
      "--to",
      "vlm-r1",
      "--out",
      chat,
      ...model,
    );
    expect(second.code).toBe(0);
    expect(second.text).toMatch(/dropped\s+\d+ {2}visible boxes/);
    const third = await dip("data", "inspect", `vlm-r1:${chat}`, "--json");
    expect(JSON.parse(third.text)).toMatchObject({
      images: 2,
      labels: { person: expect.any(Number) as number },
    });
  });

  it("leaves bad records out with a count, and tells the report as JSON", async () => {
    const folder = scratch();
    const from = join(folder, "from.jsonl");
    writeFileSync(from, line("a", [0, 0, 10, 10]) + line("b", [10, 10, 0, 0]) + "{\n");
    const args = ["data", "convert", from, "--to", "citypersons", "--out", join(folder, "to.json"), "--json"];
    expect((await dip(...args)).code).toBe(2);
    expect(existsSync(join(folder, "to.json"))).toBe(false);
    const { code, text, warnings } = await dip(...args, "--on-error", "skip");
    expect(code).toBe(0);
    expect(warnings).toMatch(/left out 2 bad records/);
    expect(JSON.parse(text)).toMatchObject({
      format: "citypersons",
      images: 2,
      objects: 1,
      losses: [
        { kind: "added", what: "visible boxes that are not known (the full box)", count: 1 },
        { kind: "added", count: 1 },
      ],
      problems: { leftOut: 2 },
    });
    const inspected = await dip("data", "inspect", from, "--on-error", "skip", "--json");
    expect(JSON.parse(inspected.text)).toMatchObject({ objects: 1, problems: { leftOut: 2 } });
  });

  it("asks for --force, and refuses words that mean nothing", async () => {
    const folder = scratch();
    const [from, out] = [join(folder, "from.jsonl"), join(folder, "out")];
    writeFileSync(from, line("a", [0, 0, 10, 10]));
    const convert = (...more: string[]) => dip("data", "convert", from, "--out", out, ...more);
    expect((await convert("--to", "jsonl", "--rename", "person=pedestrian")).code).toBe(0);
    expect(readFileSync(out, "utf8")).toContain('"pedestrian"');
    expect((await convert("--to", "jsonl")).code).toBe(2);
    expect((await convert("--to", "jsonl", "--force")).code).toBe(0);
    for (const bad of [
      ["--to", "yolo"],
      ["--to", "coco", "--frame", "absolute"],
      ["--to", "coco", "--no-clip"],
      ["--to", "coco", "--year", "2018"],
      ["--to", "widerpedestrian", "--year", "2020"],
      ["--to", "trl", "--frame", "pixels"],
      ["--to", "trl", "--min-pixels", "5000", "--max-pixels", "4000"],
      ["--to", "trl", "--prompt", "nonsense"],
      ["--to", "jsonl", "--rename", "person"],
      ["--to", "jsonl", "--on-error", "shrug"],
    ])
      expect([bad, (await convert("--force", ...bad)).code]).toEqual([bad, 2]);
    expect(readdirSync(folder).sort()).toEqual(["from.jsonl", "out"]);
  });

  it("asks in the numbers of the frame, which is the model's own where one is named", async () => {
    const folder = scratch();
    const [from, out, model] = [join(folder, "from.jsonl"), join(folder, "out"), join(folder, "model")];
    writeFileSync(from, line("a", [0, 0, 10, 10]));
    mkdirSync(model);
    writeFileSync(join(model, "dip-r1.json"), '{"profile":"norm1000"}');
    writeFileSync(join(model, "preprocessor_config.json"), '{"patch_size":14}');
    const asked = async (...more: string[]) => {
      const { code } = await dip("data", "convert", from, "--out", out, "--to", "trl", "--force", ...more);
      expect(code).toBe(0);
      return readFileSync(out, "utf8");
    };
    expect(await asked()).toContain("whole pixels of the image");
    expect(await asked("--frame", "norm1000")).toContain("whole thousandths");
    expect(await asked("--model", model)).toMatch(/whole thousandths.*"frame":"norm1000"/);
    expect(await asked("--model", model, "--frame", "absolute")).toMatch(/whole pixels.*"frame":"absolute"/);
  });
});
