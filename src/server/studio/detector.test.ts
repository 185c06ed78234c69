import { readFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { send } from "../../../test/support/http-client.js";
import { makeRunsFolder, startTestStudio } from "../../../test/support/studio/runs.js";
import { tinyModel } from "../../../test/support/tiny-model.js";
import { fixture } from "../../../test/qwen-fixture.js";
import type { DetectEvent, ModelList } from "./api.js";
import { createDetector, type DetectingModel, type Detection, type ModelSource } from "./detector.js";
import type { StudioServer } from "./studio-server.js";

const told =
  '<think>two</think><look>[[0,0,20,20]]</look><answer>[{"bbox_2d":[10,10,30,40],"label":"person"}]</answer>';
/** Its tokens are letters. */
const codec = {
  encode: (text: string) => Int32Array.from(text, (letter) => letter.charCodeAt(0)),
  decode: (tokens: Int32Array) => String.fromCharCode(...tokens),
  spans: (tokens: Int32Array) => Array.from(tokens, (_, i) => ({ start: i, end: i + 1 })),
  endTokens: [0],
};
const size = { width: 50, height: 50 };

function source(sampler: DetectingModel["sampler"], closed: string[] = [], id = "a"): ModelSource {
  return {
    version: "1",
    model: { id, title: id, from: "option", engine: "local", prompt: "p", labels: ["person"], profile: "absolute", streams: true }, // prettier-ignore
    open: async (labels) => ({
      sampler,
      codec,
      encode: () => ({ prompt: { chunks: [] }, truth: { size, objects: [], ignore: [] } }),
      config: {},
      close: async () => void closed.push(`${id} ${labels.join()}`),
    }),
  };
}

const saying: DetectingModel["sampler"] = {
  async sample(_prompt, { n, onToken }) {
    for (const letter of told) {
      for (let i = 0; i < n; i++) onToken?.(i, letter.charCodeAt(0));
      // As between two passes of a network.
      if (letter === ">") await new Promise((resolve) => setTimeout(resolve, 90));
    }
    return Array.from({ length: n }, () => ({
      tokens: Int32Array.from([...codec.encode(told), 0]),
      logprobs: new Float32Array(told.length + 1).fill(-0.1),
      stopReason: "stop",
    }));
  },
};

const asked: Detection = {
  model: "a",
  samples: 1,
  temperature: 0,
  maxTokens: 100,
  seed: 0,
  // The original is twice as large as what the model is shown.
  sample: { id: "x", image: { kind: "pixels", image: { width: 1, height: 1, data: new Uint8Array(3) } }, width: 100, height: 100, objects: [], ignore: [] }, // prettier-ignore
};

async function run(
  detector: ReturnType<typeof createDetector>,
  detection: Detection,
  signal = new AbortController().signal,
) {
  const events: DetectEvent[] = [];
  await detector.detect(detection, signal, async (event) => void events.push(event));
  return events;
}

describe("createDetector", () => {
  it("tells text as it is drawn, then the response, in pixels of the original", async () => {
    const events = await run(
      createDetector(async () => [source(saying)]),
      asked,
    );
    expect(events.map(({ event }) => event).filter((name, i, all) => name !== all[i - 1])).toEqual([
      "queued",
      "opened",
      "text",
      "response",
      "done",
    ]);
    const texts = events.filter((one) => one.event === "text");
    const text = texts.map(({ delta }) => delta).join("");
    expect(told.startsWith(text)).toBe(true);
    expect(texts.length).toBeGreaterThan(3);
    expect(texts.at(-1)!.regions).toEqual([[0, 0, 40, 40]]);
    const { response } = events.find((one) => one.event === "response")!;
    expect(response).toMatchObject({
      grade: "strict",
      text: told,
      answer: [{ box: [20, 20, 60, 80], label: "person" }],
    });
    expect(response.answer[0]!.probability).toBeCloseTo(Math.exp(-0.1), 5);
    expect(events.at(-1)).toMatchObject({ event: "done", tokens: told.length + 1 });
  });

  it("fuses several responses and maps where they disagree", async () => {
    const events = await run(
      createDetector(async () => [source(saying)]),
      { ...asked, samples: 3, temperature: 1 },
    );
    const found = events.find((one) => one.event === "consensus")!;
    expect(found.instances).toEqual([{ box: [20, 20, 60, 80], label: "person", share: 1 }]);
    expect(found.counts).toEqual([1, 1, 1]);
    expect(Buffer.from(found.heat.values, "base64").every((value) => value === 0)).toBe(true);
  });

  it("tells whole responses as they finish where the model tells no tokens", async () => {
    const slowFirst: DetectingModel["sampler"] = {
      async sample(prompt, params) {
        expect([params.n, params.onToken]).toEqual([1, undefined]);
        if (params.seed === 0) await new Promise((resolve) => setTimeout(resolve, 60));
        return saying.sample(prompt, { ...params, n: 1 });
      },
    };
    const served = source(slowFirst);
    const detector = createDetector(async () => [
      { ...served, model: { ...served.model, streams: false, engine: "openai" } },
    ]);
    const events = await run(detector, { ...asked, samples: 3, temperature: 1 });
    const order = events.filter((one) => one.event === "response").map(({ response }) => response.index);
    expect(order).toEqual([1, 2, 0]);
    expect(events.map(({ event }) => event).slice(-2)).toEqual(["consensus", "done"]);
  });

  it("stops drawing when nobody waits any more", async () => {
    const abort = new AbortController();
    let drawn = 0;
    const endless: DetectingModel["sampler"] = {
      async sample(_prompt, { onToken }) {
        for (;;) {
          drawn++;
          onToken?.(0, 65);
          if (drawn === 5) abort.abort();
          await new Promise((resolve) => setTimeout(resolve, 1));
        }
      },
    };
    const detector = createDetector(async () => [source(endless)]);
    const events = await run(detector, asked, abort.signal);
    expect(drawn).toBe(6);
    expect(events.map(({ event }) => event)).not.toContain("failed");
    expect((await detector.models()).busy).toBe(0);
  });

  it("tells a failure, and goes on with the next", async () => {
    let fails = true;
    const sampler: DetectingModel["sampler"] = {
      sample: (prompt, params) =>
        fails ? Promise.reject(new Error("out of memory")) : saying.sample(prompt, params),
    };
    const detector = createDetector(async () => [source(sampler)]);
    expect((await run(detector, asked)).at(-1)).toMatchObject({
      event: "failed",
      error: { message: "out of memory" },
    });
    fails = false;
    expect((await run(detector, asked)).at(-1)).toMatchObject({ event: "done" });
  });

  it("keeps one model open, and opens it anew for other labels", async () => {
    const closed: string[] = [];
    const detector = createDetector(async () => [source(saying, closed), source(saying, closed, "b")]);
    await run(detector, asked);
    await run(detector, asked);
    expect(closed).toEqual([]);
    await run(detector, { ...asked, labels: ["dog"] });
    await run(detector, { ...asked, model: "b" });
    await detector.close();
    expect(closed).toEqual(["a person", "a dog", "b person"]);
    await expect(detector.check("c")).rejects.toThrow("there is no model c");
  });
});

describe("POST /api/detect", () => {
  const runs = makeRunsFolder();
  let studio: StudioServer;
  beforeAll(async () => {
    runs.add("tiny");
    studio = await startTestStudio(runs.path, {
      models: { given: [tinyModel], shipped: join(runs.path, "none") },
    });
  });
  afterAll(async () => {
    await studio.stop();
    runs.remove();
  });
  const post = (body: unknown) => send(`${studio.url}api/detect`, { body });
  const eventsOf = (text: string) => text.trim().split("\n").map((line) => JSON.parse(line) as DetectEvent); // prettier-ignore

  it("asks a model opened here about an uploaded picture and about a run's", async () => {
    const { models } = (await send<ModelList>(`${studio.url}api/models`)).json();
    expect(models).toMatchObject([{ from: "option", engine: "local", profile: "absolute", streams: true }]);
    const base64 = readFileSync(fixture("images/a.png")).toString("base64");
    for (const image of [{ base64 }, { run: "tiny", set: "plaza", sample: "plaza-72-000001" }]) {
      const { status, text, headers } = await post({ model: models[0]!.id, image, samples: 2, maxTokens: 8 });
      expect([status, headers["content-type"]]).toEqual([200, "application/x-ndjson; charset=utf-8"]);
      const events = eventsOf(text);
      expect(events.map(({ event }) => event).filter((name) => name !== "text")).toEqual(["queued", "opened", "response", "response", "consensus", "done"]); // prettier-ignore
    }
  });

  it.each([
    [{}, 422, "model"],
    [{ model: "none", image: { run: "tiny", set: "plaza", sample: "plaza-72-000001" } }, 404, "no model"],
    [{ model: "a", image: { base64: "AAAA" } }, 422, "cannot be read as an image"],
    [{ model: "a", image: { run: "tiny", set: "plaza", sample: "x" } }, 404, "no sample"],
    [{ model: "a", image: { run: "no", set: "plaza", sample: "x" } }, 404, "no run"],
    [{ model: "a", image: { path: "/etc/passwd" } }, 422, "image"],
    [{ model: "a", image: { base64: "AAAA" }, samples: 1000 }, 422, "samples"],
    [{ model: "a", image: { base64: "AAAA" }, maxTokens: 0 }, 422, "maxTokens"],
  ])("refuses %o with %i", async (body, status, words) => {
    const answer = await post(body);
    expect([answer.status, answer.text]).toEqual([status, expect.stringContaining(words)]);
  });

  it("lets go of a detection whose page has gone", async () => {
    const { models } = (await send<ModelList>(`${studio.url}api/models`)).json();
    const body = JSON.stringify({ model: models[0]!.id, image: { run: "tiny", set: "plaza", sample: "plaza-72-000001" }, maxTokens: 4000, samples: 1 }); // prettier-ignore
    await new Promise<void>((resolve, reject) => {
      const sent = request(
        `${studio.url}api/detect`,
        {
          method: "POST",
          headers: { "content-type": "application/json", "content-length": Buffer.byteLength(body) },
        },
        (answer) => answer.once("data", () => (sent.destroy(), resolve())),
      );
      sent.on("error", reject);
      sent.end(body);
    });
    await expect
      .poll(async () => (await send<ModelList>(`${studio.url}api/models`)).json().busy, { timeout: 60_000 })
      .toBe(0);
  });
});
