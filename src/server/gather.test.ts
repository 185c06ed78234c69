import { describe, expect, it } from "vitest";
import { createGatherer, type GatherOptions } from "./gather.js";
import type { GroupJob, ScoredResponse } from "./group-job.js";

const truth = { size: { width: 9, height: 9 }, objects: [], ignore: [] };
const jobOf = (...responses: string[]): GroupJob => ({ truth, responses, withoutLook: false });
/** Scores that tell which text they are of. */
const score: GatherOptions["score"] = async ({ responses }) =>
  responses.map((text) => ({ grade: "none", total: Number(text) }) as unknown as ScoredResponse);
const gatherer = (over: Partial<GatherOptions> = {}) =>
  createGatherer({ seconds: 60, maxResponses: 10, score, ...over });
const totals = async (part: { scores: Promise<readonly ScoredResponse[]> }) =>
  (await part.scores).map(({ total }) => total);

describe("parts of a group", () => {
  it("get their own scores, whatever the order in which they come", async () => {
    const gather = gatherer();
    const a = gather.add({ key: "g", size: 4, job: jobOf("1", "2") });
    const b = gather.add({ key: "g", size: 4, job: jobOf("3") });
    expect(gather.waiting()).toBe(3);
    expect(gather.has("g")).toBe(true);
    const c = gather.add({ key: "g", size: 4, job: jobOf("4") });
    expect(gather.waiting()).toBe(0);
    expect(await Promise.all([a, b, c].map(totals))).toEqual([[1, 2], [3], [4]]);
    await gather.idle();
  });

  it("do not mix with another group's, nor with the next one of the same name", async () => {
    const gather = gatherer();
    const parts = ["g", "h", "g", "h", "g", "g"].map((key, i) =>
      gather.add({ key, size: 2, job: jobOf(String(i)) }),
    );
    expect(await Promise.all(parts.map(totals))).toEqual([[0], [1], [2], [3], [4], [5]]);
  });

  it("must fit together", () => {
    const gather = gatherer();
    const part = gather.add({ key: "g", size: 3, job: jobOf("1", "2") });
    part.scores.catch(() => undefined);
    const other = { ...jobOf("3"), truth: { ...truth, size: { width: 8, height: 9 } } };
    expect(() => gather.add({ key: "g", size: 3, job: other })).toThrow(/differ/);
    expect(() => gather.add({ key: "g", size: 4, job: jobOf("3") })).toThrow(/differ/);
    expect(() => gather.add({ key: "g", size: 3, job: jobOf("3", "4") })).toThrow(
      /4 responses for a group of 3/,
    );
    expect(() => gather.add({ key: "h", size: 20, job: jobOf(..."123456789") })).toThrow(/wait/);
    part.withdraw();
    expect(gather.waiting()).toBe(0);
  });

  it("withdrawn leave their place, and the last one its group", async () => {
    const gather = gatherer();
    const gone = gather.add({ key: "g", size: 2, job: jobOf("1") });
    gone.withdraw();
    await expect(gone.scores).rejects.toThrow(/withdrawn/);
    await gather.idle();
    const parts = [
      gather.add({ key: "g", size: 2, job: jobOf("2") }),
      gather.add({ key: "g", size: 2, job: jobOf("3") }),
    ];
    expect(await Promise.all(parts.map(totals))).toEqual([[2], [3]]);
    parts[0]!.withdraw();
    expect(gather.waiting()).toBe(0);
  });

  it("that wait in vain are told how many there were", async () => {
    const gather = gatherer({ seconds: 0.01 });
    const part = gather.add({ key: "g", size: 2, job: jobOf("1") });
    await expect(part.scores).rejects.toMatchObject({ code: "group-incomplete", status: 504 });
    expect(gather.has("g")).toBe(false);
  });
});
