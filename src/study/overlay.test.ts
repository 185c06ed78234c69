import { createCanvas, loadImage } from "@napi-rs/canvas";
import { describe, expect, it } from "vitest";
import type { RgbImage } from "../base/index.js";
import { box } from "../geometry/box.js";
import { renderPanels } from "./overlay.js";
import { heatColour } from "./palette.js";

const grey: RgbImage = { width: 60, height: 40, data: new Uint8Array(60 * 40 * 3).fill(120) };

/** [r, g, b] of a pixel of a PNG. */
async function pixels(png: Buffer) {
  const image = await loadImage(png);
  const canvas = createCanvas(image.width, image.height);
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const at = (x: number, y: number) => Array.from(context.getImageData(x, y, 1, 1).data.subarray(0, 3));
  return { width: image.width, height: image.height, at };
}

describe("renderPanels", () => {
  it("scales a small image up and draws answers where they are", async () => {
    const png = await renderPanels(
      [{ image: grey, answers: [{ box: box<"image">(10, 10, 30, 30), verdict: "hit" }] }],
      { minSide: 480, legend: false },
    );
    const { width, height, at } = await pixels(png);
    expect([width, height]).toEqual([480 + 24, 320 + 24]);
    const [r, g, b] = at(12 + 20 * 8, 12 + 10 * 8);
    expect(r! > 200 && g! > 100 && g! < 190 && b! < 90).toBe(true);
    expect(at(12 + 20 * 8, 12 + 20 * 8)).toEqual([120, 120, 120]);
  });

  it("dashes false alarms and leaves hits whole", async () => {
    const edge = async (verdict: "hit" | "miss") => {
      const { at } = await pixels(
        await renderPanels([{ image: grey, answers: [{ box: box<"image">(5, 20, 55, 39), verdict }] }], {
          legend: false,
        }),
      );
      return Array.from({ length: 380 }, (_, i) => at(12 + 50 + i, 12 + 160)).filter(([r]) => r! > 200)
        .length;
    };
    expect(await edge("hit")).toBe(380);
    expect(await edge("miss")).toBeGreaterThan(100);
    expect(await edge("miss")).toBeLessThan(300);
  });

  it("puts panels side by side, tints what is looked at, and warms what is disputed", async () => {
    const heat = { columns: 2, rows: 1, cell: 30, values: [0, 1] };
    const png = await renderPanels(
      [
        { image: grey, title: "one", look: [box<"image">(0, 0, 30, 40)] },
        { image: grey, title: "two", heat },
      ],
      { legend: false },
    );
    const { width, at } = await pixels(png);
    expect(width).toBe(12 + 2 * (480 + 12));
    const looked = at(12 + 120, 150);
    expect(looked[1]! - looked[0]!).toBeGreaterThan(10);
    const calm = at(12 + 492 + 120, 150);
    const disputed = at(12 + 492 + 360, 150);
    expect(disputed[0]! - calm[0]!).toBeGreaterThan(100);
  });

  it("has a legend only for what is there", async () => {
    const bare = await pixels(await renderPanels([{ image: grey }]));
    const full = await pixels(await renderPanels([{ image: grey, ignore: [box<"image">(0, 0, 9, 9)] }]));
    expect(full.height).toBeGreaterThan(bare.height);
  });
});

describe("heatColour", () => {
  it("rises in lightness and bears values outside 0..1", () => {
    const lightness = (value: number) =>
      heatColour(value)
        .match(/\d+/g)!
        .slice(0, 3)
        .reduce((sum, part) => sum + Number(part), 0);
    expect(lightness(1)).toBeGreaterThan(lightness(0.5));
    expect(lightness(0.5)).toBeGreaterThan(lightness(0.1));
    expect(heatColour(7)).toBe(heatColour(1));
  });
});
