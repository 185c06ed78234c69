import { describe, expect, it } from "vitest";
import { teacherDatum, tinyModel } from "../../../test/support/tiny-model.js";
import type { Prompt } from "../contract.js";
import { createLocalEngine } from "./engine.js";

const WARM_UP = 25;
const CYCLES = 100;
/** A leak of one sampler's weights or sessions a cycle would be several times this. */
const ALLOWED_MB = 40;

describe("a long run", () => {
  it(`keeps its memory over ${CYCLES} cycles of training and sampling`, async () => {
    const engine = await createLocalEngine({ modelDir: tinyModel });
    const image = { width: 56, height: 56, data: new Uint8Array(56 * 56 * 3).fill(90) };
    const prompt: Prompt = { chunks: engine.processor.encodePrompt({ text: "x", images: [image] }) };
    const datum = teacherDatum(engine.processor, prompt, "[1,2,3,4]");
    const cycle = async (seed: number) => {
      const sampler = await engine.sampler();
      await sampler.sample(prompt, { n: 2, maxTokens: 3, temperature: 1, seed, stop: [] });
      await sampler.close();
      await engine.forwardBackward([datum], { kind: "crossEntropy" });
      await engine.optimStep({ learningRate: 1e-4 });
    };
    for (let i = 0; i < WARM_UP; i++) await cycle(i);
    const before = process.memoryUsage.rss();
    const graphs = engine.graphsBuilt;
    for (let i = 0; i < CYCLES; i++) await cycle(i);
    const growth = (process.memoryUsage.rss() - before) / 2 ** 20;
    expect(growth).toBeLessThan(ALLOWED_MB);
    // Only the decoding graph, whose weights are bound, is built anew for each snapshot.
    expect(engine.graphsBuilt - graphs).toBe(CYCLES);
    await engine.close();
  }, 300_000);
});
