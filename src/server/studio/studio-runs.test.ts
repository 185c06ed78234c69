import {
  appendFileSync,
  copyFileSync,
  mkdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { send } from "../../../test/support/http-client.js";
import { makeRunsFolder, recordedLines, startTestStudio } from "../../../test/support/studio/runs.js";
import { explainGroup } from "../../rewards/index.js";
import { readStoredGroups } from "../../runs/index.js";
import type {
  ConfigDiff,
  EvaluationHistory,
  EvaluationImages,
  EvaluationIndex,
  GroupDetail,
  GroupPage,
  MetricColumns,
  RunDetail,
  RunList,
  StudioInfo,
} from "./api.js";
import type { StudioServer } from "./studio-server.js";

const runs = makeRunsFolder();
let studio: StudioServer;
beforeAll(async () => {
  runs.add("tiny");
  runs.add("sweep/b", (manifest) => {
    manifest.name = "b";
    manifest.seed = 9;
    manifest.created = "2030-01-01T00:00:00.000Z";
    manifest.recipe.rewards.weights.look = 0.75;
    manifest.data["train"] = "0".repeat(64);
  });
  studio = await startTestStudio(runs.path);
});
afterAll(async () => {
  await studio.stop();
  runs.remove();
});

const get = async <T>(path: string): Promise<T> => {
  const { status, text } = await send(`${studio.url}api/${path}`);
  if (status !== 200) throw new Error(`${status} ${text}`);
  return JSON.parse(text) as T;
};
const TINY = "runs/tiny";

describe("runs", () => {
  it("lists nested runs, the newest first, with state and headline", async () => {
    const { runs: list, problems } = await get<RunList>("runs");
    expect(problems).toEqual([]);
    expect(list.map(({ id }) => id)).toEqual(["sweep/b", "tiny"]);
    expect(list[1]).toMatchObject({
      name: "tiny",
      kind: "grpo",
      preset: "recommended",
      seed: 3,
      status: "done",
      step: 36,
      steps: 36,
      engine: "local",
      hasModel: false,
    });
    expect(list[1]!.sparkline).toMatchObject({ key: "reward.mean" });
    expect(list[1]!.sparkline.steps).toHaveLength(36);
    const rows = recordedLines("evaluations.jsonl").map(
      (line) => JSON.parse(line) as Record<string, unknown>,
    );
    const of = (step: number) => rows.find((row) => row["step"] === step && row["set"] === "night" && row["decoding"] === "sampled")!; // prettier-ignore
    const headline = list[1]!.headlines.find(
      ({ set, decoding }) => set === "night" && decoding === "sampled",
    );
    expect(headline).toMatchObject({
      domain: "out",
      images: 3,
      first: { step: 0, f1: of(0)["f1"] },
      last: { step: 36, f1: of(36)["f1"] },
    });
  });

  it("tells a run that trains from one that was killed", async () => {
    const statuses: string[] = [];
    const run = runs.add("held", (manifest) => (manifest.state = "running"));
    const lock = join(run, "lock.json");
    // 2^22 is above every pid of Linux.
    for (const holder of [undefined, { pid: process.pid, host: hostname() }, { pid: 2 ** 22 + 1, host: hostname() }, { pid: 1, host: "another" }, "torn"]) {
      if (holder === undefined) rmSync(lock, { force: true });
      else writeFileSync(lock, holder === "torn" ? '{"pi' : JSON.stringify(holder));
      statuses.push((await get<RunDetail>("runs/held")).status);
    } // prettier-ignore
    expect(statuses).toEqual(["interrupted", "training", "interrupted", "training", "interrupted"]);
    rmSync(run, { recursive: true });
  });

  it("names a broken manifest as a problem, and shows the others", async () => {
    mkdirSync(join(runs.path, "broken"));
    writeFileSync(join(runs.path, "broken/manifest.json"), '{"format":1,"name":"x"}');
    const { runs: list, problems } = await get<RunList>("runs");
    expect(list).toHaveLength(2);
    expect(problems).toMatchObject([{ id: "broken", message: expect.stringContaining('"recipe"') }]);
    rmSync(join(runs.path, "broken"), { recursive: true });
  });

  it("works on an empty folder and on one that is not there", async () => {
    for (const folder of [join(runs.path, "nothing"), join(runs.path, "nothing/deeper")]) {
      const other = await startTestStudio(folder);
      const list = (await send<RunList>(`${other.url}api/runs`)).json();
      expect(list).toEqual({ runs: [], problems: [] });
      const info = (await send<StudioInfo>(`${other.url}api/studio`)).json();
      expect(info).toMatchObject({ runs: folder, firstRun: `dip-r1 start --out ${folder}/start` });
      await other.stop();
    }
  });

  it("refuses a file in place of the folder", async () => {
    await expect(startTestStudio(join(runs.path, "tiny/manifest.json"))).rejects.toThrow(/not a folder/);
  });

  it("shows a run's folder given by itself", async () => {
    const other = await startTestStudio(join(runs.path, "sweep/b"));
    const list = (await send<RunList>(`${other.url}api/runs`)).json();
    expect(list.runs.map(({ id, name }) => [id, name])).toEqual([["b", "b"]]);
    expect((await send(`${other.url}api/runs/b/metrics`)).status).toBe(200);
    await other.stop();
  });

  it("details a run", async () => {
    const detail = await get<RunDetail>("runs/sweep%2Fb");
    expect(detail).toMatchObject({
      labels: ["person"],
      prompt: "dip-r1-short",
      counts: { metrics: 36, tokens: true },
    });
    expect(detail.evaluations).toHaveLength(recordedLines("evaluations.jsonl").length);
    expect(detail.metricKeys).toContain("responseTokens.max");
    expect(detail.fingerprints["data.train"]).toBe("0".repeat(64));
  });

  it("compares two configurations leaf by leaf", async () => {
    const diff = await get<ConfigDiff>("diff?a=tiny&b=sweep%2Fb");
    expect(diff.changes).toEqual([{ path: "rewards.weights.look", a: 0.25, b: 0.75 }]);
    expect(diff.facts.map(({ path }) => path)).toEqual(["data.train"]);
    expect(diff.same).toBeGreaterThan(60);
    expect((await get<ConfigDiff>("diff?a=tiny&b=tiny")).changes).toEqual([]);
  });
});

describe("metrics", () => {
  it("gives columns from a row on, and the rows of a file that was cut back anew", async () => {
    const run = runs.add("growing");
    const path = join(run, "metrics.jsonl");
    const lines = recordedLines("metrics.jsonl");
    writeFileSync(path, lines.slice(0, 10).join("\n") + "\n");
    const first = await get<MetricColumns>("runs/growing/metrics");
    expect([first.epoch, first.from, first.to]).toEqual([0, 0, 10]);
    expect(first.columns["reward.mean"]).toEqual(
      lines.slice(0, 10).map((line) => (JSON.parse(line) as { reward: { mean: number } }).reward.mean),
    );
    appendFileSync(path, `${lines[10]}\n{"step":12,"rew`);
    const more = await get<MetricColumns>("runs/growing/metrics?from=10&epoch=0&keys=kl,f1,nothing");
    expect([more.from, more.to, more.steps, Object.keys(more.columns)]).toEqual([10, 11, [11], ["kl", "f1"]]);
    // A resumed run drops what was unfinished and goes past it again.
    truncateSync(path, lines[0]!.length + 1);
    appendFileSync(path, lines.slice(0, 20).map((line) => line.replace('"step":', '"again":1,"step":')).join("\n") + "\n"); // prettier-ignore
    const anew = await get<MetricColumns>("runs/growing/metrics?from=11&epoch=0");
    expect([anew.epoch, anew.from, anew.to]).toEqual([1, 0, 21]);
    expect(anew.columns["again"]!.slice(0, 3)).toEqual([null, 1, 1]);
    rmSync(run, { recursive: true });
  });
});

describe("groups", () => {
  it("lists, filters, sorts and pages", async () => {
    const all = await get<GroupPage>(`${TINY}/groups?limit=500`);
    expect([all.total, all.matching, all.groups.length]).toEqual([36, 36, 36]);
    expect(all.groups[0]!.step).toBe(36);
    const rewards = all.groups.map(({ reward }) => reward.mean);
    const sorted = await get<GroupPage>(`${TINY}/groups?sort=-reward&limit=5&offset=2`);
    expect(sorted.groups.map(({ reward }) => reward.mean)).toEqual(
      rewards.toSorted((a, b) => b - a).slice(2, 7),
    );
    const middle = rewards.toSorted((a, b) => a - b)[18]!;
    const high = await get<GroupPage>(`${TINY}/groups?minReward=${middle}&fromStep=5&toStep=30&failure=missed&failure=invented`); // prettier-ignore
    const wanted = all.groups.filter(
      ({ step, reward, failures }) =>
        step >= 5 && step <= 30 && reward.mean >= middle && failures.missed && failures.invented,
    );
    expect(high.groups).toEqual(wanted);
    expect(high.matching).toBe(wanted.length);
    for (const query of ["sort=size", "limit=0", "limit=501", "offset=-1", "failure=bad", "minReward=x"])
      expect([query, (await send(`${studio.url}api/${TINY}/groups?${query}`)).status]).toEqual([query, 422]);
  });

  it("explains a group as the rewards do, with every token where they were kept", async () => {
    const stored = await readStoredGroups(join(runs.path, "tiny"));
    const { step, sample, truth, lines } = stored.find((group) => group.step === 12)!;
    const detail = await get<GroupDetail>(`${TINY}/group?step=${step}&sample=${encodeURIComponent(sample)}`);
    const { rewards } = await get<RunDetail>(TINY);
    const explained = explainGroup(truth, lines.map(({ text }) => text), rewards); // prettier-ignore
    expect(detail.responses.map((one) => one.explained)).toEqual(
      JSON.parse(JSON.stringify(explained.responses)),
    );
    expect(detail.agrees).toBe(true);
    const { columns, rows, values } = detail.disagreement.grid!;
    const bytes = Buffer.from(values, "base64");
    expect(bytes).toHaveLength(columns * rows);
    expect([...bytes].map((byte) => byte > 0)).toEqual(
      Array.from(explained.disagreement!.values, (value) => value > 0),
    );
    for (const [i, { text, track, stretches, answer, regions, tokens }] of detail.responses.entries()) {
      expect(text).toBe(lines[i]!.text);
      expect(stretches.map(({ start, end }) => text.slice(start, end)).join("")).toBe(text);
      expect(answer.map(({ box }) => box)).toEqual(lines[i]!.boxes);
      expect(regions.map(({ box }) => box)).toEqual(lines[i]!.regions);
      for (const { box, start, end } of answer) expect(text.slice(start, end)).toContain(JSON.stringify(box));
      expect(track!.logprobs).toHaveLength(tokens);
      expect(track!.ends.at(-1)).toBe(text.length);
    }
    // The picture comes again: six scenes for 36 steps.
    expect(detail.steps.length).toBeGreaterThan(1);
    expect(detail.previous!.step).toBe(11);
    const untold = await get<GroupDetail>(`${TINY}/group?step=11&sample=${encodeURIComponent(detail.previous!.sample)}`); // prettier-ignore
    expect(untold.responses.map(({ track }) => track)).toEqual([null, null, null, null]);
    expect((await send(`${studio.url}api/${TINY}/group?step=12&sample=nobody`)).status).toBe(404);
    expect((await send(`${studio.url}api/${TINY}/group?sample=nobody`)).status).toBe(422);
  });

  it("draws the map of disagreement for rewards that pay by instances, too", async () => {
    const run = runs.add("hits", ({ recipe }) =>
      Object.assign(recipe.rewards, { look: { kind: "hit-variance" } }),
    );
    const { groups } = await get<GroupPage>("runs/hits/groups?sort=-spread&limit=1");
    const { step, sample } = groups[0]!;
    const own = await get<GroupDetail>(`runs/hits/group?step=${step}&sample=${sample}`);
    const grid = await get<GroupDetail>(`${TINY}/group?step=${step}&sample=${sample}`);
    expect(own.disagreement.grid).toEqual(grid.disagreement.grid);
    expect([own.disagreement.uncertain !== undefined, grid.disagreement.uncertain]).toEqual([
      true,
      undefined,
    ]);
    expect(own.responses.map(({ explained }) => explained!.look.kind)).toContain("instances");
    rmSync(run, { recursive: true });
  });

  it("says where the rewards have changed since", async () => {
    const { groups } = await get<GroupPage>("runs/sweep%2Fb/groups?sort=-spread&limit=1");
    const { step, sample } = groups[0]!;
    const detail = await get<GroupDetail>(`runs/sweep%2Fb/group?step=${step}&sample=${sample}`);
    expect(detail.agrees).toBe(false);
  });
});

describe("evaluations", () => {
  it("steps through training by image", async () => {
    const { sets } = await get<EvaluationIndex>(`${TINY}/evaluations`);
    expect(sets).toContainEqual({
      set: "plaza",
      domain: "in",
      decoding: "sampled",
      steps: [0, 12, 24, 36],
      images: 4,
    });
    const query = "set=plaza&decoding=sampled";
    const images = await get<EvaluationImages>(`${TINY}/evaluations/images?${query}&sort=-change&limit=2`);
    expect([images.total, images.steps]).toEqual([4, [0, 12, 24, 36]]);
    const [best, next] = images.images.map(({ f1 }) => f1.at(-1)! - f1[0]!);
    expect(best).toBeGreaterThanOrEqual(next!);
    const { id, f1 } = images.images[0]!;
    const history = await get<EvaluationHistory>(`${TINY}/evaluations/image?${query}&image=${id}`);
    expect(history.steps.map(({ step }) => step)).toEqual([0, 12, 24, 36]);
    expect(history.steps.every(({ responses, heat }) => responses.length === 3 && heat !== undefined)).toBe(
      true,
    );
    expect(history.canvas).toEqual({ width: 112, height: 112 });
    // The greedy response's F1 is its image's.
    const greedy = await get<EvaluationHistory>(
      `${TINY}/evaluations/image?set=plaza&decoding=greedy&image=${id}`,
    );
    const list = await get<EvaluationImages>(
      `${TINY}/evaluations/images?set=plaza&decoding=greedy&image=${id}`,
    );
    expect(greedy.steps.map(({ responses }) => responses[0]!.f1)).toEqual(list.images[0]!.f1);
    expect(f1).toHaveLength(4);
    expect((await send(`${studio.url}api/${TINY}/evaluations/image?${query}&image=no`)).status).toBe(404);
    expect(
      (await send(`${studio.url}api/${TINY}/evaluations/images?set=nowhere&decoding=greedy`)).status,
    ).toBe(404);
  });
});

describe("pictures", () => {
  it("are found again by set and sample, and cached by the browser", async () => {
    const { image } = await get<GroupDetail>(`${TINY}/group?step=1&sample=${(await get<GroupPage>(`${TINY}/groups?sort=step&limit=1`)).groups[0]!.sample}`); // prettier-ignore
    const answer = await send(`${studio.url.slice(0, -1)}${image}`);
    expect([answer.status, answer.headers["content-type"]]).toEqual([200, "image/png"]);
    const etag = answer.headers.etag!;
    const again = await send(`${studio.url.slice(0, -1)}${image}`, { headers: { "if-none-match": etag } });
    expect([again.status, again.text]).toEqual([304, ""]);
  });

  it("are refused with words where the data is another or gone", async () => {
    const { groups } = await get<GroupPage>("runs/sweep%2Fb/groups?limit=1");
    const other = await send(`${studio.url}api/runs/sweep%2Fb/image?set=train&sample=${groups[0]!.sample}`);
    expect([other.status, other.text]).toEqual([
      404,
      expect.stringContaining("no longer what the run was made with"),
    ]);
    for (const [set, sample] of [["plaza", "plaza-72-000004"], ["plaza", "../../secret"], ["nowhere", "a"], ["__proto__", "a"]]) {
      const { status } = await send(`${studio.url}api/${TINY}/image?set=${set}&sample=${encodeURIComponent(sample!)}`);
      expect([set, sample, status]).toEqual([set, sample, 404]);
    } // prettier-ignore
    const moved = runs.add("moved", ({ recipe }) => Object.assign(recipe.data, { train: { format: "coco", annotations: "gone.json" } })); // prettier-ignore
    const gone = await send(`${studio.url}api/runs/moved/image?set=train&sample=1`);
    expect([gone.status, gone.text]).toEqual([404, expect.stringContaining("cannot be opened")]);
    rmSync(moved, { recursive: true });
  });

  it("send pixels only: a file that is no picture stays where it is", async () => {
    const run = runs.add("photos", (manifest) => {
      delete manifest.data["train"];
      Object.assign(manifest.recipe.data, { train: { format: "jsonl", annotations: "list.jsonl" } });
    });
    writeFileSync(
      join(run, "list.jsonl"),
      '{"id":"1","image":"secret.txt","width":4,"height":4,"objects":[]}\n',
    );
    writeFileSync(join(run, "secret.txt"), "a secret");
    copyFileSync(join(run, "manifest.json"), join(run, "copy.json"));
    writeFileSync(join(run, "manifest.json"), readFileSync(join(run, "copy.json"), "utf8").replace('"path":"recipe.yaml"', `"path":${JSON.stringify(join(run, "recipe.yaml"))}`)); // prettier-ignore
    const { status, text } = await send(`${studio.url}api/runs/photos/image?set=train&sample=1`);
    expect(status).toBe(404);
    expect(text).toContain("cannot be read as an image");
    rmSync(run, { recursive: true });
  });
});
