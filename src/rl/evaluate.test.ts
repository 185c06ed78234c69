import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createFakeEngine,
  fakeCodec,
  fakeEncode,
  fakeSample,
  fakeTeacher,
} from "../../test/support/fake-engine.js";
import type { Rollout } from "../engines/contract.js";
import { box } from "../geometry/box.js";
import { matchInstances } from "../metrics/precision-recall.js";
import { defaultRewardConfig, matchAnswer } from "../rewards/index.js";
import { evaluateImages, judgeImage, type EvaluatedImage, type EvaluationConfig } from "./evaluate.js";
import { evaluationIntervals, summarizeEvaluation } from "./evaluation-summary.js";
import { completionTokens } from "./sft.js";

const config: EvaluationConfig = { maxTokens: 14, rewards: defaultRewardConfig };
const samples = Array.from({ length: 10 }, (_, i) => fakeSample(i));

async function evaluate(over: Partial<EvaluationConfig> = {}): Promise<EvaluatedImage[]> {
  const sampler = await createFakeEngine().sampler();
  const images: EvaluatedImage[] = [];
  const options = { sampler, samples, encode: fakeEncode, codec: fakeCodec, config: { ...config, ...over } };
  for await (const image of evaluateImages(options)) images.push(image);
  return images;
}

const said = (text: string): Rollout => {
  const tokens = completionTokens(text, fakeCodec);
  return { tokens, logprobs: new Float32Array(tokens.length), stopReason: "stop" };
};

describe("evaluateImages", () => {
  it("judges each sample in order, whatever is decoded together", async () => {
    const images = await evaluate({ temperature: 1, n: 2, seed: 4 });
    expect(images.map(({ id }) => id)).toEqual(samples.map(({ id }) => id));
    expect(images.every(({ responses }) => responses.length === 2)).toBe(true);
    expect(await evaluate({ temperature: 1, n: 2, seed: 4, batchSize: 3 })).toEqual(images);
    expect(await evaluate({ temperature: 1, n: 2, seed: 5 })).not.toEqual(images);
  });

  it("gives boxes in pixels of the original image", () => {
    const sample = fakeSample(0);
    const image = judgeImage(
      sample,
      fakeEncode(sample),
      [said(fakeTeacher(sample))],
      fakeCodec,
      config.rewards,
    );
    expect(image.truth.objects[1]!.box).toEqual({ x1: 40, y1: 0, x2: 80, y2: 80 });
    expect(image.responses[0]!.answer[1]!.box).toEqual({ x1: 40, y1: 0, x2: 80, y2: 80 });
    expect(image.responses[0]).toMatchObject({ grade: "strict", format: 1, accuracy: 1, matches: [0, 1] });
    expect(image.responses[0]!.lookReward).toBeUndefined();
  });

  it("gives 1 to the ground truth as the answer", () => {
    const images = samples.map((sample) =>
      judgeImage(sample, fakeEncode(sample), [said(fakeTeacher(sample))], fakeCodec, config.rewards),
    );
    const summary = summarizeEvaluation(images);
    expect(summary).toMatchObject({
      precision: 1,
      recall: 1,
      f1: 1,
      strictShare: 1,
      images: 10,
      scoreSource: "order",
    });
    expect(summary.at75.f1).toBe(1);
    expect(summary.ap50).toBeCloseTo(1, 9);
    expect(summary.counting).toEqual({ mae: 0, rmse: 0, bias: 0 });
    expect(summary.rewards).toEqual({ format: 1, accuracy: 1, look: null });
  });

  it("adds up over responses of every kind", () => {
    const sample = fakeSample(0);
    const image = judgeImage(
      sample,
      fakeEncode(sample),
      [
        said(fakeTeacher(sample)),
        said(fakeTeacher(fakeSample(1))),
        said("<think>some people</think><look>["),
      ],
      fakeCodec,
      config.rewards,
    );
    const summary = summarizeEvaluation([image]);
    expect(summary).toMatchObject({ precision: 0.5, recall: 1 / 3, f1: 0.4, responses: 3 });
    expect(summary.counting.mae).toBeCloseTo(2 / 3, 12);
    expect(summary.ap50).toBeCloseTo(1 / 3, 9);
    expect(summary.grades.none + summary.grades.truncated).toBeCloseTo(1 / 3, 12);
    expect(summary.rewards.look).not.toBeNull();
  });

  it("has intervals that hold the number", async () => {
    const images = await evaluate({ temperature: 1, n: 4 });
    const { f1 } = evaluationIntervals(images, { seed: 1, resamples: 300 });
    expect(f1.value).toBe(summarizeEvaluation(images).f1);
    expect(f1.low).toBeLessThan(f1.value);
    expect(f1.high).toBeGreaterThan(f1.value);
  });
});

describe("matchInstances", () => {
  it("is the accuracy reward's matching", () => {
    const boxes = fc.array(
      fc.record({
        box: fc
          .tuple(fc.nat(20), fc.nat(20), fc.integer({ min: 4, max: 12 }), fc.integer({ min: 4, max: 12 }))
          .map(([x, y, w, h]) => box<"model">(x, y, x + w, y + h)),
        label: fc.constantFrom("person", "dog"),
      }),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(boxes, boxes, boxes, fc.boolean(), (predicted, objects, ignore, labelled) => {
        const truth = { objects, ignore: ignore.slice(0, 2).map(({ box: region }) => region) };
        const answers = predicted.map((p) => ({ box: p.box, label: labelled ? p.label : undefined }));
        const ours = matchInstances(answers, truth, 0.5);
        const theirs = matchAnswer(
          { ...truth, size: { width: 64, height: 64 } },
          answers.map((answer) => ({ ...answer, start: 0, end: 0 })),
          0.5,
        );
        expect(ours.matches).toEqual([...theirs.matches]);
        expect(ours).toMatchObject({ truePositives: theirs.truePositives, predictions: theirs.predictions });
      }),
    );
  });
});
