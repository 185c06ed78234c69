import fc from "fast-check";
import sharp from "sharp";
import { describe, expect, it } from "vitest";
import { jpegSizeOf } from "./jpeg-size.js";

const blank = (width: number, height: number) =>
  sharp({ create: { width, height, channels: 3, background: "#345" } });

describe("jpegSizeOf", () => {
  it.each([
    ["baseline", { progressive: false }],
    ["progressive", { progressive: true }],
    ["optimised", { mozjpeg: true }],
  ])("reads what the decoder reads: %s", async (_, options) => {
    for (const [width, height] of [
      [1, 1],
      [301, 200],
      [64, 777],
    ] as const)
      expect(jpegSizeOf(await blank(width, height).jpeg(options).toBuffer())).toEqual({ width, height });
  });

  it("leaves to the decoder what may be turned, is cut off or is no JPEG", async () => {
    const turned = await blank(30, 20).withMetadata({ orientation: 6 }).jpeg().toBuffer();
    expect(jpegSizeOf(turned)).toBeUndefined();
    const plain = await blank(30, 20).jpeg().toBuffer();
    expect(jpegSizeOf(plain.subarray(0, 40))).toBeUndefined();
    expect(jpegSizeOf(await blank(30, 20).png().toBuffer())).toBeUndefined();
    expect(jpegSizeOf(new Uint8Array(0))).toBeUndefined();
  });

  it("never throws, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const size = jpegSizeOf(Uint8Array.of(0xff, 0xd8, ...bytes)) ?? { width: 1, height: 1 };
        expect(Math.min(size.width, size.height)).toBeGreaterThan(0);
      }),
    );
  });
});
