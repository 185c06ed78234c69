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
import { evaluationDetails, knownScoreSources } from "./evaluate-details.js";
import { writtenBoxes } from "./evaluate-frame.js";
import { evaluateImages, judgeImage, type EvaluatedImage, type EvaluationConfig } from "./evaluate.js";
import {
  averagePrecisionOf,
  cocoImages,
  evaluationIntervals,
  summarizeEvaluation,
} from "./evaluation-summary.js";
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

describe("profiles", () => {
  const sample = { id: "a", width: 500, height: 250 };
  const objects = [{ box: box<"norm1000">(100, 200, 300, 800), label: "person", visibility: 0.4 }];
  const truth = { size: { width: 1000, height: 1000 }, objects, ignore: [] };
  const text = "<think>one</think><look>[]</look><answer>[[100,200,300,800]]</answer>";
  const codec = { ...fakeCodec, decode: () => text, spans: () => [{ start: 0, end: text.length }] };
  const rollout: Rollout = {
    tokens: Int32Array.of(5),
    logprobs: Float32Array.of(Math.log(0.5)),
    stopReason: "stop",
  };

  it("reads thousandths where the model speaks them", () => {
    const image = judgeImage(
      sample,
      { prompt: { chunks: [] }, truth },
      [rollout],
      codec,
      config.rewards,
      "norm1000",
    );
    expect(image.profile).toBe("norm1000");
    expect(image.shown).toBeUndefined();
    expect(image.truth.objects).toEqual([{ box: box(50, 50, 150, 200), label: "person", visibility: 0.4 }]);
    expect(image.responses[0]!.answer[0]!.box).toEqual(box(50, 50, 150, 200));
    expect(image.responses[0]).toMatchObject({ accuracy: 1, matches: [0] });
    expect(image.responses[0]!.probabilities![0]!.mean).toBeCloseTo(0.5, 6);
  });

  it("remembers the size that was shown", () => {
    const pixels = { width: 84, height: 56, data: new Uint8Array(84 * 56 * 3) };
    const prompt = { chunks: [{ kind: "image" as const, image: pixels, tokens: 6 }] };
    const image = judgeImage(sample, { prompt, truth }, [rollout], codec, config.rewards, "norm1000");
    expect(image.shown).toEqual({ width: 84, height: 56 });
  });

  it("has no probabilities where the sampler told none", () => {
    const silent = { ...rollout, logprobs: new Float32Array(0) };
    const image = judgeImage(
      sample,
      { prompt: { chunks: [] }, truth },
      [silent],
      codec,
      config.rewards,
      "norm1000",
    );
    expect(image.responses[0]!.probabilities).toBeUndefined();
    expect(knownScoreSources([image])).toEqual(["order", "one"]);
    expect(() => averagePrecisionOf([image], "logprob")).toThrow(RangeError);
  });
});

describe("evaluationDetails", () => {
  it("gives AP under every source, with the bounds of its ties", async () => {
    const images = await evaluate({ temperature: 1, n: 4, seed: 2 });
    const details = evaluationDetails(images);
    expect(details.averagePrecision.map(({ scoreSource }) => scoreSource)).toEqual([
      "order",
      "one",
      "logprob",
      "logprob-min",
      "consensus",
    ]);
    const summary = summarizeEvaluation(images);
    const [order] = details.averagePrecision;
    expect(order).toMatchObject({ ap: summary.ap, ap50: summary.ap50, ties: summary.ties });
    for (const { ap, ap50, ties } of details.averagePrecision) {
      expect(ties.ap!.worst).toBeLessThanOrEqual(ap! + 1e-12);
      expect(ties.ap!.best).toBeGreaterThanOrEqual(ap! - 1e-12);
      expect(ties.ap50!.worst).toBeLessThanOrEqual(ap50! + 1e-12);
      expect(ties.ap50!.best).toBeGreaterThanOrEqual(ap50! - 1e-12);
    }
    expect(details.averagePrecision[1]!.ties.tiedShare).toBe(1);
    // What is at 0.5 and 0.75 is on the curve.
    expect(details.curve.f1[0]).toBe(summary.f1);
    expect(details.curve.f1[5]).toBe(summary.at75.f1);
    expect(details.localization.pairs).toBe(
      images.flatMap(({ responses }) => responses).reduce((sum, one) => sum + one.at50.truePositives, 0),
    );
    expect(details.slices.some(({ by }) => by === "crowding")).toBe(true);
  });

  it("is perfect on the ground truth as the answer, told four times", () => {
    const images = samples.map((sample) =>
      judgeImage(
        sample,
        fakeEncode(sample),
        Array.from({ length: 4 }, () => said(fakeTeacher(sample))),
        fakeCodec,
        config.rewards,
      ),
    );
    const details = evaluationDetails(images);
    for (const { ap, ties } of details.averagePrecision) {
      expect(ap).toBeCloseTo(1, 9);
      expect(ties.ap!.worst).toBeCloseTo(1, 9);
    }
    expect(details.majority).toEqual({ precision: 1, recall: 1, f1: 1 });
    expect(details.curve.meanF1).toBe(1);
    expect(details.localization.error).toBeCloseTo(0, 12);
    expect(details.falsePositives.duplicateShare).toBe(0);
    expect(details.slices.every(({ recall }) => recall === 1)).toBe(true);
  });

  it("fuses boxes with and without the only label there is", async () => {
    const [image] = await evaluate();
    const [object] = image!.truth.objects;
    const response = (label?: string) => ({
      ...image!.responses[0]!,
      answer: [{ box: object!.box, label }],
      matches: [0],
      probabilities: [{ mean: 0.5, min: 0.5 }],
    });
    const mixed = { ...image!, responses: [response("person"), response()] };
    expect(cocoImages([mixed], 0, "consensus")[0]!.detections).toMatchObject([{ label: "person", score: 1 }]);
    expect(evaluationDetails([mixed]).majority).toMatchObject({ precision: 1, recall: 0.5 });
  });

  it("has no majority of single responses, and nothing of no images", async () => {
    const details = evaluationDetails(await evaluate());
    expect(details.majority).toBeNull();
    expect(knownScoreSources([])).toEqual(["order", "one"]);
    expect(evaluationDetails([]).averagePrecision[0]).toMatchObject({ ap: null, ap50: null });
  });
});

describe("the frame of evaluated responses", () => {
  it("is read from the numbers as written, those that the parser must drop included", () => {
    expect(
      writtenBoxes(
        '<look>[[9,9,10,10]]</look><answer>[{"bbox_2d": [ 1500, 20.5, -3 , 4],"label":"a [b]"},[1,2,3],[1,2,3,4',
      ),
    ).toEqual([[1500, 20.5, -3, 4]]);
    expect(writtenBoxes("[1,2,3,4] and [5,6,7,8]")).toHaveLength(2);
    expect(writtenBoxes("")).toEqual([]);
    expect(writtenBoxes(`<answer>${"[1,".repeat(50_000)}${"1".repeat(50_000)}`)).toEqual([]);
  });

  const people = [
    [10, 20, 60, 140],
    [200, 30, 250, 170],
    [400, 50, 460, 190],
  ] as const;
  /** Images of 1280 x 720, shown at 644 x 364; `write` says what the model makes of a box in original pixels. */
  const judged = (write: (x1: number, y1: number, x2: number, y2: number) => number[]) =>
    Array.from({ length: 4 }, (_, i) => {
      const boxes = people.map((corners) => corners.map((value) => value + 3 * i));
      const toModel = ([x1, y1, x2, y2]: number[]) =>
        box<"model">((x1! * 644) / 1280, (y1! * 364) / 720, (x2! * 644) / 1280, (y2! * 364) / 720);
      const answer = boxes.map(([x1, y1, x2, y2]) =>
        write(x1!, y1!, x2!, y2!).map((v) => Number(v.toFixed(3))),
      );
      const text = `<think>x</think><look>[]</look><answer>${JSON.stringify(answer)}</answer>`;
      const codec = { ...fakeCodec, decode: () => text, spans: () => [{ start: 0, end: text.length }] };
      return judgeImage(
        { id: `i${i}`, width: 1280, height: 720 },
        {
          prompt: { chunks: [] },
          truth: {
            size: { width: 644, height: 364 },
            objects: boxes.map((one) => ({ box: toModel(one), label: "person" })),
            ignore: [],
          },
        },
        [{ tokens: Int32Array.of(5), logprobs: Float32Array.of(0), stopReason: "stop" }],
        codec,
        config.rewards,
      );
    });
  const model = (x1: number, y1: number, x2: number, y2: number) => [
    (x1 * 644) / 1280,
    (y1 * 364) / 720,
    (x2 * 644) / 1280,
    (y2 * 364) / 720,
  ];

  it.each([
    ["pixels of the original", (...b: number[]) => b, { scale: "image", layout: "xyxy" }],
    [
      "thousandths",
      (x1: number, y1: number, x2: number, y2: number) => [x1 / 1.28, y1 / 0.72, x2 / 1.28, y2 / 0.72],
      { scale: "norm1000", layout: "xyxy" },
    ],
    [
      "shares",
      (x1: number, y1: number, x2: number, y2: number) => [x1 / 1280, y1 / 720, x2 / 1280, y2 / 720],
      { scale: "norm1", layout: "xyxy" },
    ],
    [
      "widths and heights",
      (...b: [number, number, number, number]) => {
        const [x1, y1, x2, y2] = model(...b) as [number, number, number, number];
        return [x1, y1, x2 - x1, y2 - y1];
      },
      { scale: "model", layout: "xywh" },
    ],
    [
      "y before x",
      (...b: [number, number, number, number]) => {
        const [x1, y1, x2, y2] = model(...b) as [number, number, number, number];
        return [y1, x1, y2, x2];
      },
      { scale: "model", layout: "yxyx" },
    ],
  ])("%s are named, and nothing is rescaled", (_, write, expected) => {
    const images = judged(write);
    const { frame, f1 } = summarizeEvaluation(images);
    expect(frame.better).toMatchObject(expected);
    expect(frame.declared).toMatchObject({ scale: "model", layout: "xyxy" });
    expect(f1).toBeLessThan(0.5);
  });

  it("right ones are not remarked upon", () => {
    expect(summarizeEvaluation(judged(model))).toMatchObject({ f1: 1, frame: { better: null } });
  });
});
