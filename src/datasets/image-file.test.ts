import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { InputError } from "../base/errors.js";
import type { RgbImage } from "../base/rgb-image.js";
import { decodeImage, encodePng, imageSize, loadPixels, writePng } from "./image-file.js";
import { generateScene } from "./scenes/index.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "dip-r1-images-"));
});

const picture: RgbImage = { width: 3, height: 2, data: Uint8Array.from({ length: 18 }, (_, i) => i * 14) };
const raw = (channels: 1 | 3 | 4) => ({ raw: { width: 3, height: 2, channels } });

describe("decodeImage and encodePng", () => {
  it("gives back what was written, byte for byte", async () => {
    const path = join(folder, "a.png");
    await writePng(path, picture);
    expect(await decodeImage(path)).toEqual(picture);
    expect(await decodeImage(await encodePng(picture))).toEqual(picture);
    expect(await encodePng(picture)).toEqual(await encodePng(picture));
  });

  it("lays transparency over white, or black where asked", async () => {
    const rgba = Uint8Array.from([
      255, 0, 0, 255, 255, 0, 0, 0, 0, 0, 0, 128, 1, 2, 3, 255, 4, 5, 6, 255, 7, 8, 9, 255,
    ]);
    const bytes = await sharp(rgba, raw(4)).png().toBuffer();
    const white = await decodeImage(bytes);
    expect(Array.from(white.data.subarray(0, 9))).toEqual([255, 0, 0, 255, 255, 255, 127, 127, 127]);
    const black = await decodeImage(bytes, { background: "black" });
    expect(Array.from(black.data.subarray(3, 9))).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it("makes three channels of 8 bits of grey, of 16 bits and of CMYK", async () => {
    const grey = await sharp(Uint8Array.of(0, 50, 100, 150, 200, 250), raw(1))
      .toColourspace("b-w")
      .png()
      .toBuffer();
    expect([...(await decodeImage(grey)).data]).toEqual(
      [0, 50, 100, 150, 200, 250].flatMap((v) => [v, v, v]),
    );
    const deep = await sharp(Uint8Array.from(picture.data), raw(3)).toColourspace("rgb16").png().toBuffer();
    expect((await sharp(deep).metadata()).depth).toBe("ushort");
    expect((await decodeImage(deep)).data).toEqual(picture.data);
    const cmyk = await sharp({ create: { width: 8, height: 8, channels: 3, background: "#f00" } })
      .toColourspace("cmyk")
      .jpeg()
      .toBuffer();
    const red = await decodeImage(cmyk);
    expect(red.data.length).toBe(8 * 8 * 3);
    expect(red.data[0]!).toBeGreaterThan(180);
    expect(red.data[1]!).toBeLessThan(80);
  });

  it("applies EXIF orientation", async () => {
    const path = join(folder, "turned.jpg");
    await sharp({ create: { width: 40, height: 20, channels: 3, background: "#f00" } })
      .composite([
        { input: { create: { width: 20, height: 20, channels: 3, background: "#00f" } }, left: 0, top: 0 },
      ])
      .withMetadata({ orientation: 6 })
      .jpeg({ quality: 95 })
      .toFile(path);
    expect(await imageSize(path)).toEqual({ width: 20, height: 40 });
    const image = await decodeImage(path);
    expect([image.width, image.height]).toEqual([20, 40]);
    // Orientation 6 is a quarter turn clockwise: what was left is on top.
    expect(image.data[2]!).toBeGreaterThan(200);
    expect(image.data[image.data.length - 3]!).toBeGreaterThan(200);
  });

  it("names the file in its errors", async () => {
    const missing = join(folder, "none.png");
    await expect(decodeImage(missing)).rejects.toThrow(`${missing}: no such image file`);
    await expect(imageSize(missing)).rejects.toThrow(InputError);
    const text = join(folder, "text.png");
    await writeFile(text, "not a picture");
    await expect(decodeImage(text)).rejects.toThrow(`${text}: cannot be read as an image`);
    const cut = join(folder, "cut.jpg");
    const scene = generateScene({ seed: 1, index: 0, width: 96, height: 96 });
    const whole = await sharp((await loadPixels(scene)).data, { raw: { width: 96, height: 96, channels: 3 } })
      .jpeg()
      .toBuffer();
    await writeFile(cut, whole.subarray(0, whole.length / 2));
    await expect(decodeImage(cut)).rejects.toThrow(cut);
    await expect(decodeImage(Uint8Array.of(1, 2), { name: "upload" })).rejects.toThrow(
      "upload: cannot be read",
    );
  });
});

describe("loadPixels", () => {
  it("hands out pixels in memory and decodes files", async () => {
    const scene = generateScene({ seed: 1, index: 0, width: 96, height: 80 });
    const pixels = await loadPixels(scene);
    const path = join(folder, "scene.png");
    await writePng(path, pixels);
    expect(await loadPixels({ ...scene, image: { kind: "file", path } })).toEqual(pixels);
  });

  it("refuses a picture of another size than the annotations were made for", async () => {
    const path = join(folder, "small.png");
    await writePng(path, picture);
    const sample = {
      id: "s1",
      image: { kind: "file", path } as const,
      width: 6,
      height: 4,
      objects: [],
      ignore: [],
    };
    await expect(loadPixels(sample)).rejects.toThrow(
      /is 3x2, but the annotations of sample "s1" are for 6x4/,
    );
  });
});
