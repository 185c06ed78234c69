import { appendFileSync, mkdtempSync, realpathSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { recordedLines } from "../../../test/support/studio/runs.js";
import type { RolloutLine } from "../../runs/index.js";
import { createGroupIndex, failuresOf, groupF1, summaryOf } from "./group-index.js";
import { readSlice } from "./safe-file.js";
import { scanRollout } from "./rollout-scan.js";

const folder = realpathSync(mkdtempSync(join(tmpdir(), "dip-r1-index-")));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = join(folder, "rollouts.jsonl");

const latin1 = (line: object) => Buffer.from(JSON.stringify(line)).toString("latin1");
const box = fc.tuple(fc.nat(99), fc.nat(99), fc.nat(99), fc.nat(99));
const nasty = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.constantFrom(
    '","grade":"none',
    ',"matches":[',
    '"regions":[',
    ',"truth":[1]',
    ',"text":"',
    "\\",
    '"',
    "é\n",
  ),
);
const text = fc.array(nasty, { maxLength: 6 }).map((parts) => parts.join(""));
const line: fc.Arbitrary<RolloutLine> = fc
  .record({
    step: fc.nat(1000),
    sample: text,
    index: fc.nat(3),
    size: fc.constant([100, 100] as const),
    text,
    grade: fc.constantFrom("strict", "repaired", "truncated", "none"),
    regions: fc.array(box, { maxLength: 3 }),
    boxes: fc.array(box, { maxLength: 3 }),
    truth: fc.array(box, { maxLength: 3 }),
    labels: fc.array(text, { maxLength: 2 }),
    matches: fc.array(fc.integer({ min: -2, max: 4 }), { maxLength: 4 }),
    format: fc.constantFrom(0, 1),
    look: fc.double({ min: 0, max: 1, noNaN: true }),
    accuracy: fc.double({ min: 0, max: 1, noNaN: true }),
    total: fc.double({ min: 0, max: 2, noNaN: true }),
    advantage: fc.double({ min: -3, max: 3, noNaN: true }),
    tokens: fc.nat(300),
    stopReason: fc.constantFrom("stop", "length", "loop"),
  })
  .map((one) => ({ ...one, truth: one.index === 0 ? one.truth : [] }) as RolloutLine);

describe("scanRollout", () => {
  it("finds by the places of keys what parsing the whole line finds, whatever texts and names hold", () => {
    fc.assert(
      fc.property(line, (one) => {
        const { step, sample, index, grade, stopReason, look, total, matches, regions, truth } = one;
        const wanted = {
          step,
          sample,
          index,
          grade,
          stopReason,
          looked: regions.length > 0,
          look: look + 0,
          total: total + 0,
          boxes: matches.length,
          hits: matches.filter((match) => match >= 0).length,
          ignored: matches.filter((match) => match === -2).length,
          objects: truth.length,
        };
        expect(scanRollout(latin1(one))).toEqual(wanted);
        // Another order of keys, as another program would write it.
        const turned = Object.fromEntries(Object.entries(one).reverse());
        expect(scanRollout(latin1(turned))).toEqual(wanted);
      }),
    );
  });

  it("passes over what is no response", () => {
    for (const other of ["", "{", "null", "[]", '{"step":1}', '{"step":1,"sample":"a","index":0}', '"text"'])
      expect([other, scanRollout(other)]).toEqual([other, undefined]);
  });
});

describe("createGroupIndex", () => {
  it("has every group's place and numbers, however the file grew, and begins anew where it was cut back", async () => {
    const lines = recordedLines("rollouts.jsonl");
    rmSync(file, { force: true });
    const index = createGroupIndex(folder);
    expect(await index.tail.refresh()).toBe(false);
    const content = Buffer.from(lines.map((one) => one + "\n").join(""));
    for (let at = 0; at < content.length; at += 7919) {
      const { offset } = index.tail;
      appendFileSync(file, content.subarray(at, at + 7919));
      const changed = await index.tail.refresh();
      // Whole lines only.
      expect(index.tail.offset).toBe(content.subarray(0, at + 7919).lastIndexOf(0x0a) + 1);
      expect(changed).toBe(index.tail.offset > offset);
    }
    expect([index.length, index.rollouts]).toEqual([36, 144]);
    for (const group of index.groups) {
      const own = lines
        .map((one) => JSON.parse(one) as RolloutLine)
        .filter(({ step }) => step === group.step);
      const slice = (
        await readSlice(folder, ["rollouts.jsonl"], group.start, group.end - group.start)
      ).toString();
      expect(slice.split("\n").map((one) => JSON.parse(one) as RolloutLine)).toEqual(own);
      const totals = own.map(({ total }) => total);
      const mean = totals.reduce((a, b) => a + b) / totals.length;
      const std = Math.sqrt(
        totals.reduce((sum, total) => sum + (total - mean) ** 2, 0) / (totals.length - 1),
      );
      const hits = own.flatMap(({ matches }) => matches).filter((match) => match >= 0).length;
      const said = own.flatMap(({ matches }) => matches).filter((match) => match !== -2).length;
      const summary = summaryOf(group);
      expect(summary).toMatchObject({ sample: own[0]!.sample, responses: 4, objects: own[0]!.truth.length });
      expect(summary.reward.mean).toBeCloseTo(mean, 10);
      expect(summary.reward.std).toBeCloseTo(std, 6);
      expect(groupF1(group)).toBeCloseTo((2 * hits) / (said + 4 * own[0]!.truth.length), 10);
      expect(index.of(own[0]!.sample)).toContain(group.step - 1);
    }
    const { epoch } = index.tail;
    truncateSync(file, index.groups[2]!.end + 1);
    expect(await index.tail.refresh()).toBe(true);
    expect([index.length, index.rollouts, index.tail.epoch]).toEqual([3, 12, epoch + 1]);
    expect(index.of("nobody")).toEqual([]);
  });

  it("tells an image that comes twice in a step apart", async () => {
    const [first] = recordedLines("rollouts.jsonl");
    const second = first!.replace('"index":0', '"index":1');
    writeFileSync(file, [first, second, first, second].map((one) => one! + "\n").join(""));
    const index = createGroupIndex(folder);
    await index.tail.refresh();
    expect(index.groups.map(({ responses }) => responses)).toEqual([2, 2]);
  });
});

describe("failuresOf", () => {
  const good = { step: 1, sample: "a", index: 0, grade: "strict", stopReason: "stop", looked: true, look: 0.5, total: 1, boxes: 4, hits: 4, ignored: 0, objects: 4 }; // prettier-ignore

  it.each([
    [{}, []],
    [{ grade: "none", boxes: 0, hits: 0, looked: false, look: 0 }, ["unreadable"]],
    [{ grade: "repaired" }, ["repaired"]],
    [{ grade: "truncated", stopReason: "length" }, ["truncated"]],
    [{ stopReason: "length" }, ["truncated"]],
    [{ stopReason: "loop" }, ["loop"]],
    [{ boxes: 0, hits: 0 }, ["no-answer"]],
    [{ boxes: 1, hits: 1 }, ["missed"]],
    [{ boxes: 6, hits: 4 }, []],
    [{ boxes: 7, hits: 4 }, ["invented"]],
    [{ boxes: 9, hits: 4, ignored: 3 }, []],
    [{ looked: false, look: 0 }, ["no-look"]],
    [{ looked: false, look: 1 }, []],
  ])("of %o: %o", (change, kinds) => {
    expect(failuresOf({ ...good, ...change }, 4)).toEqual(kinds);
  });
});
