/** A model that speaks thousandths where pixels are declared: what `dip-r1 eval` says of it. */
import { expect, it, vi } from "vitest";
import { fixture } from "../../test/qwen-fixture.js";
import { fakeCodec } from "../../test/support/fake-engine.js";
import { silentLogger } from "../base/index.js";
import { box } from "../geometry/box.js";
import { defaultRewardConfig } from "../rewards/index.js";
import { judgeImage } from "../rl/index.js";
import { runCli } from "./program.js";

vi.mock("./judge-images.js", () => ({
  MAX_BOX_REPEATS: 4,
  // oxlint-disable-next-line require-await
  async *judgeImages() {
    for (let i = 0; i < 8; i++) {
      const objects = [0, 1].map((k) => ({
        box: box<"model">(40 + 5 * i + 150 * k, 30, 90 + 5 * i + 150 * k, 200),
        label: "person",
      }));
      const size = { width: 448, height: 252 };
      const thousandths = objects.map(({ box: { x1, y1, x2, y2 } }) =>
        [x1 / 0.448, y1 / 0.252, x2 / 0.448, y2 / 0.252].map(Math.round),
      );
      const text = `<think>x</think><look>[]</look><answer>${JSON.stringify(thousandths)}</answer>`;
      yield judgeImage(
        { id: `i${i}`, width: 448, height: 252 },
        { prompt: { chunks: [] }, truth: { size, objects, ignore: [] } },
        [{ tokens: Int32Array.of(5), logprobs: Float32Array.of(0), stopReason: "stop" }],
        { ...fakeCodec, decode: () => text, spans: () => [{ start: 0, end: text.length }] },
        defaultRewardConfig,
      );
    }
  },
}));

it("warns, names the frame in JSON, and rescales nothing", async () => {
  const run = async (...more: string[]) => {
    const [lines, warnings]: [string[], string[]] = [[], []];
    const code = await runCli(
      ["eval", "--model", fixture("model"), "--data", "scenes:plaza?count=8", ...more],
      {
        logger: { ...silentLogger, warn: (text: string) => void warnings.push(text) },
        print: (line) => {
          lines.push(line);
          return Promise.resolve();
        },
      },
    );
    expect(code).toBe(0);
    return { text: lines.join("\n"), warnings };
  };
  const { warnings, text } = await run();
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toContain(
    "plaza (greedy): the boxes would fit far better read as thousandths of the picture",
  );
  expect(text).toMatch(/model +0\.00/);
  const json = JSON.parse((await run("--json")).text) as unknown;
  expect(json).toMatchObject({
    greedy: {
      f1: 0,
      frame: { better: { scale: "norm1000", layout: "xyxy" } },
      frameWarning: warnings[0]!.slice(16),
    },
  });
});
