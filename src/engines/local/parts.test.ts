/** @file The small parts of the engine, each on its own: accumulator, program cache, layouts, dense targets, model state. */
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { fixture } from "../../../test/qwen-fixture.js";
import type { Box } from "../../geometry/box.js";
import { loadConfig, type QwenConfig } from "../../qwen/config.js";
import { loraNames } from "../../qwen/layers.js";
import { SUFFIX_TARGETS } from "../../qwen/lora-targets.js";
import { loadWeights } from "../../qwen/weights.js";
import type { Program } from "../../tensor/index.js";
import { createAccumulator } from "./accumulator.js";
import { DENSE_SLOTS } from "./dense-head.js";
import { denseTargets } from "./dense-targets.js";
import { createLocalEngine } from "./engine.js";
import { createModelState, isVisionName, mergedWeights, snapshot, type Trainable } from "./model-state.js";
import { createProgramCache } from "./program-cache.js";
import type { PromptRow } from "./sequence.js";
import { layOut, packText, selectResponses } from "./text-batch.js";

describe("accumulator", () => {
  it("adds up, starts over after a reset, and is zero where nothing came", () => {
    const accumulator = createAccumulator(
      new Map([
        ["a", 2],
        ["b", 1],
      ]),
    );
    accumulator.add("a", Float32Array.of(1, 2));
    accumulator.add("a", Float32Array.of(10, 20));
    expect([...accumulator.read().get("a")!]).toEqual([11, 22]);
    expect([...accumulator.read().get("b")!]).toEqual([0]);
    accumulator.reset();
    expect([...accumulator.read().get("a")!]).toEqual([0, 0]);
    accumulator.add("a", Float32Array.of(5, 5));
    expect([...accumulator.read().get("a")!]).toEqual([5, 5]);
    expect(() => accumulator.add("c", new Float32Array(1))).toThrow("c is not trained");
  });

  it("keeps no hold of the array it is given", () => {
    const accumulator = createAccumulator(new Map([["a", 1]]));
    const buffer = Float32Array.of(1);
    accumulator.add("a", buffer);
    buffer[0] = 100;
    expect(accumulator.read().get("a")![0]).toBe(1);
  });
});

describe("program cache", () => {
  function fakes() {
    const closed: string[] = [];
    const build = (name: string) => async (): Promise<Program> =>
      ({ close: async () => void closed.push(name) }) as unknown as Program;
    return { closed, build };
  }

  it("builds once a key, closes the least recently used, and counts what it built", async () => {
    const { closed, build } = fakes();
    const cache = createProgramCache(2);
    const a = await cache.get("a", build("a"));
    await cache.get("b", build("b"));
    expect(await cache.get("a", build("never"))).toBe(a);
    await cache.get("c", build("c"));
    expect(closed).toEqual(["b"]);
    await cache.get("b", build("b again"));
    expect(closed).toEqual(["b", "a"]);
    expect(cache.built).toBe(4);
    await cache.close();
    expect(closed.toSorted()).toEqual(["a", "b", "b again", "c"]);
  });

  it("builds once for two who ask at the same time", async () => {
    const { build } = fakes();
    const cache = createProgramCache(2);
    const [one, two] = await Promise.all([cache.get("a", build("a")), cache.get("a", build("b"))]);
    expect(one).toBe(two);
    expect(cache.built).toBe(1);
  });

  it("builds anew after a failure, which neither stays nor hinders closing", async () => {
    const { closed, build } = fakes();
    const cache = createProgramCache(1);
    const failing = async (): Promise<Program> => Promise.reject(new Error("no memory"));
    await expect(cache.get("a", failing)).rejects.toThrow("no memory");
    await cache.get("a", build("a"));
    const failed = cache.get("b", failing);
    await expect(failed).rejects.toThrow("no memory");
    await cache.get("c", build("c"));
    await cache.close();
    expect(closed.toSorted()).toEqual(["a", "c"]);
  });
});

let config: QwenConfig;
let base: Map<string, Float32Array>;
beforeAll(async () => {
  config = await loadConfig(fixture("model"));
  base = await loadWeights(fixture("model"), config);
});

const promptRow = (...ids: number[]): PromptRow => ({
  ids: Int32Array.from(ids),
  positions: Int32Array.from({ length: 3 * ids.length }, (_, i) => i % ids.length),
  ropeDelta: 0,
  featureRows: Int32Array.from(ids, () => -1),
});

describe("text batches", () => {
  it("lay prompts out one after another, then responses, padded on the right", () => {
    const responses = [
      { prompt: 1, tokens: Int32Array.of(7, 8, 9) },
      { prompt: 0, tokens: Int32Array.of(6) },
    ];
    const prompts = [promptRow(1, 2, 3), promptRow(4), promptRow(5, 6)];
    const batch = packText(prompts, responses, config, 0);
    expect(batch).toMatchObject({ prompts: 3, promptLength: 16, responses: 2, responseLength: 16 });
    expect([...batch.feeds.ids.subarray(0, 4)]).toEqual([1, 2, 3, 0]);
    expect([batch.feeds.ids[16], batch.feeds.ids[32]]).toEqual([4, 5]);
    // The last token of a response predicts nothing.
    expect([...batch.feeds.ids.subarray(48, 51)]).toEqual([7, 8, 0]);
    expect([...batch.feeds.promptOf!]).toEqual([1, 0]);
    const mask = [...batch.feeds.promptMask!].map((value) => (value === 0 ? 1 : 0));
    expect(mask.slice(0, 3)).toEqual([1, 0, 0]);
    expect(mask.slice(16, 20)).toEqual([1, 1, 1, 0]);
    expect(batch.feeds.visualIndex).toBeUndefined();
  });

  it("need no mask and no padding where all prompts are as long", () => {
    const batch = packText([promptRow(1, 2, 3), promptRow(4, 5, 6)], [], config, 0);
    expect(batch).toMatchObject({ promptLength: 3, maskPrompts: false, responses: 0 });
    expect(batch.feeds.promptMask).toBeUndefined();
  });

  it("select, for each response token, the place that predicts it; values line up with them", () => {
    const texts = fc.array(
      fc.tuple(
        fc.array(fc.nat(1000), { minLength: 1, maxLength: 30 }),
        fc.array(fc.nat(1000), { maxLength: 40 }),
      ),
      { minLength: 1, maxLength: 6 },
    );
    fc.assert(
      fc.property(texts, (pairs) => {
        const prompts = pairs.map(([prompt]) => promptRow(...prompt));
        const responses = pairs.map(([, tokens], prompt) => ({ prompt, tokens: Int32Array.from(tokens) }));
        const batch = packText(prompts, responses, config, 0);
        const selection = selectResponses(prompts, responses, batch);
        expect(selection.count).toBeGreaterThanOrEqual(selection.offsets.at(-1)!);
        const laidOut = layOut(
          selection,
          pairs.map(([, tokens], i) => (i === 0 ? undefined : tokens)),
          -7,
        );
        pairs.forEach(([prompt, tokens], row) => {
          tokens.forEach((id, j) => {
            const place = selection.offsets[row]! + j;
            expect(selection.targets[place]).toBe(id);
            const before = j === 0 ? prompt.at(-1) : tokens[j - 1];
            expect(batch.feeds.ids[selection.rows[place]!]).toBe(before);
            expect(laidOut[place]).toBe(row === 0 ? -7 : id);
          });
        });
        expect(laidOut.subarray(selection.offsets.at(-1)).every((value) => value === -7)).toBe(true);
      }),
    );
  });
});

describe("dense targets", () => {
  const image = { width: 56, height: 28, data: new Uint8Array(56 * 28 * 3) };
  // Two cells of 28 pixels, standing in window order: the second comes first.
  const rows = Int32Array.of(1, 0);
  const box = (x1: number, y1: number, x2: number, y2: number) => ({ x1, y1, x2, y2 }) as Box<"model">;
  const targets = (instances: Box<"model">[], scale = 1) =>
    denseTargets([{ image, rows, instances }], { features: 3, cell: 28, scale });

  it("put an instance at the cell of its centre, its edges in cells from the cell's centre", () => {
    const { denseObject, denseBoxes, denseBoxWeight } = targets([box(0, 0, 28, 14)]);
    // First cell in reading order = feature row 1.
    expect([...denseObject]).toEqual([0, 0, 1, 0, 0, 0]);
    const at = 1 * DENSE_SLOTS * 4;
    expect([...denseBoxes.subarray(at, at + 4)]).toEqual([-0.5, -0.5, 0.5, 0]);
    expect([...denseBoxWeight.subarray(at, at + 4)]).toEqual([0.25, 0.25, 0.25, 0.25]);
  });

  it("fill slots from left to right, and leave out what finds none", () => {
    const { denseObject, denseBoxes } = targets([box(4, 0, 28, 28), box(0, 0, 20, 28), box(6, 0, 30, 28)]);
    expect([...denseObject]).toEqual([0, 0, 1, 1, 0, 0]);
    const x1 = [0, 1].map((slot) => denseBoxes[(DENSE_SLOTS + slot) * 4]! * 28 + 14);
    expect(x1[0]).toBeCloseTo(0, 5);
    expect(x1[1]).toBeCloseTo(4, 5);
  });

  it("weigh objectness as a mean over cells and edges as a mean over edges, times the scale; padding has none", () => {
    const { denseObjectWeight, denseBoxWeight } = targets([box(0, 0, 9, 9), box(40, 4, 50, 20)], 3);
    const sum = (values: Float32Array) => values.reduce((a, b) => a + b, 0);
    expect(sum(denseObjectWeight)).toBeCloseTo(3, 5);
    expect(sum(denseBoxWeight)).toBeCloseTo(3, 5);
    expect([...denseObjectWeight.subarray(4)]).toEqual([0, 0]);
    expect(sum(targets([]).denseBoxWeight)).toBe(0);
  });

  it("keep an instance whose centre lies outside in the nearest cell", () => {
    const { denseObject } = targets([box(-40, -9, 10, 4), box(50, 20, 90, 50)]);
    expect([...denseObject]).toEqual([1, 0, 1, 0, 0, 0]);
  });
});

describe("model state", () => {
  const lora = (over: object): Trainable =>
    ({ kind: "lora", rank: 2, alpha: 4, targets: SUFFIX_TARGETS, ...over }) as Trainable;

  it("resolves PEFT's targets as whole names do, and says in PEFT's words what it adapts", () => {
    const byTargets = createModelState(config, base, lora({}), 3);
    const modules = [...byTargets.adapters.keys()];
    expect(modules).toHaveLength(26);
    expect(byTargets.lora!.targets).toEqual(SUFFIX_TARGETS);
    const byName = createModelState(config, base, { kind: "lora", rank: 2, alpha: 4, modules }, 3);
    expect([...byName.trainable]).toEqual([...byTargets.trainable]);
    for (const name of byName.trainable)
      expect(byName.weights.get(name)).toEqual(byTargets.weights.get(name));
  });

  it("refuses targets and ranks that cannot be, before weights are read", async () => {
    const folder = await mkdtemp(join(tmpdir(), "dip-no-weights-"));
    try {
      await cp(fixture("model"), folder, {
        recursive: true,
        filter: (path) => !path.endsWith(".safetensors"),
      });
      const open = (trainable: Trainable) => createLocalEngine({ modelDir: folder, trainable });
      await expect(open(lora({ targets: ["q_prog"] }))).rejects.toThrow('"q_prog" matches no linear layer');
      await expect(open({ ...lora({}), rank: 0 } as Trainable)).rejects.toThrow("rank 0");
      await expect(open(lora({}))).rejects.toThrow("safetensors");
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("leaves a frozen tower out, also of what PEFT is told", () => {
    const state = createModelState(config, base, lora({ freezeVision: true }), 0);
    expect([...state.adapters.keys()].filter(isVisionName)).toEqual([]);
    expect(state.lora!.targets).toEqual([...state.adapters.keys()]);
    const full = createModelState(config, base, { kind: "full", freezeVision: true }, 0);
    expect([...full.trainable].some(isVisionName)).toBe(false);
    expect(full.trainable.size).toBe([...base.keys()].filter((name) => !isVisionName(name)).length);
  });

  it("begins as the base model: B is zero, A is not", () => {
    const state = createModelState(config, base, lora({}), 0);
    const merged = mergedWeights(config, state);
    expect([...merged.keys()]).toEqual([...base.keys()]);
    for (const [name, value] of merged) expect(value).toEqual(base.get(name));
    const [module] = state.adapters.keys();
    expect(state.weights.get(loraNames(module!).a)!.some((value) => value !== 0)).toBe(true);
  });

  it("snapshots what moves and shares what does not", () => {
    const state = createModelState(config, base, { kind: "full", freezeVision: true }, 0);
    const copy = snapshot(state, mergedWeights(config, state));
    for (const [name, value] of copy) expect(value === state.weights.get(name)).toBe(isVisionName(name));
  });

  it.each<[string, object, string]>([
    ["no layer", { targets: ["w1"] }, '"w1" matches no linear layer'],
    ["no name", { targets: undefined, modules: ["model.nothing"] }, 'no linear layer "model.nothing"'],
    ["rank", { rank: 0 }, "rank 0"],
    ["alpha", { alpha: 0 }, "alpha 0"],
    ["nothing left", { targets: "model\\.visual\\..*mlp.*", freezeVision: true }, "no layer is left"],
  ])("refuses %s", (_, over, message) => {
    expect(() => createModelState(config, base, lora(over), 0)).toThrow(message);
  });
});
