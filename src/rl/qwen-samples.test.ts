import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { generateScene } from "../datasets/scenes/index.js";
import { loadProcessor } from "../qwen/processor.js";
import { parseResponse } from "../response/index.js";
import { accuracyReward, defaultRewardConfig } from "../rewards/index.js";
import { promptLength } from "../engines/prompt-length.js";
import { qwenCodec, qwenEncoder, qwenTeacher } from "./qwen-samples.js";
import { completionTokens } from "./sft.js";
import { evaluateImages, judgeImage } from "./evaluate.js";
import { responseSpans, responseText } from "./text.js";

const folder = fileURLToPath(new URL("../../test/fixtures/qwen2_5_vl/model", import.meta.url));
const processor = await loadProcessor(folder);
const codec = qwenCodec(processor);
const labels = ["person"];
const sample = generateScene({ seed: 3, index: 1, width: 150, height: 110, people: { min: 4, max: 6 } });
const encode = qwenEncoder(processor, { prompt: "dip-r1-short", labels });

describe("qwenEncoder", () => {
  it("puts the picture into the prompt and the truth into its frame", async () => {
    const { prompt, truth } = await encode(sample);
    const shown = prompt.chunks.find((chunk) => chunk.kind === "image")!;
    expect(truth.size).toEqual({ width: shown.image.width, height: shown.image.height });
    expect(truth.objects).toHaveLength(sample.objects.length);
    const [first] = sample.objects;
    expect(truth.objects[0]!.box.x2 / truth.size.width).toBeCloseTo(first!.box.x2 / sample.width, 9);
    expect(promptLength(prompt)).toBeGreaterThan(shown.tokens);
  });
});

describe("qwenTeacher", () => {
  it("writes what reads back as the ground truth, end token and all", async () => {
    const encoded = await encode(sample);
    const text = qwenTeacher({ labels })(sample, encoded);
    const tokens = completionTokens(text, codec);
    const rollout = { tokens, logprobs: new Float32Array(tokens.length), stopReason: "stop" } as const;
    expect(responseText(rollout, codec)).toBe(text);
    const parsed = parseResponse(text, encoded.truth.size);
    expect(parsed.grade).toBe("strict");
    expect(accuracyReward(encoded.truth, parsed, defaultRewardConfig.accuracy).value).toBe(1);

    // Every box's text is spelled by the tokens that its span finds.
    const spans = responseSpans(rollout, codec);
    expect(spans).toHaveLength(tokens.length);
    for (const { start, end } of parsed.answer!.boxes) {
      const within = spans.filter((span) => span.end > start && span.start < end);
      expect(within[0]!.start).toBeLessThanOrEqual(start);
      expect(within.at(-1)!.end).toBeGreaterThanOrEqual(end);
    }
  });
});

describe("the profile norm1000", () => {
  const thousandths = qwenEncoder(processor, { prompt: "dip-r1", labels, profile: "norm1000" });

  it("asks for thousandths and has the ground truth in them, over the same picture", async () => {
    const { prompt, truth } = await thousandths(sample);
    const pixels = await qwenEncoder(processor, { prompt: "dip-r1", labels })(sample);
    expect(truth.size).toEqual({ width: 1000, height: 1000 });
    const scale = [sample.width / 1000, sample.height / 1000] as const;
    sample.objects.forEach(({ box }, i) => {
      expect(truth.objects[i]!.box.x1 * scale[0]).toBeCloseTo(Math.max(0, box.x1), 9);
      expect(truth.objects[i]!.box.y2 * scale[1]).toBeCloseTo(Math.min(sample.height, box.y2), 9);
    });
    const text = ({ chunks }: typeof prompt) =>
      chunks.map((chunk) => (chunk.kind === "text" ? codec.decode(chunk.tokens) : "[picture]")).join("");
    expect(text(prompt)).toContain("whole thousandths");
    expect(text(pixels.prompt)).not.toContain("thousandths");
    expect(prompt.chunks.filter(({ kind }) => kind === "image")).toEqual(
      pixels.prompt.chunks.filter(({ kind }) => kind === "image"),
    );
  });

  it("has teacher, reward and evaluation agree: the teacher's text earns all, and lands on the objects' pixels", async () => {
    const encoded = await thousandths(sample);
    const text = qwenTeacher({ labels })(sample, encoded);
    const parsed = parseResponse(text, encoded.truth.size);
    expect(accuracyReward(encoded.truth, parsed, defaultRewardConfig.accuracy).value).toBe(1);
    const tokens = completionTokens(text, codec);
    const rollout = { tokens, logprobs: new Float32Array(tokens.length), stopReason: "stop" } as const;
    const judged = judgeImage(sample, encoded, [rollout], codec, defaultRewardConfig, "norm1000");
    const [response] = judged.responses;
    expect(response!.accuracy).toBe(1);
    expect(response!.at75.truePositives).toBe(sample.objects.length);
    expect(judged).toMatchObject({ profile: "norm1000", width: 150, height: 110 });
    response!.matches.forEach((g, i) => {
      const [said, there] = [response!.answer[i]!.box, judged.truth.objects[g]!.box];
      // Half a thousandth of 150 and of 110 pixels.
      expect(Math.abs(said.x1 - there.x1)).toBeLessThan(0.0751);
      expect(Math.abs(said.y2 - there.y2)).toBeLessThan(0.0551);
    });
    // Read as pixels of the resized picture, the same words are elsewhere: the frame is no formality.
    const pixels = await encode(sample);
    const wrong = parseResponse(text, pixels.truth.size);
    expect(accuracyReward(pixels.truth, wrong, defaultRewardConfig.accuracy).value).toBeLessThan(0.5);
  });

  it("is what evaluateImages is told", async () => {
    const encoded = await thousandths(sample);
    const tokens = completionTokens(qwenTeacher({ labels })(sample, encoded), codec);
    const rollout = { tokens, logprobs: new Float32Array(tokens.length), stopReason: "stop" } as const;
    const sampler = {
      sampleBatch: () => Promise.resolve([[rollout]]),
      logprobs: () => Promise.reject(new Error("not asked for")),
      close: () => Promise.resolve(),
    };
    const config = { maxTokens: 1000, rewards: defaultRewardConfig, profile: "norm1000" } as const;
    for await (const { responses, profile } of evaluateImages({
      sampler: sampler as unknown as Parameters<typeof evaluateImages>[0]["sampler"],
      samples: [sample],
      encode: thousandths,
      codec,
      config,
    })) {
      expect(profile).toBe("norm1000");
      expect(responses[0]!.at75.truePositives).toBe(sample.objects.length);
    }
  });
});
