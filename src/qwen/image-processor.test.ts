import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { fixture, fixtureImage, fixtureJson } from "../../test/qwen-fixture.js";
import type { RgbImage } from "../base/rgb-image.js";
import {
  formatImageProcessorConfig,
  loadImageProcessorConfig,
  parseImageProcessorConfig,
  type ImageProcessorConfig,
} from "./image-processor-config.js";
import { imageTokens, patchify, preprocess, resizeToModel } from "./image-processor.js";
import { resizeBicubic } from "./resize.js";
import { openSafetensors, type TensorSource } from "./safetensors.js";
import { smartResize } from "./smart-resize.js";

interface ResizeCase {
  readonly from: [number, number];
  readonly to: [number, number];
  readonly sha256: string;
}
const resizeCases = JSON.parse(
  readFileSync(new URL("../../test/fixtures/resize_cases.json", import.meta.url), "utf8"),
) as ResizeCase[];

let config: ImageProcessorConfig;
let golden: TensorSource;
beforeAll(async () => {
  config = await loadImageProcessorConfig(fixture("model"));
  golden = await openSafetensors(fixture("golden/vision.safetensors"));
});

describe("smartResize", () => {
  interface Case {
    h: number;
    w: number;
    min_pixels: number;
    max_pixels: number;
    out: [number, number];
  }
  it.each(fixtureJson<Case[]>("golden/smart_resize_cases.json"))(
    "$h x $w in [$min_pixels, $max_pixels] becomes $out",
    ({ h, w, min_pixels, max_pixels, out }) => {
      const limits = { patchSize: 14, mergeSize: 2, minPixels: min_pixels, maxPixels: max_pixels };
      expect(smartResize({ width: w, height: h }, limits)).toEqual({ height: out[0], width: out[1] });
    },
  );

  it("works with other patches and refuses stripes and nothing", () => {
    const limits = { patchSize: 8, mergeSize: 2, minPixels: 256, maxPixels: 112 * 112 };
    expect(smartResize({ width: 112, height: 112 }, limits)).toEqual({ width: 112, height: 112 });
    expect(smartResize({ width: 200, height: 1 }, limits)).toEqual({ width: 240, height: 16 });
    expect(() => smartResize({ width: 201, height: 1 }, limits)).toThrow("200 times");
    expect(() => smartResize({ width: 0, height: 1 }, limits)).toThrow("no size");
  });
});

describe("preprocess", () => {
  it.each(["a", "b", "c"] as const)("gives exactly transformers' numbers for picture %s", async (name) => {
    const { resized, pixelValues, gridThw } = preprocess(await fixtureImage(name), config);
    const { shape, data } = await golden.read(`${name}.resized_u8`);
    expect([resized.height, resized.width, 3]).toEqual(shape);
    expect(Buffer.compare(resized.data, data as Uint8Array)).toBe(0);
    expect(Int32Array.from(gridThw)).toEqual(await golden.readInt32(`${name}.grid_thw`));
    const expected = await golden.readFloat32(`${name}.pixel_values`);
    expect(pixelValues.length).toBe(expected.length);
    expect(pixelValues.findIndex((value, i) => value !== expected[i])).toBe(-1);
    expect(imageTokens(gridThw, 2)).toBe((await golden.read(`${name}.merged`)).shape[0]);
  });

  it("cuts patches of any size: each value is its pixel's, normalised", () => {
    fc.assert(
      fc.property(
        fc.record({ patchSize: fc.integer({ min: 1, max: 5 }), mergeSize: fc.integer({ min: 1, max: 3 }) }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 3 }),
        fc.integer(),
        ({ patchSize, mergeSize }, across, down, seed) => {
          const cfg = { ...config, patchSize, mergeSize };
          const width = across * patchSize * mergeSize;
          const height = down * patchSize * mergeSize;
          const data = Uint8Array.from(
            { length: width * height * 3 },
            (_, i) => Math.imul(i + seed, 2654435761) >>> 24,
          );
          const { pixelValues } = patchify({ width, height, data }, cfg);
          const area = patchSize ** 2;
          const wrong = pixelValues.findIndex((value, i) => {
            const patch = Math.floor(i / (6 * area));
            const channel = Math.floor(i / (2 * area)) % 3;
            const [y, x] = [Math.floor((i % area) / patchSize), i % patchSize];
            const block = Math.floor(patch / mergeSize ** 2);
            const inner = patch % mergeSize ** 2;
            const row =
              (Math.floor(block / across) * mergeSize + Math.floor(inner / mergeSize)) * patchSize + y;
            const column = ((block % across) * mergeSize + (inner % mergeSize)) * patchSize + x;
            const level = data[(row * width + column) * 3 + channel]!;
            return Math.abs(value * cfg.std[channel]! + cfg.mean[channel]! - level / 255) > 1e-6;
          });
          expect(wrong).toBe(-1);
        },
      ),
      { numRuns: 30 },
    );
  });

  it("refuses pictures that do not fit", () => {
    const image: RgbImage = { width: 30, height: 28, data: new Uint8Array(30 * 28 * 3) };
    expect(() => patchify(image, config)).toThrow("30 x 28");
    expect(() => resizeToModel({ ...image, data: new Uint8Array(3) }, config)).toThrow("it has 3");
  });
});

describe("resizeBicubic", () => {
  // Made by an integer-exact transcription of torchvision's kernel (numpy), which equals torchvision on random shapes.
  it.each(resizeCases)("$from to $to gives torchvision's pixels", ({ from, to, sha256 }) => {
    const [width, height] = from;
    const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => Math.imul(i, 2654435761) >>> 24);
    const resized = resizeBicubic({ width, height, data }, { width: to[0], height: to[1] });
    expect(createHash("sha256").update(resized.data).digest("hex")).toBe(sha256);
  });

  it("keeps a picture of the same size and any flat picture", () => {
    const size = fc.integer({ min: 1, max: 40 });
    fc.assert(
      fc.property(size, size, size, size, fc.nat(255), (width, height, toWidth, toHeight, level) => {
        const image = { width, height, data: new Uint8Array(width * height * 3).fill(level) };
        const out = resizeBicubic(image, { width: toWidth, height: toHeight });
        return out.data.length === toWidth * toHeight * 3 && out.data.every((value) => value === level);
      }),
    );
    const image = { width: 2, height: 2, data: Uint8Array.from({ length: 12 }, (_, i) => i) };
    expect(resizeBicubic(image, { width: 2, height: 2 })).toEqual(image);
  });
});

describe("image config", () => {
  it("is the same in all layouts, and as written by us", () => {
    const hub = fixtureJson<Record<string, unknown>>("model/preprocessor_config.json");
    expect(config).toMatchObject({ patchSize: 14, mergeSize: 2, minPixels: 6272, maxPixels: 21952 });
    expect(parseImageProcessorConfig(hub)).toEqual(config);
    expect(parseImageProcessorConfig(fixtureJson("model/processor_config.json"))).toEqual(config);
    expect(parseImageProcessorConfig(JSON.parse(JSON.stringify(formatImageProcessorConfig(config))))).toEqual(
      config,
    );
    const size = { min_pixels: 6272, max_pixels: 21952 };
    expect(parseImageProcessorConfig({ ...hub, min_pixels: undefined, max_pixels: null, size })).toEqual(
      config,
    );
  });

  it("names a key it cannot follow", () => {
    expect(() => parseImageProcessorConfig({ resample: 2 })).toThrow("resample");
    expect(() => parseImageProcessorConfig({ rescale_factor: 1 })).toThrow("rescale_factor: only 1/255");
    expect(() => parseImageProcessorConfig({ image_processor: { do_resize: false } })).toThrow(
      "image_processor: do_resize",
    );
    expect(() => parseImageProcessorConfig({ min_pixels: 9, max_pixels: 8 })).toThrow("min_pixels 9");
    expect(() => parseImageProcessorConfig({ image_processor_type: "CLIPImageProcessor" })).toThrow(
      "image_processor_type",
    );
  });

  it("is looked for in both files", async () => {
    const folder = await mkdtemp(join(tmpdir(), "image-config-"));
    await expect(loadImageProcessorConfig(folder)).rejects.toThrow("neither");
    await writeFile(join(folder, "processor_config.json"), "{}");
    await writeFile(join(folder, "preprocessor_config.json"), '{"patch_size": 8}');
    expect((await loadImageProcessorConfig(folder)).patchSize).toBe(8);
    await rm(folder, { recursive: true });
  });
});
