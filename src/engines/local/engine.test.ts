import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fixture } from "../../../test/qwen-fixture.js";
import { goldenSuite } from "../../../test/support/golden-suite.js";
import { createLocalEngine } from "./engine.js";

describe("the local engine equals Hugging Face", () => {
  const golden = goldenSuite("cpu", { logprob: 2e-5, loss: 1e-5, gradient: 2e-5, movedElsewhere: 0.02 });

  it("goes on from a checkpoint as if nothing had happened", async () => {
    const { data } = golden();
    const modelDir = fixture("model");
    const folder = await mkdtemp(join(tmpdir(), "dip-engine-"));
    const adam = { learningRate: 1e-3, weightDecay: 0.01, maxGradNorm: 1 };
    const step = async (engine: Awaited<ReturnType<typeof createLocalEngine>>) => {
      const { loss } = await engine.forwardBackward(data, { kind: "crossEntropy" });
      await engine.optimStep(adam);
      return loss;
    };
    try {
      const whole = await createLocalEngine({ modelDir });
      await step(whole);
      const checkpoint = await whole.save(join(folder, "one"));
      const expected = [await step(whole), await step(whole)];
      const again = await createLocalEngine({ modelDir });
      await again.load(checkpoint);
      expect([await step(again), await step(again)]).toEqual(expected);
      await Promise.all([whole.close(), again.close()]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
