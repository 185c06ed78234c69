import { describe, expect, it } from "vitest";
import type { RgbImage } from "../base/rgb-image.js";
import type { Datum, Loss } from "../engines/contract.js";
import type { LocalEngine } from "../engines/local/engine.js";
import type { DenseSupervision } from "../engines/local/trainer.js";
import type { Box } from "../geometry/box.js";
import type { FrameSize } from "../geometry/index.js";
import { withDenseLoss } from "./pretraining.js";
import type { EncodedSample } from "./text.js";

const image = (): RgbImage => ({ width: 2, height: 2, data: new Uint8Array(12) });
const boxOf = (x: number) => ({ x1: x, y1: 0, x2: x + 1, y2: 1 }) as Box<"model">;

/** An encoded sample that shows one picture, with an instance for each number. */
function encoded(picture: RgbImage, instances: readonly number[]): EncodedSample {
  return {
    prompt: {
      chunks: [
        { kind: "text", tokens: Int32Array.of(1) },
        { kind: "image", image: picture, tokens: 1 },
      ],
    },
    truth: {
      size: { width: 2, height: 2 } as FrameSize<"model">,
      objects: instances.map((x) => ({ box: boxOf(x), label: "person" })),
      ignore: [],
    },
  };
}

/** Notes what reaches the engine. */
function recorder() {
  const calls: unknown[] = [];
  const seen: { weight: number; instances: [RgbImage, readonly Box<"model">[]][] }[] = [];
  const note = (name: string) => async (value?: unknown) => {
    calls.push(value === undefined ? name : [name, value]);
    return { name } as never;
  };
  const engine = {
    capabilities: { engine: "local" },
    sampler: note("sampler"),
    reference: note("reference"),
    optimStep: note("optimStep"),
    save: note("save"),
    load: note("load"),
    close: note("close"),
    async forwardBackward(batch: readonly Datum[], loss: Loss, dense?: DenseSupervision) {
      seen.push({ weight: dense!.weight, instances: [...dense!.instances] });
      return { loss: batch.length, logprobs: [], kind: loss.kind };
    },
  } as unknown as LocalEngine;
  return { engine, calls, seen };
}

describe("withDenseLoss", () => {
  const pictures = [image(), image()] as const;
  const samples = [encoded(pictures[0], [1, 2]), encoded(pictures[1], [])] as const;

  it("sends along the boxes of every picture that was encoded since the last step", async () => {
    const { engine, seen } = recorder();
    const wrapped = withDenseLoss(engine, (index: 0 | 1) => samples[index], 0.5);
    expect(await wrapped.encode(0)).toBe(samples[0]);
    await wrapped.encode(1);
    const report = await wrapped.engine.forwardBackward([], { kind: "crossEntropy" });
    expect(report).toMatchObject({ loss: 0 });
    expect(seen[0]!.weight).toBe(0.5);
    expect(seen[0]!.instances.map(([picture]) => pictures.indexOf(picture))).toEqual([0, 1]);
    expect(seen[0]!.instances[0]![1]).toEqual([boxOf(1), boxOf(2)]);
    expect(seen[0]!.instances[1]![1]).toEqual([]);
    // Microbatches of one step share them.
    await wrapped.engine.forwardBackward([], { kind: "crossEntropy" });
    expect(seen[1]!.instances).toHaveLength(2);
  });

  it("lets go of them at the step, so that a long run holds one batch", async () => {
    const { engine, seen, calls } = recorder();
    const wrapped = withDenseLoss(engine, (index: 0 | 1) => samples[index], 1);
    await wrapped.encode(0);
    await wrapped.engine.optimStep({ learningRate: 1 });
    expect(calls).toEqual([["optimStep", { learningRate: 1 }]]);
    await wrapped.encode(1);
    await wrapped.engine.forwardBackward([], { kind: "crossEntropy" });
    expect(seen[0]!.instances.map(([picture]) => pictures.indexOf(picture))).toEqual([1]);
  });

  it("is the engine in everything else", async () => {
    const { engine, calls } = recorder();
    const { engine: wrapped } = withDenseLoss(engine, (index: 0 | 1) => samples[index], 1);
    expect(wrapped.capabilities).toBe(engine.capabilities);
    await wrapped.sampler();
    await wrapped.reference();
    await wrapped.save("somewhere");
    await wrapped.load({ path: "somewhere", step: 3 });
    await wrapped.close();
    expect(calls).toEqual([
      "sampler",
      "reference",
      ["save", "somewhere"],
      ["load", { path: "somewhere", step: 3 }],
      "close",
    ]);
  });
});
