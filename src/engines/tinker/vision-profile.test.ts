import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { imageGrid, imageTokens } from "../../qwen/image-processor.js";
import { smartResize } from "../../qwen/smart-resize.js";
import { promptLength } from "../prompt-length.js";
import {
  clientLimits,
  loadRemoteProcessor,
  probePicture,
  profileOf,
  visionProfiles,
} from "./vision-profile.js";

const fixture = (path: string) =>
  fileURLToPath(new URL(`../../../test/fixtures/qwen2_5_vl/${path}`, import.meta.url));
const { "qwen2.5-vl": qwen25, "qwen3-vl": qwen3 } = visionProfiles;
const tokensOf = (width: number, height: number, image: typeof qwen3.image | typeof qwen25.image) =>
  imageTokens(imageGrid(smartResize({ width, height }, image), image), image.mergeSize);

describe("vision profiles", () => {
  // Counted by SkyRL's own tests with the published Qwen3-VL processor.
  it.each([
    [224, 224, 64],
    [150, 224, 70],
    [224, 150, 70],
    [400, 300, 108],
  ])("Qwen3-VL takes a picture of %s x %s as %s tokens", (width, height, tokens) => {
    expect(tokensOf(width, height, qwen3.image)).toBe(tokens);
  });

  it("sizes are those of transformers' Qwen3-VL processor on its tiny checkpoint", () => {
    const tiny = { ...qwen3.image, minPixels: 4096, maxPixels: 24_576 };
    expect(smartResize({ width: 190, height: 100 }, tiny)).toEqual({ width: 192, height: 96 });
  });

  it("sizes are those of transformers' Qwen2.5-VL processor", () => {
    const cases = JSON.parse(readFileSync(fixture("golden/smart_resize_cases.json"), "utf8")) as readonly {
      readonly h: number;
      readonly w: number;
      readonly min_pixels: number;
      readonly max_pixels: number;
      readonly out: readonly [number, number];
    }[];
    const published = cases.filter(
      (one) => one.min_pixels === qwen25.image.minPixels && one.max_pixels === qwen25.image.maxPixels,
    );
    expect(published.length).toBeGreaterThan(3);
    for (const { h, w, out } of published) {
      expect(smartResize({ width: w, height: h }, qwen25.image)).toEqual({ width: out[1], height: out[0] });
    }
  });

  it("send pictures at sizes that the server's own resize leaves alone", () => {
    const side = fc.integer({ min: 8, max: 6000 });
    fc.assert(
      fc.property(
        side,
        side,
        fc.constantFrom(qwen25, qwen3),
        fc.integer({ min: 262_144, max: 4e6 }),
        (w, h, profile, budget) => {
          // Thinner pictures than 16 to 1 may end below the model's least size when they are shrunk.
          fc.pre(Math.max(w, h) / Math.min(w, h) <= 16);
          const sent = smartResize({ width: w, height: h }, clientLimits(profile.image, budget));
          expect(smartResize(sent, profile.image)).toEqual(sent);
        },
      ),
    );
  });

  it("refuse a budget below what the model takes", () => {
    expect(() => clientLimits(qwen3.image, 1000)).toThrow("below the model's least");
  });

  it("are found by a model's config.json", () => {
    expect(profileOf({ model_type: "qwen3_vl" })).toMatchObject({
      name: "qwen3-vl",
      coordinates: "norm1000",
    });
    expect(() => profileOf({ model_type: "llava" })).toThrow('model_type "llava" is not known');
  });

  it("make prompts with vision tokens as text around the picture, without weights", async () => {
    const remote = await loadRemoteProcessor(fixture("model"));
    expect(remote).toMatchObject({ profile: { name: "qwen2.5-vl", coordinates: "absolute" } });
    const prompt = probePicture(remote);
    const { visionStart, visionEnd } = remote.processor.tokens;
    const [before, picture, after] = prompt.chunks;
    expect(before!.kind === "text" && before!.tokens.at(-1)).toBe(visionStart);
    expect(picture!.kind).toBe("image");
    expect(after!.kind === "text" && after!.tokens[0]).toBe(visionEnd);
    expect(promptLength(prompt)).toBeGreaterThan(10);
  });
});
