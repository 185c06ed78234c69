import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { picturePrompt, tinyModel } from "../../../test/support/tiny-model.js";
import { InputError } from "../../base/errors.js";
import { loadWeights } from "../../qwen/weights.js";
import type { Prompt, Rollout, SamplingParams } from "../contract.js";
import type { ModelContext } from "./context.js";
import { openLocalModel, type LocalModel } from "./engine.js";
import { createProgramCache } from "./program-cache.js";
import { createLocalSampler } from "./sampler.js";

const greedy: SamplingParams = { n: 1, maxTokens: 8, temperature: 0, seed: 0, stop: [] };
let model: LocalModel;
let prompts: Prompt[];

beforeAll(async () => {
  model = await openLocalModel({ modelDir: tinyModel });
  const words: Prompt = { chunks: [{ kind: "text", tokens: model.processor.tokenizer.encode("two words") }] };
  prompts = [
    await picturePrompt(model.processor, "a"),
    await picturePrompt(model.processor, "b", "Where?"),
    await picturePrompt(model.processor, "c"),
    words,
  ];
});
afterAll(() => model.close());

describe("decoding together", () => {
  it("gives what each gives alone, though rows finish at very different times and the batch closes up", async () => {
    const lengths = [2, 40, 1, 9, 33, 1, 5, 40, 3, 17, 1, 2];
    const asked = lengths.map((maxTokens, i) => ({
      prompt: prompts[i % 4]!,
      params: { ...greedy, maxTokens },
    }));
    const together = await model.sampler.sampleBatch(
      asked.map(({ prompt }) => prompt),
      asked.map(({ params }) => params),
    );
    const longest: Rollout[] = [];
    for (const prompt of prompts) {
      longest.push((await model.sampler.sample(prompt, { ...greedy, maxTokens: 40 }))[0]!);
    }
    together.forEach(([rollout], i) => {
      const alone = longest[i % 4]!;
      expect(rollout!.tokens).toEqual(alone.tokens.slice(0, lengths[i]));
      expect(rollout!.stopReason).toBe("length");
      rollout!.logprobs.forEach((value, t) =>
        expect(Math.abs(value - alone.logprobs[t]!)).toBeLessThan(1e-4),
      );
    });
  });

  it("draws each response from its own stream: more of them, or others beside them, change nothing", async () => {
    const params = { ...greedy, temperature: 1, seed: 5, maxTokens: 6 };
    const [two] = await model.sampler.sampleBatch([prompts[0]!], [{ ...params, n: 2 }]);
    const [five, other] = await model.sampler.sampleBatch(
      [prompts[0]!, prompts[1]!],
      [
        { ...params, n: 5 },
        { ...params, n: 1 },
      ],
    );
    expect(five!.slice(0, 2).map(({ tokens }) => tokens)).toEqual(two!.map(({ tokens }) => tokens));
    expect(other).toHaveLength(1);
    expect(await model.sampler.sampleBatch([], [])).toEqual([]);
  });

  it("splits more responses than rows fit, without a change", async () => {
    const sampler = await stubbed({ maxRows: 2 });
    const params = { ...greedy, n: 5, maxTokens: 5 };
    const [whole] = await model.sampler.sampleBatch([prompts[3]!], [params]);
    expect((await sampler.sample(prompts[3]!, params)).map(({ tokens }) => tokens)).toEqual(
      whole!.map(({ tokens }) => tokens),
    );
    await sampler.close();
  });
});

/** A sampler of the tiny model with some parts replaced. */
async function stubbed(over: Partial<Parameters<typeof createLocalSampler>[0]>) {
  const { config, processor } = model;
  const context: ModelContext = {
    config,
    imageConfig: processor.image,
    device: "cpu",
    adapters: new Map(),
    key: "stub",
    programs: createProgramCache(8),
  };
  const sampler = createLocalSampler({
    context,
    weights: await loadWeights(tinyModel, config),
    banned: new Set(),
    pieceOf: () => "",
    tokenBudget: 4096,
    ...over,
  });
  return {
    ...sampler,
    async close() {
      await sampler.close();
      await context.programs.close();
    },
  };
}

describe("why a response ends", () => {
  it("stops at an end token, which it keeps", async () => {
    const [free] = await model.sampler.sample(prompts[0]!, greedy);
    const end = free!.tokens[3]!;
    const [stopped] = await model.sampler.sample(prompts[0]!, { ...greedy, stop: [end] });
    expect(stopped!.stopReason).toBe("stop");
    expect(stopped!.tokens).toEqual(free!.tokens.slice(0, free!.tokens.indexOf(end) + 1));
  });

  it("stops once a box has come too often, only where that is asked for", async () => {
    // Whatever the model writes reads as the same box.
    const sampler = await stubbed({ pieceOf: () => "[1,2,3,4]," });
    const [stuck] = await sampler.sample(prompts[3]!, { ...greedy, maxBoxRepeats: 3 });
    expect([stuck!.stopReason, stuck!.tokens.length, stuck!.logprobs.length]).toEqual(["loop", 3, 3]);
    const [free] = await sampler.sample(prompts[3]!, greedy);
    expect([free!.stopReason, free!.tokens.length]).toEqual(["length", 8]);
    await sampler.close();
  });

  it("counts boxes that are cut over many tokens, and other boxes apart", async () => {
    const text = "[10,20,30,40],[1,2,3,4],[10,20,30,40],[9,9,9,9],[10,20,30,40]";
    let at = 0;
    const sampler = await stubbed({ pieceOf: () => text[at++ % text.length]! });
    const [stuck] = await sampler.sample(prompts[3]!, { ...greedy, maxTokens: 200, maxBoxRepeats: 3 });
    expect([stuck!.stopReason, stuck!.tokens.length]).toEqual(["loop", text.length]);
    await sampler.close();
  });
});

describe("what sampling refuses", () => {
  const empty: Prompt = { chunks: [] };
  it.each<[string, () => Promise<unknown>, string]>([
    ["an empty prompt", () => model.sampler.sample(empty, greedy), "the prompt is empty"],
    [
      "scoring after an empty prompt",
      () => model.sampler.logprobs(empty, Int32Array.of(1)),
      "nothing predicts its first token",
    ],
    [
      "no tokens",
      () => model.sampler.sample(prompts[0]!, { ...greedy, maxTokens: 0 }),
      "maxTokens cannot be 0",
    ],
    [
      "a temperature",
      () => model.sampler.sample(prompts[0]!, { ...greedy, temperature: -1 }),
      "temperature cannot be -1",
    ],
    ["top-p", () => model.sampler.sample(prompts[0]!, { ...greedy, topP: 0 }), "topP cannot be 0"],
    ["top-k", () => model.sampler.sample(prompts[0]!, { ...greedy, topK: 1.5 }), "topK cannot be 1.5"],
    [
      "too long",
      () => model.sampler.sample(prompts[0]!, { ...greedy, maxTokens: 5000 }),
      "has room for 4096",
    ],
    ["other numbers", () => model.sampler.sampleBatch(prompts, [greedy]), "4 prompts but 1 sampling"],
  ])("%s", async (_, run, message) => {
    await expect(run()).rejects.toThrow(InputError);
    await expect(run()).rejects.toThrow(message);
  });
});
