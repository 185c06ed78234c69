/** The two clients' examples, run as they are on servers on loopback. */
import { afterEach, expect, it, vi } from "vitest";
import { findPeople } from "../examples/openai-detect.js";
import { convertBox, coordinateProfiles } from "../src/geometry/index.js";
import { dialectOf, profileOf, renderDialect } from "../src/response/index.js";
import { startOpenAiServer } from "./support/openai-server.js";
import { startMockServer } from "./support/tinker/mock-server.js";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

it("examples/tinker-client.ts trains five steps and leaves nothing on the server", async () => {
  const server = await startMockServer();
  cleanups.push(() => server.close());
  const said: string[] = [];
  const log = vi.spyOn(console, "log").mockImplementation((line: string) => void said.push(line));
  const { argv } = process;
  cleanups.push(() => log.mockRestore());
  cleanups.push(() => (process.argv = argv));
  process.argv = [argv[0]!, argv[1]!, server.url];
  await import("../examples/tinker-client.js");
  expect(said.slice(0, 5).every((line, i) => line.startsWith(`step ${i + 1}: mean reward 0.`))).toBe(true);
  expect(said[5]).toMatch(/^to go on: client.loadModel\("tinker:/);
  expect(server.worked).toHaveLength(10);
  expect([...server.models.values()].filter(({ loaded }) => loaded)).toEqual([]);
});

it.each(["qwen2.5-vl", "qwen3-vl", "gemini"])(
  "examples/openai-detect.ts gives boxes in the picture's own pixels (%s)",
  async (name) => {
    const dialect = dialectOf(name);
    const image = { width: 400, height: 300, data: new Uint8Array(400 * 300 * 3).fill(90) };
    const box = { x1: 40, y1: 60, x2: 120, y2: 240 };
    const server = await startOpenAiServer({
      answer: ({ images }) => {
        const sizes = { image: { width: 400, height: 300 }, model: images[0]! };
        const frame = coordinateProfiles[profileOf(dialect.reading)];
        const said = convertBox(box, "image", frame, sizes);
        return renderDialect([{ label: "person", box: said }], dialect, images[0]!);
      },
    });
    cleanups.push(() => server.close());
    const found = await findPeople(image, {
      baseUrl: server.baseUrl,
      model: "mock",
      server: "vllm",
      dialect: name,
    });
    expect(found).toHaveLength(1);
    // A pixel or a thousandth is the finest that is written.
    for (const side of ["x1", "y1", "x2", "y2"] as const)
      expect(Math.abs(found[0]![side] - box[side])).toBeLessThan(0.8);
  },
);
