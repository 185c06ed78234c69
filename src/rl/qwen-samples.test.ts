import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { generateScene } from "../datasets/scenes/index.js";
import { loadProcessor } from "../qwen/processor.js";
import { parseResponse } from "../response/index.js";
import { accuracyReward, defaultRewardConfig } from "../rewards/index.js";
import { promptTokens } from "./microbatches.js";
import { qwenCodec, qwenEncoder, qwenTeacher } from "./qwen-samples.js";
import { completionTokens } from "./sft.js";
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
    expect(promptTokens(prompt)).toBeGreaterThan(shown.tokens);
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
