import { expect, it } from "vitest";
import { evaluatedImages } from "../../test/support/evaluated-images.js";
import type { EvaluatedImage } from "../rl/index.js";
import { imageMetrics, imageNumbers, orderImages, type ImageMetric } from "./image-changes.js";

const [stand] = evaluatedImages({ seed: 1, images: 1 }) as [EvaluatedImage];
/** An image with these hits, boxes and objects. */
const image = (truePositives: number, predictions: number, truths: number): EvaluatedImage => {
  const at50 = { truePositives, predictions, truths };
  return { ...stand, responses: [{ ...stand.responses[0]!, at50, at75: at50 }] };
};

const before = [image(1, 2, 4), image(4, 4, 4), image(2, 4, 4), image(0, 0, 0)];
const after = [image(3, 3, 4), image(2, 4, 4), image(2, 4, 4), image(0, 0, 0)];

it("counts over all responses of an image", () => {
  const two = { ...stand, responses: [image(1, 1, 4), image(1, 5, 4)].map(({ responses }) => responses[0]!) };
  expect(imageNumbers(two)).toMatchObject({ precision: 2 / 6, recall: 2 / 8, f1: 4 / 14, countError: 2 });
});

it.each([
  ["gain", [0, 2, 3, 1]],
  ["loss", [1, 2, 3, 0]],
  ["change", [0, 1, 2, 3]],
  ["worst", [1, 2, 0, 3]],
  ["judged", [0, 1, 2, 3]],
] as const)("orders by %s", (order, expected) => {
  const ordered = orderImages([before, after], { baseline: 0, target: 1, order });
  expect(ordered.map(({ index }) => index)).toEqual(expected);
});

it("turns gains so that above zero is better, whatever is measured", () => {
  const better = [image(4, 4, 4)];
  const worse = [image(1, 8, 4)];
  for (const by of Object.keys(imageMetrics) as ImageMetric[]) {
    expect(orderImages([worse, better], { baseline: 0, target: 1, by })[0]!.gain).toBeGreaterThan(0);
    expect(orderImages([better, worse], { baseline: 0, target: 1, by })[0]!.gain).toBeLessThan(0);
  }
});
