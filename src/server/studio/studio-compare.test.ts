import { appendFileSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { send } from "../../../test/support/http-client.js";
import { makeRunsFolder, startTestStudio } from "../../../test/support/studio/runs.js";
import { openResult } from "../../runs/index.js";
import { compareResults } from "../../study/index.js";
import type { ApiFailure } from "./api.js";
import type { CompareChoices, CompareImages, Comparison } from "./compare-api.js";
import { parseEntry, suggestNames } from "./compare-sources.js";
import type { StudioServer } from "./studio-server.js";

const runs = makeRunsFolder();
let studio: StudioServer;
beforeAll(async () => {
  runs.add("tiny");
  runs.add("sweep/b@2", (manifest) => {
    manifest.name = "b";
    manifest.created = "2030-01-01T00:00:00.000Z";
  });
  runs.add("other", (manifest) => {
    manifest.created = "2020-01-01T00:00:00.000Z";
    manifest.data["eval.plaza"] = "f".repeat(64);
    manifest.data["eval.night"] = "e".repeat(64);
  });
  const half = runs.add("half", (manifest) => {
    manifest.created = "2019-01-01T00:00:00.000Z";
    manifest.data["eval.night"] = "d".repeat(64);
  });
  // Fewer images of one set, as evaluation.minutes may leave.
  const file = join(half, "evaluations/step-000036/plaza.greedy.jsonl");
  writeFileSync(file, readFileSync(file, "utf8").split("\n").slice(0, 3).join("\n") + "\n");
  rmSync(join(half, "evaluations/step-000012"), { recursive: true });
  studio = await startTestStudio(runs.path);
});
afterAll(async () => {
  await studio.stop();
  runs.remove();
});

/** Names and values; a list rather than pairs, so that tables of cases need no types of their own. */
type Query = string[][];

async function get<T>(path: string, query: Query = []): Promise<{ status: number; value: T }> {
  const { status, text } = await send(
    `${studio.url}api/${path}?${new URLSearchParams(query as [string, string][]).toString()}`,
  );
  return { status, value: JSON.parse(text) as T };
}
const entries = (...names: string[]) => names.map((name) => ["entry", name]);
const refused = async (query: Query, path = "compare") => {
  const { status, value } = await get<ApiFailure>(path, query);
  return { status, ...value.error };
};

describe("entries", () => {
  it("lists runs with their steps and data, the newest first", async () => {
    const { value } = await get<CompareChoices>("compare/entries");
    expect(value.runs.map(({ run }) => run)).toEqual(["sweep/b@2", "tiny", "other", "half"]);
    const [b, , , half] = value.runs;
    expect(b).toMatchObject({ name: "b", kind: "grpo", steps: [0, 12, 24, 36] });
    expect(b!.sets.map(({ set, decoding, domain }) => `${set} ${decoding} ${domain}`)).toEqual([
      "plaza greedy in",
      "plaza sampled in",
      "night greedy out",
      "night sampled out",
    ]);
    // Steps whose responses are gone are not offered.
    expect(half!.steps).toEqual([0, 24, 36]);
  });

  it("are read from the end of their names", () => {
    expect(parseEntry("a@12")).toEqual({ run: "a", at: "12" });
    expect(parseEntry("b@2@first")).toEqual({ run: "b@2", at: "first" });
    expect(parseEntry("mail@home")).toEqual({ run: "mail@home", at: "last" });
  });

  it("are named by what they are, and by their run where that is not enough", () => {
    const grpo = { kind: "grpo" } as const;
    expect(
      suggestNames(
        [
          { run: "a", step: 0, ...grpo },
          { run: "s", step: 50, kind: "sft" },
          { run: "a", step: 20, ...grpo },
          { run: "a", step: 40, ...grpo },
          { run: "b", step: 40, ...grpo },
        ],
        [40, 50, 40, 40, 40],
      ),
    ).toEqual(["base", "SFT", "DIP-R1 at 20", "DIP-R1 (a)", "DIP-R1 (b)"]);
  });
});

describe("compare", () => {
  it("has the numbers of `dip-r1 compare`", async () => {
    const { status, value } = await get<Comparison>("compare", [
      ...entries("tiny@first", "tiny", "sweep/b@2@12"),
      ["source", "order"],
    ]);
    expect(status).toBe(200);
    expect(value.entries.map(({ id, suggested }) => [id, suggested])).toEqual([
      ["tiny@0", "base"],
      ["tiny@36", "DIP-R1"],
      ["sweep/b@2@12", "DIP-R1 at 12"],
    ]);
    expect(value.sets.map(({ set, domain }) => `${set} ${domain}`)).toEqual(["plaza in", "night out"]);
    const tiny = join(runs.path, "tiny");
    const own = compareResults(await openResult(`${tiny}@0`), await openResult(tiny), {
      decoding: "greedy",
      resamples: 1000,
    });
    for (const [i, set] of value.sets.entries())
      for (const key of ["f1", "ap50", "mae"] as const) {
        const sent = set.metrics.find((one) => one.key === key)!;
        const { a, b, difference, permutationP } = own.sets[i]!.metrics[key]!;
        expect(sent.values[0]!.value).toBeCloseTo(a, 5);
        expect(sent.values[1]!.value).toBeCloseTo(b, 5);
        expect(sent.changes[1]!.low).toBeCloseTo(difference.low, 5);
        expect(sent.changes[1]!.permutationP).toBeCloseTo(permutationP, 5);
      }
    const whole = await get<Comparison>("compare", [...entries("tiny", "sweep/b@2"), ["set", "plaza"]]);
    expect(whole.value.entries.map(({ id }) => id)).toEqual(["tiny@36", "sweep/b@2@36"]);
    // No folder of this machine is named.
    expect(JSON.stringify(value)).not.toContain(runs.path);
  });

  it("gives the same answer once more, and another one where a file has changed", async () => {
    const run = runs.add("growing");
    const query = entries("growing@0", "growing@12");
    const first = await get<Comparison>("compare", query);
    expect(await get<Comparison>("compare", query)).toEqual(first);
    const file = join(run, "evaluations/step-000012/plaza.greedy.jsonl");
    const [line, ...rest] = readFileSync(file, "utf8").trim().split("\n");
    const image = JSON.parse(line!) as { responses: object[] };
    Object.assign(image.responses[0]!, { answer: [], probabilities: [] });
    writeFileSync(file, [JSON.stringify(image), ...rest].join("\n") + "\n");
    const { value } = await get<Comparison>("compare", query);
    expect(value.notes.join()).toContain("1 responses of growing@12 are matched otherwise");
    rmSync(run, { recursive: true });
  });

  it("refuses other data in words", async () => {
    const { status, message } = await refused(entries("tiny", "other"));
    expect(status).toBe(422);
    expect(message).toMatch(
      /plaza, greedy: the results are of other data: sha256 \w{12} in tiny@36, ffffffffffff in other@36/,
    );
  });

  it("refuses other images, and compares the common ones where asked", async () => {
    const query = entries("tiny", "half");
    const { message, hint } = await refused(query);
    expect(message).toContain("only in tiny@36");
    expect(hint).toContain("common=1");
    const { value } = await get<Comparison>("compare", [...query, ["common", "1"]]);
    expect(value.sets[0]).toMatchObject({ set: "plaza", images: 3 });
    expect(value.notes.join()).toContain("only the 3 common images are compared; 1 of tiny@36 left out");
    // A set that cannot stand beside the other is named; the rest is compared.
    const partly = await get<Comparison>("compare", entries("tiny@0", "half@0"));
    expect(partly.value.sets.map(({ set }) => set)).toEqual(["plaza"]);
    expect(partly.value.refused).toMatchObject([
      { set: "night", message: expect.stringContaining("other data") },
    ]);
  });

  it.each([
    ["no entry", [], "nothing to compare"],
    ["an unknown run", entries("nobody"), "there is no run nobody"],
    ["an unknown step", entries("tiny@7"), "step 7 was not evaluated"],
    ["one twice", entries("tiny@36", "tiny"), "tiny@36 is named twice"],
    ["too many", entries(..."abcdefghi"), "more than the 8"],
    ["a baseline that is none", [...entries("tiny"), ["baseline", "3"]], "baseline=3"],
    ["an unknown decoding", [...entries("tiny"), ["decoding", "beam"]], "not one of greedy, sampled"],
    ["a source that is not known", [...entries("tiny"), ["source", "x"]], "not one of one, order"],
    ["a source without its data", [...entries("tiny"), ["source", "consensus"]], "score source consensus"],
    ["an unknown set", [...entries("tiny"), ["set", "moon"]], "no such set"],
  ])("refuses %s", async (_, query, words) => {
    const { status, message } = await refused(query);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect(message).toContain(words);
  });

  it("does not read responses behind a link that leaves the run", async () => {
    const run = runs.add("linked");
    const step = join(run, "evaluations/step-000036");
    const away = join(runs.path, "away.jsonl");
    renameSync(join(step, "plaza.greedy.jsonl"), away);
    symlinkSync(away, join(step, "plaza.greedy.jsonl"));
    const { status, message } = await refused(entries("linked"));
    expect(status).toBe(403);
    expect(message).toContain("symbolic link");
    rmSync(run, { recursive: true });
  });

  it("says so where a file is not what it should be", async () => {
    const run = runs.add("broken");
    appendFileSync(join(run, "evaluations/step-000036/plaza.greedy.jsonl"), '{"id":"x"}\n');
    const { status, message } = await refused(entries("broken"));
    expect(status).toBe(422);
    expect(message).toMatch(/broken@36: line 5 of plaza\.greedy\.jsonl is not an evaluated image: "width"/);
    rmSync(run, { recursive: true });
  });
});

describe("images", () => {
  const images = (...more: string[][]) =>
    get<CompareImages>("compare/images", [
      ...entries("tiny@0", "tiny"),
      ["set", "plaza"],
      ["decoding", "sampled"],
      ...more,
    ]);

  it("come by their gain, page by page", async () => {
    const { value } = await images(["order", "gain"], ["limit", "3"]);
    expect(value).toMatchObject({ set: "plaza", total: 4, matching: 4, offset: 0 });
    expect(value.gained + value.lost + value.equal).toBe(4);
    const rest = await images(["order", "gain"], ["limit", "3"], ["offset", "3"]);
    const gains = [...value.images, ...rest.value.images].map(({ gain }) => gain);
    expect(gains).toHaveLength(4);
    expect(gains).toEqual(gains.toSorted((a, b) => b - a));
    const lost = await images(["order", "loss"]);
    expect(lost.value.images.map(({ gain }) => gain)).toEqual(gains.toReversed());
  });

  it("have the boxes of every entry's responses, and their picture", async () => {
    const { value } = await images(["limit", "1"]);
    const [image] = value.images;
    expect(image!.entries).toHaveLength(2);
    for (const { responses } of image!.entries)
      for (const { answer, matches } of responses) expect(matches).toHaveLength(answer.length);
    const picture = await send(`${studio.url}${image!.picture.slice(1)}`);
    expect(picture.status).toBe(200);
  });

  it("can be looked for by name", async () => {
    const { value } = await images(["order", "judged"]);
    const [, second] = value.images;
    const found = await images(["image", second!.id]);
    expect(found.value.images.map(({ id }) => id)).toEqual([second!.id]);
    expect(found.value).toMatchObject({ total: 4, matching: 1 });
    expect(await refused([...entries("tiny"), ["set", "moon"]], "compare/images")).toMatchObject({
      status: 422,
      message: expect.stringContaining("moon, greedy"),
    });
  });
});
