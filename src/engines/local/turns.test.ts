import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { picturePrompt, teacherDatum, tinyModel } from "../../../test/support/tiny-model.js";
import { createLocalEngine, openLocalModel, type LocalEngine } from "./engine.js";
import { createTurns } from "./turns.js";

describe("turns", () => {
  it("are taken one at a time, in order, whatever fails", async () => {
    const turns = createTurns();
    const log: string[] = [];
    const work = (name: string, fails = false) =>
      turns.take(async () => {
        log.push(`${name} begins`);
        await new Promise((resolve) => setImmediate(resolve));
        log.push(`${name} ends`);
        if (fails) throw new Error(name);
        return name;
      });
    const results = await Promise.allSettled([work("a"), work("b", true), work("c")]);
    expect(results.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(log).toEqual(["a begins", "a ends", "b begins", "b ends", "c begins", "c ends"]);
    await expect(turns.take(() => Promise.reject(new Error("own")))).rejects.toThrow("own");
    expect(await turns.take(() => 5)).toBe(5);
  });
});

describe("calls that overlap", () => {
  it("score and sample as they do alone", async () => {
    const { sampler, processor, close } = await openLocalModel({ modelDir: tinyModel });
    const prompts = [
      await picturePrompt(processor, "a"),
      await picturePrompt(processor, "a", "Where are all?"),
    ];
    // Texts of one length: the calls run the same graph, and so write to the same buffers.
    const texts = ["[1,2,3,4]", "[5,6,7,8]", "[9,8,7,6]", "[3,3,3,3]"];
    const items = texts.map((text, i) => ({
      prompt: prompts[i % 2]!,
      tokens: processor.tokenizer.encode(text),
    }));
    const params = { n: 2, maxTokens: 5, temperature: 1, stop: [] };
    const calls = [
      ...items.map((item) => () => sampler.logprobs(item.prompt, item.tokens)),
      ...prompts.map((prompt, seed) => () => sampler.sample(prompt, { ...params, seed })),
    ];
    const alone: unknown[] = [];
    for (const call of calls) alone.push(await call());
    expect(await Promise.all(calls.map((call) => call()))).toEqual(alone);
    expect(alone[0]).not.toEqual(alone[1]);
    // Closing waits for what was asked before.
    const last = calls.at(-1)!();
    await close();
    expect(await last).toEqual(alone.at(-1));
  });

  it("train, save, sample and load as they do one after the other", async () => {
    const folder = await mkdtemp(join(tmpdir(), "dip-turns-"));
    const run = async (engine: LocalEngine, path: string, overlap: boolean) => {
      const { processor } = engine;
      const prompt = await picturePrompt(processor, "a");
      const data = ["[1,2,3,4]", "[5,6,7,8]"].map((text) => teacherDatum(processor, prompt, text));
      const adam = { learningRate: 1e-2 };
      const ask = async (sampler: ReturnType<LocalEngine["sampler"]>) => {
        const opened = await sampler;
        const logprobs = await opened.logprobs(prompt, data[0]!.tokens);
        await opened.close();
        return logprobs;
      };
      const calls: (() => Promise<unknown>)[] = [
        () => engine.forwardBackward([data[0]!], { kind: "crossEntropy" }),
        () => engine.forwardBackward([data[1]!], { kind: "crossEntropy" }),
        () => engine.optimStep(adam),
        () => engine.save(join(folder, path)).then(({ step }) => step),
        () => engine.forwardBackward(data, { kind: "crossEntropy" }),
        () => engine.optimStep(adam),
        () => ask(engine.sampler()),
        () => engine.load({ path: join(folder, path), step: 1 }),
        () => ask(engine.sampler()),
        () => engine.forwardBackward(data, { kind: "crossEntropy" }),
      ];
      if (overlap) return Promise.all(calls.map((call) => call()));
      const results: unknown[] = [];
      for (const call of calls) results.push(await call());
      return results;
    };
    try {
      const engines = [
        await createLocalEngine({ modelDir: tinyModel }),
        await createLocalEngine({ modelDir: tinyModel }),
      ] as const;
      const alone = await run(engines[0], "alone", false);
      expect(await run(engines[1], "together", true)).toEqual(alone);
      // The checkpoint held the weights of its own step: loading it undid the second one.
      expect(alone[8]).not.toEqual(alone[6]);
      expect(alone[9]).toEqual(alone[4]);
      await Promise.all(engines.map((engine) => engine.close()));
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
