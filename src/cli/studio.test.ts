import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { afterAll, describe, expect, it } from "vitest";
import { send } from "../../test/support/http-client.js";
import { startOpenAiServer } from "../../test/support/openai-server.js";
import { makeRunsFolder } from "../../test/support/studio/runs.js";
import { silentLogger } from "../base/index.js";
import { startStudio, type DetectEvent, type ModelList } from "../server/studio/index.js";
import { runCli } from "./program.js";
import { openCommand, servedSource } from "./studio.js";

const runs = makeRunsFolder();
afterAll(() => runs.remove());

describe("dip-r1 studio", () => {
  it("prints its address, serves, and stops when it is told to", async () => {
    runs.add("tiny");
    const lines: string[] = [];
    const context = { logger: silentLogger, print: async (line: string) => void lines.push(line) };
    const done = runCli(["studio", runs.path, "--port", "0", "--no-open"], context);
    await expect.poll(() => lines.length, { timeout: 60_000 }).toBe(1);
    const url = /at (http:\/\/127\.0\.0\.1:\d+\/)$/.exec(lines[0]!)![1]!;
    expect((await send(`${url}api/runs`)).text).toContain('"id":"tiny"');
    process.emit("SIGTERM", "SIGTERM");
    expect(await done).toBe(0);
    await expect(send(url)).rejects.toThrow(/ECONNREFUSED/);
  });

  it("asks a served model about a picture", async () => {
    const answer =
      '<think>one</think><look>[]</look><answer>[{"bbox_2d":[10,10,30,40],"label":"person"}]</answer>';
    const server = await startOpenAiServer({ answer: () => answer });
    const source = await servedSource(
      { servedModel: "mock", server: "vllm", dialect: "dip-r1", baseUrl: server.baseUrl, cache: false, host: "", open: false, device: "cpu" }, // prettier-ignore
      { logger: silentLogger, print: async () => undefined },
    );
    const studio = await startStudio({ folder: runs.path, models: { shipped: runs.path }, served: source! });
    const { models } = (await send<ModelList>(`${studio.url}api/models`)).json();
    expect(models).toMatchObject([{ from: "server", engine: "openai", streams: false, labels: ["person"] }]);
    const image = { run: "tiny", set: "plaza", sample: "plaza-72-000001" };
    const { text } = await send(`${studio.url}api/detect`, {
      body: { model: models[0]!.id, image, samples: 2 },
    });
    const events = text.trim().split("\n").map((line) => JSON.parse(line) as DetectEvent); // prettier-ignore
    expect(events.map(({ event }) => event)).toEqual([
      "queued",
      "opened",
      "response",
      "response",
      "consensus",
      "done",
    ]);
    const response = events.find((one) => one.event === "response")!.response;
    expect(response).toMatchObject({ grade: "strict", text: answer, answer: [{ label: "person" }] });
    await studio.stop();
    await server.close();
  });

  it("takes the next port where somebody has the one it was given", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const studio = await startStudio({ folder: runs.path, port, furtherPorts: 20 });
    expect(studio.port).toBeGreaterThan(port);
    await studio.stop();
    await expect(startStudio({ folder: runs.path, port })).rejects.toThrow(/cannot listen/);
    await expect(startStudio({ folder: runs.path, host: "203.0.113.1" })).rejects.toThrow(/cannot listen/);
    other.close();
  });

  it("refuses a folder that holds no model, before it serves", async () => {
    const context = { logger: silentLogger, print: async () => undefined };
    expect(
      await runCli(["studio", runs.path, "--port", "0", "--no-open", "--model", runs.path], context),
    ).toBe(2);
  });

  it("opens the browser as each system does", () => {
    const url = "http://127.0.0.1:1/";
    expect(openCommand(url, "linux")).toEqual({ command: "xdg-open", args: [url] });
    expect(openCommand(url, "darwin")).toEqual({ command: "open", args: [url] });
    expect(openCommand(url, "win32").args.at(-1)).toBe(url);
  });
});
