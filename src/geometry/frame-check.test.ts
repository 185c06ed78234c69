import { describe, expect, it } from "vitest";
import { createRng } from "../base/rng.js";
import type { Box } from "./box.js";
import {
  checkFrame,
  frameWarning,
  type BoxLayout,
  type CoordinateScale,
  type FrameEvidence,
  type WrittenBox,
} from "./frame-check.js";

const SIZES = [
  { image: { width: 1920, height: 1080 }, model: { width: 1316, height: 728 } },
  { image: { width: 640, height: 960 }, model: { width: 644, height: 952 } },
  { image: { width: 2400, height: 1600 }, model: { width: 1204, height: 812 } },
];

/** Pictures with people in pixels of the original. */
function pictures(seed: number, count = 6, people = 6) {
  const rng = createRng(seed);
  return Array.from({ length: count }, (_, i) => {
    const sizes = SIZES[i % SIZES.length]!;
    const { width, height } = sizes.image;
    const truth = Array.from({ length: people }, (): Box<"image"> => {
      const [w, h] = [width * rng.uniform(0.04, 0.12), height * rng.uniform(0.1, 0.3)];
      const [x, y] = [rng.uniform(0, width - w), rng.uniform(0, height - h)];
      return { x1: x, y1: y, x2: x + w, y2: y + h };
    });
    return { ...sizes, truth };
  });
}

function write(
  box: Box<"image">,
  scale: CoordinateScale,
  layout: BoxLayout,
  sizes: (typeof SIZES)[0],
): WrittenBox {
  const canvas = {
    model: sizes.model,
    image: sizes.image,
    norm1000: { width: 1000, height: 1000 },
    norm1: { width: 1, height: 1 },
  }[scale];
  const { width, height } = sizes.image;
  const x = (value: number) => (value * canvas.width) / width;
  const y = (value: number) => (value * canvas.height) / height;
  const [x1, y1, x2, y2] = [x(box.x1), y(box.y1), x(box.x2), y(box.y2)];
  const numbers: Record<BoxLayout, WrittenBox> = {
    xyxy: [x1, y1, x2, y2],
    xywh: [x1, y1, x2 - x1, y2 - y1],
    cxcywh: [(x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1],
    yxyx: [y1, x1, y2, x2],
  };
  const digits = scale === "norm1" ? 1000 : 1;
  return numbers[layout].map((value) => Math.round(value * digits) / digits) as unknown as WrittenBox;
}

/** Answers with errors: boxes shaken by `jitter` of their size, a share left out, a share made up. */
function answers(
  seed: number,
  scale: CoordinateScale,
  layout: BoxLayout,
  { jitter = 0.05, missed = 0.2, invented = 0.2, count = 6, people = 6 } = {},
): FrameEvidence[] {
  const rng = createRng(seed + 1000);
  return pictures(seed, count, people).map(({ truth, image, model }) => {
    const said = truth.flatMap((box) => {
      if (rng.next() < missed) return [];
      const [w, h] = [box.x2 - box.x1, box.y2 - box.y1];
      const shake = (size: number) => rng.uniform(-jitter, jitter) * size;
      return [{ x1: box.x1 + shake(w), y1: box.y1 + shake(h), x2: box.x2 + shake(w), y2: box.y2 + shake(h) }];
    });
    while (rng.next() < invented) {
      const [x, y] = [rng.uniform(0, image.width * 0.8), rng.uniform(0, image.height * 0.8)];
      said.push({ x1: x, y1: y, x2: x + image.width * 0.1, y2: y + image.height * 0.2 });
    }
    return {
      written: said.map((box) => write(box, scale, layout, { image, model })),
      truth,
      ignore: [],
      image,
      model,
    };
  });
}

describe("checkFrame", () => {
  const mistakes: [CoordinateScale, BoxLayout][] = [
    ["image", "xyxy"],
    ["norm1000", "xyxy"],
    ["norm1", "xyxy"],
    ["model", "xywh"],
    ["model", "yxyx"],
    ["model", "cxcywh"],
    ["image", "xywh"],
    ["norm1000", "yxyx"],
    ["norm1", "cxcywh"],
  ];

  it.each(mistakes)("names %s %s for what it is", (scale, layout) => {
    for (const seed of [1, 2, 3]) {
      const { better, declared } = checkFrame(answers(seed, scale, layout));
      expect(better).toMatchObject({ scale, layout });
      expect(better!.fit).toBeGreaterThan(0.6);
      expect(declared.fit).toBeLessThan(0.5);
    }
  });

  it("notices it on a weak model too", () => {
    const weak = answers(4, "norm1000", "xyxy", { jitter: 0.15, missed: 0.6, invented: 0.4, count: 20 });
    expect(checkFrame(weak).better).toMatchObject({ scale: "norm1000", layout: "xyxy" });
  });

  it("takes thousandths for granted where they are declared", () => {
    const norm = answers(5, "norm1000", "xyxy");
    expect(checkFrame(norm, { scale: "norm1000", layout: "xyxy" }).better).toBeNull();
    const pixels = answers(5, "model", "xyxy");
    expect(checkFrame(pixels, { scale: "norm1000", layout: "xyxy" }).better).toMatchObject({
      scale: "model",
    });
  });

  it("is silent on honest predictions, however weak", () => {
    for (let seed = 0; seed < 30; seed++) {
      for (const [jitter, missed, invented] of [
        [0.02, 0, 0],
        [0.1, 0.3, 0.3],
        [0.25, 0.5, 0.5],
        [0.4, 0.7, 0.7],
        [1, 0.5, 0.8],
      ] as const) {
        const evidence = answers(seed, "model", "xyxy", { jitter, missed, invented });
        expect(checkFrame(evidence).better).toBeNull();
      }
    }
  });

  it("is silent on boxes at random, in a crowd and alone", () => {
    for (let seed = 0; seed < 30; seed++) {
      for (const people of [1, 5, 40]) {
        const rng = createRng(seed);
        const evidence = pictures(seed, 5, people).map(({ truth, image, model }) => ({
          written: Array.from({ length: people }, (): WrittenBox => {
            const [x, y] = [rng.uniform(0, model.width * 0.9), rng.uniform(0, model.height * 0.8)];
            return [
              x,
              y,
              x + model.width * rng.uniform(0.04, 0.12),
              y + model.height * rng.uniform(0.1, 0.3),
            ];
          }),
          truth,
          ignore: [],
          image,
          model,
        }));
        expect(checkFrame(evidence).better).toBeNull();
      }
    }
  });

  it("is silent on one box said again and again, on nothing, and on too little", () => {
    const stuck = pictures(1).map(({ truth, image, model }) => ({
      written: Array.from({ length: 6 }, (): WrittenBox => [0, 0, 300, 300]),
      truth,
      ignore: [],
      image,
      model,
    }));
    expect(checkFrame(stuck).better).toBeNull();
    expect(checkFrame([]).better).toBeNull();
    const few = answers(1, "norm1000", "xyxy", { count: 1, people: 2 });
    expect(checkFrame(few).better).toBeNull();
  });

  it("does not tell frames apart that are one, nor those it does not know", () => {
    const same = pictures(3).map(({ truth, image }) => ({
      written: truth.map((box) => write(box, "image", "xyxy", { image, model: image })),
      truth,
      ignore: [],
      image,
      model: image,
    }));
    expect(checkFrame(same).better).toBeNull();
    const unknown = answers(6, "model", "xyxy").map((one) => ({ ...one, model: undefined }));
    expect(checkFrame(unknown, { scale: "norm1000", layout: "xyxy" }).better?.scale).not.toBe("model");
  });

  it("leaves boxes in ignore regions out", () => {
    const [first] = answers(7, "model", "xyxy", { missed: 0, invented: 0, count: 1, jitter: 0 });
    const whole = { x1: 0, y1: 0, x2: first!.image.width, y2: first!.image.height };
    const extra: FrameEvidence = { ...first!, written: [...first!.written, [1, 1, 90, 20]], ignore: [whole] };
    expect(checkFrame([extra]).declared.fit).toBeCloseTo(checkFrame([first!]).declared.fit, 12);
  });

  it("says it in words", () => {
    const words = frameWarning(checkFrame(answers(1, "norm1000", "xyxy")))!;
    expect(words).toContain("read as thousandths of the picture (x1, y1, x2, y2)");
    expect(words).toContain("Nothing was rescaled");
    expect(frameWarning(checkFrame(answers(1, "model", "xyxy")))).toBeUndefined();
  });
});
