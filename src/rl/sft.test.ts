import { describe, expect, it } from "vitest";
import {
  createFakeEngine,
  fakeCodec,
  fakeEncode,
  fakeSample,
  fakeTeacher,
  type FakeEngine,
} from "../../test/support/fake-engine.js";
import { generatedSource, type LoopState } from "./batches.js";
import { completionTokens, sft, type SftConfig, type SftStep } from "./sft.js";

const config: SftConfig = { steps: 6, batchSize: 4, optimizer: { learningRate: 0.05, schedule: "cosine" } };

function run(engine: FakeEngine, over: Partial<SftConfig> = {}, state?: LoopState): AsyncGenerator<SftStep> {
  let now = 0;
  return sft({
    engine,
    source: generatedSource(fakeSample),
    encode: fakeEncode,
    teach: fakeTeacher,
    codec: fakeCodec,
    config: { ...config, ...over },
    state,
    clock: () => now++,
  });
}

async function all(steps: AsyncGenerator<SftStep>): Promise<SftStep[]> {
  const out: SftStep[] = [];
  for await (const step of steps) out.push(step);
  return out;
}

describe("sft", () => {
  it("learns the teacher's text", async () => {
    const engine = createFakeEngine();
    const steps = await all(run(engine, { steps: 150 }));
    expect(steps[0]!.metrics.loss).toBeGreaterThan(0.4);
    expect(steps.at(-1)!.metrics.loss).toBeLessThan(0.15);
    const sampler = await engine.sampler();
    const sample = fakeSample(1);
    const [greedy] = await sampler.sample(fakeEncode(sample).prompt, {
      n: 1,
      maxTokens: 20,
      temperature: 0,
      seed: 0,
      stop: [0],
    });
    expect(fakeCodec.decode(greedy!.tokens)).toContain("<look>[]</look><answer>[[44,8,60,56],[0,44,20,60]]");
  });

  it("is the mean over completion tokens, the end token among them", async () => {
    const engine = createFakeEngine();
    const [step] = await all(run(engine, { steps: 1 }));
    const reference = await engine.reference();
    let [sum, count] = [0, 0];
    for (let i = 0; i < 4; i++) {
      const sample = fakeSample(i);
      const tokens = completionTokens(fakeTeacher(sample), fakeCodec);
      expect(tokens.at(-1)).toBe(0);
      sum -= (await reference.logprobs(fakeEncode(sample).prompt, tokens)).reduce((a, b) => a + b, 0);
      count += tokens.length;
    }
    expect(step!.metrics.tokens).toBe(count);
    expect(step!.metrics.loss).toBeCloseTo(sum / count, 6);
    expect(step!.metrics.perplexity).toBeCloseTo(Math.exp(sum / count), 5);
  });

  it("goes on from a checkpoint as if it had never stopped", async () => {
    const unbroken = createFakeEngine();
    const expected = await all(run(unbroken));
    const engine = createFakeEngine();
    for await (const step of run(engine)) {
      if (step.step < 3) continue;
      await engine.save("half");
      break;
    }
    for await (const _ of run(engine, { steps: 1 })) break;
    await engine.load({ path: "half", step: 3 });
    expect(await all(run(engine, {}, { step: 3, cursor: 12 }))).toEqual(expected.slice(3));
    expect(engine.logits).toEqual(unbroken.logits);
  });

  it("accumulates gradients within a token budget", async () => {
    const [whole, pieces] = [createFakeEngine(), createFakeEngine()];
    const [a] = await all(run(whole, { steps: 1 }));
    const [b] = await all(run(pieces, { steps: 1, tokenBudget: 10 }));
    expect(pieces.calls).toMatchObject({ forwardBackward: 4, optimStep: 1 });
    expect(b!.metrics.loss).toBeCloseTo(a!.metrics.loss, 9);
    pieces.logits.forEach((value, i) => expect(value).toBeCloseTo(whole.logits[i]!, 9));
  });

  it("refuses a tokenizer without an end token", () => {
    expect(() => completionTokens("", { ...fakeCodec, endTokens: [] })).toThrow(/end token/);
  });
});
