import { beforeAll, describe, expect, it } from "vitest";
import { fixture } from "../../test/qwen-fixture.js";
import { loadConfig, type QwenConfig } from "./config.js";
import type { GridThw } from "./image-processor.js";
import { patchPositions, textPositions, windowLayout } from "./positions.js";
import { openSafetensors, type TensorSource } from "./safetensors.js";

let config: QwenConfig;
let text: TensorSource;
let vision: TensorSource;
let batch: TensorSource;
const GRIDS: Record<"a" | "b" | "c" | "video", GridThw> = {
  a: [1, 6, 10],
  b: [1, 8, 14],
  c: [1, 14, 6],
  video: [2, 6, 10],
};
beforeAll(async () => {
  config = await loadConfig(fixture("model"));
  text = await openSafetensors(fixture("golden/text.safetensors"));
  vision = await openSafetensors(fixture("golden/vision.safetensors"));
  batch = await openSafetensors(fixture("golden/batch.safetensors"));
});

describe("textPositions", () => {
  it.each(["a", "b", "c"] as const)("equals transformers on row %s", async (name) => {
    const ids = await text.readInt32(`${name}.input_ids`);
    const { positions, ropeDelta } = textPositions(ids, { images: [GRIDS[name]], config });
    expect(positions).toEqual(await text.readInt32(`${name}.position_ids`));
    expect([ropeDelta]).toEqual([...(await text.readInt32(`${name}.rope_delta`))]);
  });

  it("equals transformers on a row with two pictures and a video", async () => {
    const { positions, ropeDelta } = textPositions(await text.readInt32("mixed.input_ids"), {
      images: [
        [1, 4, 6],
        [1, 8, 4],
      ],
      videos: [{ gridThw: [3, 4, 6], secondsPerGrid: 1.5 }],
      config,
    });
    expect(positions).toEqual(await text.readInt32("mixed.position_ids"));
    expect([ropeDelta]).toEqual([...(await text.readInt32("mixed.rope_delta"))]);
  });

  it.each(["left", "right", "trl"])("equals transformers on the batch padded %s", async (kind) => {
    const ids = await batch.readInt32(`${kind}.input_ids`);
    const mask = await batch.readInt32(`${kind}.attention_mask`);
    const expected = await batch.readInt32(`${kind}.position_ids`);
    const deltas = await batch.readInt32(`${kind}.rope_deltas`);
    const length = ids.length / 3;
    for (const [row, name] of (["a", "b", "c"] as const).entries()) {
      const attentionMask = mask.subarray(row * length, (row + 1) * length);
      const own = ids.subarray(row * length, (row + 1) * length);
      const { positions, ropeDelta } = textPositions(own, { images: [GRIDS[name]], attentionMask, config });
      for (const axis of [0, 1, 2]) {
        expect(positions.subarray(axis * length, (axis + 1) * length)).toEqual(
          expected.subarray((axis * 3 + row) * length, (axis * 3 + row + 1) * length),
        );
      }
      expect(ropeDelta).toBe(deltas[row]);
    }
  });

  it("tells placeholders and grids that do not match", () => {
    const { image } = config.tokens;
    const row = [1, image, image, 2];
    expect(() => textPositions(row, { images: [[1, 4, 4]], config })).toThrow("needs 4 tokens");
    expect(() => textPositions(row, { config })).toThrow("more picture tokens");
    expect(() => textPositions([1], { images: [[1, 2, 2]], config })).toThrow("given were 1 and 0");
    expect(textPositions([], { config })).toEqual({ positions: new Int32Array(0), ropeDelta: 0 });
  });
});

describe("windowLayout", () => {
  it.each(["a", "b", "c", "video"] as const)("equals transformers on grid %s", async (name) => {
    const layout = windowLayout(GRIDS[name], config.vision);
    expect(layout.windowIndex).toEqual(await vision.readInt32(`${name}.window_index`));
    expect(layout.windowBounds).toEqual(await vision.readInt32(`${name}.cu_window_seqlens`));
    expect(layout.frameBounds).toEqual(await vision.readInt32(`${name}.cu_seqlens`));
    expect(patchPositions(GRIDS[name], config.vision)).toEqual(
      await vision.readInt32(`${name}.hw_position_ids`),
    );
  });

  it("packs grids one after the other and undoes its order", () => {
    const alone = [GRIDS.a, GRIDS.video].map((grid) => windowLayout(grid, config.vision));
    const packed = windowLayout([GRIDS.a, GRIDS.video], config.vision);
    expect(packed.patches).toBe(60 + 120);
    expect([...packed.windowIndex]).toEqual([
      ...alone[0]!.windowIndex,
      ...alone[1]!.windowIndex.map((i) => i + 15),
    ]);
    expect([...packed.frameBounds]).toEqual([0, 60, 120, 180]);
    expect([...packed.inverseIndex].map((at) => packed.windowIndex[at])).toEqual([
      ...packed.inverseIndex.keys(),
    ]);
    expect([...packed.patchOrder.subarray(0, 8)].map((i) => Math.floor(i / 4))).toEqual(
      [0, 1].flatMap((i) => Array<number>(4).fill(packed.windowIndex[i]!)),
    );
  });

  it("has one window where the window is larger than the picture", () => {
    const layout = windowLayout([1, 4, 6], { windowSize: 112, mergeSize: 2, patchSize: 8 });
    expect([...layout.windowBounds]).toEqual([0, 24]);
    expect([...layout.windowIndex]).toEqual([0, 1, 2, 3, 4, 5]);
  });
});
