import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { hostname } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { send } from "../../../test/support/http-client.js";
import { makeRunsFolder, startTestStudio } from "../../../test/support/studio/runs.js";
import type { ApiFailure, RunList } from "./api.js";
import { isOwnHost } from "./security.js";
import type { StudioServer } from "./studio-server.js";

const runs = makeRunsFolder();
const outside = makeRunsFolder();
let studio: StudioServer;
beforeAll(async () => {
  outside.add("secret");
  writeFileSync(join(outside.path, "passwords"), '{"step":1,"secret":1}\n');
  runs.add("good");
  const page = join(runs.path, ".page");
  mkdirSync(join(page, "assets"), { recursive: true });
  writeFileSync(join(page, "index.html"), "<!doctype html><title>page</title>");
  writeFileSync(join(page, "assets/index-CHaJ6plK.js"), "export {};");
  studio = await startTestStudio(runs.path, { page: [page] });
});
afterAll(async () => {
  await studio.stop();
  runs.remove();
  outside.remove();
});

const url = (path: string) => `${studio.url.slice(0, -1)}${path}`;

/** A path as it is, past every client that would mend it. */
function raw(path: string, headers: Record<string, string> = {}): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: "127.0.0.1", port: studio.port, path, headers }, (answer) => {
      let text = "";
      answer.on("data", (chunk: Buffer) => (text += chunk.toString("utf8")));
      answer.on("end", () => resolve({ status: answer.statusCode!, text }));
    });
    sent.on("error", reject);
    sent.end();
  });
}

describe("who may ask", () => {
  it("refuses names that are not its own: DNS rebinding", async () => {
    for (const host of [
      "evil.example",
      "evil.example:6071",
      "127.0.0.1.evil.example",
      "localhost.evil.example",
    ])
      expect([host, (await raw("/api/runs", { host })).status]).toEqual([host, 403]);
    expect((await raw("/", { host: "evil.example" })).status).toBe(403);
    for (const host of ["localhost", `127.0.0.1:${studio.port}`, "[::1]:80", "LOCALHOST:1"])
      expect([host, (await raw("/api/runs", { host })).status]).toEqual([host, 200]);
  });

  it("knows its names when it listens on more than loopback", () => {
    for (const host of ["192.168.0.7:6071", "[fe80::1]:6071", hostname(), "box.local"])
      expect([host, isOwnHost(host, "box.local")]).toEqual([host, true]);
    for (const host of ["evil.example", "box.local.evil.example", undefined, "a b", "[evil]"])
      expect([host, isOwnHost(host, "0.0.0.0")]).toEqual([host, false]);
    expect(isOwnHost("192.168.0.7", "127.0.0.1")).toBe(false);
  });

  it("answers no page of another site, neither reading nor working", async () => {
    const own = `http://127.0.0.1:${studio.port}`;
    for (const headers of [
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
      { origin: "https://evil.example" },
      { origin: "null" },
      { origin: `http://127.0.0.1:${studio.port + 1}` },
    ] as Record<string, string>[]) {
      const read = await send(url("/api/runs"), { headers });
      const work = await send(url("/api/detect"), { headers, body: { model: "a" } });
      expect([headers, read.status, work.status]).toEqual([headers, 403, 403]);
      expect(read.headers["access-control-allow-origin"]).toBeUndefined();
    }
    expect((await send(url("/api/runs"), { headers: { origin: own } })).status).toBe(200);
    expect((await send(url("/"), { headers: { "sec-fetch-site": "cross-site" } })).status).toBe(200);
  });

  it("takes no body that a form of another site could send", async () => {
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]) {
      const answer = await send(url("/api/detect"), { body: "{}", headers: { "content-type": type } });
      expect([type, answer.status]).toEqual([type, 415]);
    }
  });

  it("takes no body without end, and says so", async () => {
    const answer = await send<ApiFailure>(url("/api/detect"), {
      body: JSON.stringify({ model: "x", image: { base64: "A".repeat(49 * 2 ** 20) } }),
    });
    expect(answer.status).toBe(413);
    expect(answer.json().error.hint).toMatch(/smaller picture/);
  });

  it("takes each path by its own method", async () => {
    const wrong = await send(url("/api/runs"), { body: {} });
    expect([wrong.status, wrong.headers.allow]).toEqual([405, "GET"]);
    expect((await send(url("/"), { body: {} })).status).toBe(405);
    expect((await send(url("/api/detect"))).status).toBe(405);
    expect((await send(url("/api/nothing"))).status).toBe(404);
  });

  it("sends its headers with pages, answers and refusals alike", async () => {
    for (const path of ["/", "/api/runs", "/api/nothing", "/nothing"]) {
      const { headers } = await send(url(path));
      expect([path, headers["x-content-type-options"]]).toEqual([path, "nosniff"]);
      const policy = headers["content-security-policy"] as string;
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("script-src 'self';");
      expect(policy).not.toMatch(/unsafe|https?:|\*/);
      expect(headers["cross-origin-resource-policy"]).toBe("same-origin");
    }
  });
});

describe("what can be read", () => {
  it("keeps to the page's own files", async () => {
    const index = await send(url("/"));
    expect([index.status, index.headers["cache-control"]]).toEqual([200, "no-cache"]);
    const asset = await send(url("/assets/index-CHaJ6plK.js"));
    expect(asset.headers["cache-control"]).toMatch(/immutable/);
    expect(asset.headers["content-type"]).toMatch(/^text\/javascript/);
    for (const path of [
      "/../good/manifest.json",
      "/..%2fgood/manifest.json",
      "/%2e%2e/good/manifest.json",
      "/assets/../../good/manifest.json",
      "/assets/%2e%2e/%2e%2e/good/manifest.json",
      "/..\\good\\manifest.json",
      "//etc/passwd",
      "/assets/",
      "/assets/index-CHaJ6plK.js%00.png",
    ])
      expect([path, (await raw(path)).status]).toEqual([path, 404]);
  });

  it("finds no run outside of its folder, however the path is written", async () => {
    const name = outside.path.split("/").at(-1)!;
    for (const id of [
      `../${name}/secret`,
      `good/../../${name}/secret`,
      `${outside.path}/secret`,
      "..",
      ".",
      "good/../good",
      "good\0",
    ]) {
      const path = `/api/runs/${encodeURIComponent(id).replaceAll(".", "%2e")}`;
      for (const rest of ["", "/metrics", "/groups", "/evaluations"])
        expect([id, rest, (await raw(path + rest)).status]).toEqual([id, rest, 404]);
    }
    expect((await raw("/api/runs/../../../../etc/passwd")).status).toBe(404);
    expect((await raw("/api/runs/%ff")).status).toBe(422);
  });

  it("follows no link that leaves a run, and says why", async () => {
    const linked = runs.add("linked");
    for (const name of ["metrics.jsonl", "rollouts.jsonl", "tokens.jsonl"]) {
      const { rmSync } = await import("node:fs");
      rmSync(join(linked, name));
      symlinkSync(join(outside.path, "passwords"), join(linked, name));
    }
    const { json } = await send<RunList>(url("/api/runs"));
    expect(json().runs.map(({ id }) => id)).toEqual(["good"]);
    expect(json().problems).toMatchObject([
      { id: "linked", message: expect.stringMatching(/symbolic link/) },
    ]);
    const metrics = await raw("/api/runs/linked/metrics");
    expect([metrics.status, metrics.text.includes('secret":1')]).toEqual([404, false]);
  });

  it("follows no link in the evaluations or the model", async () => {
    const { rmSync } = await import("node:fs");
    const run = runs.add("evaluated");
    const file = join(run, "evaluations/step-000000/plaza.greedy.jsonl");
    rmSync(file);
    symlinkSync(join(outside.path, "secret/evaluations/step-000000/plaza.greedy.jsonl"), file);
    mkdirSync(join(run, "model"));
    writeFileSync(join(run, "model/config.json"), "{}");
    symlinkSync(join(outside.path, "passwords"), join(run, "model/model.safetensors"));
    const query = "set=plaza&decoding=greedy";
    expect((await raw(`/api/runs/evaluated/evaluations/images?${query}`)).status).toBe(403);
    const models = await send<{ models: { id: string }[] }>(url("/api/models"));
    expect(models.json().models).toEqual([]);
    rmSync(run, { recursive: true });
  });

  it("opens no folder of runs by a link, and no pipe in place of a file", async () => {
    symlinkSync(join(outside.path, "secret"), join(runs.path, "link"));
    const { json } = await send<RunList>(url("/api/runs"));
    expect(json().problems).toContainEqual({ id: "link", message: expect.stringMatching(/is not followed/) });
    expect((await raw("/api/runs/link")).status).toBe(404);
    const { execFileSync } = await import("node:child_process");
    const { rmSync } = await import("node:fs");
    const piped = runs.add("piped");
    rmSync(join(piped, "metrics.jsonl"));
    execFileSync("mkfifo", [join(piped, "metrics.jsonl")]);
    expect((await raw("/api/runs/piped")).status).toBe(404);
    rmSync(piped, { recursive: true });
  });

  it("says how to build the page where it was not built", async () => {
    const other = await startTestStudio(runs.path, { page: [join(runs.path, "nowhere")] });
    const { status, text } = await send(other.url);
    expect(status).toBe(200);
    expect(text).toContain("npm run build");
    await other.stop();
  });
});
