import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { startOpenAiServer, type SeenRequest } from "../../test/support/openai-server.js";
import { silentLogger } from "../base/index.js";
import type { RgbImage } from "../base/rgb-image.js";
import { calibrationColours, calibrationLabel } from "../engines/openai/calibration/scene.js";
import { box, type Box } from "../geometry/box.js";
import { dialectOf, profileOf, renderDialect, type Dialect, type Reading } from "../response/index.js";
import { runCli } from "./program.js";

const opened: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

/** Sees rectangles: where a colour is, to within a pixel at a blurred edge. */
function rectangles({ width, height, data }: RgbImage) {
  return Object.entries(calibrationColours).map(([colour, rgb]) => {
    let [x1, y1, x2, y2] = [width, height, 0, 0];
    const [red, green, blue] = rgb;
    for (let y = 0; y < height; y++)
      for (let x = 0, at = 3 * y * width; x < width; x++, at += 3) {
        if (Math.abs(data[at]! - red) > 30 || Math.abs(data[at + 1]! - green) > 30) continue;
        if (Math.abs(data[at + 2]! - blue) > 30) continue;
        if (x < x1) x1 = x;
        if (y < y1) y1 = y;
        if (x >= x2) x2 = x + 1;
        if (y >= y2) y2 = y + 1;
      }
    return { label: calibrationLabel(colour), box: box<"model">(x1, y1, x2, y2) };
  });
}

/** A model that sees everything and speaks so; `shrink` is what its server does to a picture's sides. */
const speaker =
  (
    spoken: Pick<Dialect, "name" | "form"> & { reading: Reading },
    shrink: (image: RgbImage) => number = () => 1,
  ) =>
  ({ images: [picture] }: SeenRequest): string => {
    const image = picture!;
    const factor = shrink(image);
    const canvas = { width: image.width * factor, height: image.height * factor };
    const frame = profileOf(spoken.reading) === "absolute" ? canvas : { width: 1000, height: 1000 };
    const scale = ({ x1, y1, x2, y2 }: Box) => {
      const [sx, sy] = [frame.width / image.width, frame.height / image.height];
      return box<"model">(x1 * sx, y1 * sy, x2 * sx, y2 * sy);
    };
    return renderDialect(
      rectangles(image).map((one) => ({ ...one, box: scale(one.box) })),
      spoken,
      canvas,
    );
  };

async function calibrate(answer: (request: SeenRequest) => string, asked: string, ...args: string[]) {
  const server = await startOpenAiServer({ answer });
  opened.push(server);
  const out = join(mkdtempSync(join(tmpdir(), "dip-calibrate-")), "profile.yaml");
  const logged: string[] = [];
  const add = (text: string) => void logged.push(text);
  const code = await runCli(
    [
      "calibrate",
      "--base-url",
      server.baseUrl,
      "--model",
      "mock",
      "--server",
      "vllm",
      "--dialect",
      asked,
      "--out",
      out,
      "--pictures",
      "2",
      ...args,
    ],
    { logger: { ...silentLogger, info: add, warn: add }, print: () => Promise.resolve() },
  );
  const profile = code === 0 ? (parse(readFileSync(out, "utf8")) as Record<string, unknown>) : undefined;
  return { code, profile, log: logged.join("\n"), seen: server.seen.length };
}

describe("dip-r1 calibrate", () => {
  it.each(["qwen2.5-vl", "deepseek-vl2", "gemini", "dip-r1-norm1000"])(
    "confirms a server that speaks %s as declared",
    async (name) => {
      const { code, profile } = await calibrate(speaker(dialectOf(name)), name);
      expect(code).toBe(0);
      expect(profile).toMatchObject({ kind: "openai-profile", server: "vllm", dialect: name });
      expect(profile!["reading"]).toBeUndefined();
      const measured = profile!["measured"] as { meanIou: number; x: { slope: number } };
      expect(measured.meanIou).toBeGreaterThan(0.95);
      expect(measured.x.slope).toBeCloseTo(1, 1);
    },
  );

  // Every other scale and layout: engines/openai/calibration/measure.test.ts.
  it.each([
    { scale: "norm1000", layout: "xyxy" },
    { scale: "model", layout: "xywh" },
    { scale: "norm1", layout: "yxyx" },
  ] as const)("measures $scale, $layout where pixels were declared", async (reading) => {
    const spoken = { ...dialectOf("qwen2.5-vl"), reading };
    const { code, profile } = await calibrate(speaker(spoken), "qwen2.5-vl", "--max-pixels", "400000");
    expect(code).toBe(0);
    expect(profile!["reading"]).toEqual(reading);
    expect(profile!["picture"]).toMatchObject({ maxPixels: 400_000 });
  });

  it("finds the form of another dialect", async () => {
    const { profile, log } = await calibrate(speaker(dialectOf("gemini")), "qwen2.5-vl");
    expect(profile).toMatchObject({ dialect: "gemini" });
    expect(profile!["reading"]).toBeUndefined();
    expect(log).toContain("answered in the form of gemini");
  });

  it("finds the pixels that a server leaves, and checks that it leaves them", async () => {
    const most = 250_000;
    const shrink = ({ width, height }: RgbImage) => Math.min(1, Math.sqrt(most / (width * height)));
    const { code, profile, seen, log } = await calibrate(
      speaker(dialectOf("qwen2.5-vl"), shrink),
      "qwen2.5-vl",
    );
    expect(code).toBe(0);
    expect(seen).toBe(4);
    expect(log).toContain("the server shrinks pictures");
    const { maxPixels } = profile!["picture"] as { maxPixels: number };
    expect(Math.abs(maxPixels - most)).toBeLessThan(10_000);
    expect(profile!["reading"]).toBeUndefined();
  });

  it.each([
    ["names no box", () => "I see five rectangles."],
    [
      "makes boxes up",
      () => '[{"bbox_2d": [1, 2, 9, 9], "label": "x"}, {"bbox_2d": [400, 2, 409, 9], "label": "x"}]',
    ],
  ])("writes nothing where a model %s", async (_, answer) => {
    const { code, profile } = await calibrate(answer, "qwen2.5-vl");
    expect(code).toBe(1);
    expect(profile).toBeUndefined();
  });
});
