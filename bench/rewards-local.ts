/**
 * @file The rewards in this process, on one core: groups a second, the parser's megabytes a second on honest text, and how its
 * time grows with the size of hostile text (a growth of 1 is linear, 2 quadratic).
 */
import { createRng } from "../src/base/rng.js";
import { parseResponse, renderResponse } from "../src/response/index.js";
import {
  boxCredit,
  lookKinds,
  scoreGroup,
  type RewardConfig,
  type RewardTruth,
} from "../src/rewards/index.js";
import { presets, type PresetName } from "../src/runs/presets.js";
import { rewardsSchema } from "../src/runs/recipe-schema.js";

const size = { width: 1344, height: 756 };

/** A crowd, and what a group of responses says of it, as text. */
export interface BenchGroup {
  readonly truth: RewardTruth<"model">;
  readonly texts: readonly string[];
}

/** `boxes` people at random, each found by each response with an edge off by a few pixels. */
export function benchGroup(responses = 8, boxes = 100, seed = 1): BenchGroup {
  const rng = createRng(seed);
  const objects = Array.from({ length: boxes }, () => {
    const [w, h] = [rng.int(20, 60), rng.int(60, 160)];
    const [x, y] = [rng.int(0, size.width - w), rng.int(0, size.height - h)];
    return { box: { x1: x, y1: y, x2: x + w, y2: y + h }, label: "person" };
  });
  const off = () => rng.int(-4, 4);
  const texts = Array.from({ length: responses }, () =>
    renderResponse<"model">({
      think: `${boxes} people, crowded, spread.`,
      look: objects.slice(0, 5).map(({ box }) => box),
      answer: objects.map(({ box, label }) => {
        const [dx, dy] = [off(), off()];
        return { box: { x1: box.x1 + dx, y1: box.y1 + dy, x2: box.x2 + dx, y2: box.y2 + dy }, label };
      }),
    }),
  );
  return { truth: { size, objects, ignore: [] }, texts };
}

/** Milliseconds of each of many runs, ascending, after as many again to warm up. */
function times(runs: number, work: (i: number) => unknown): number[] {
  for (let i = 0; i < runs; i++) work(i);
  const out: number[] = [];
  for (let i = 0; i < runs; i++) {
    const start = performance.now();
    work(i);
    out.push(performance.now() - start);
  }
  return out.sort((a, b) => a - b);
}

/** Milliseconds of CPU that a run takes: neighbours on the machine do not count, garbage collection does. */
function cpuTime(work: () => unknown, least = 40): number {
  let runs = 1;
  for (;;) {
    const start = process.cpuUsage();
    for (let i = 0; i < runs; i++) work();
    const { user, system } = process.cpuUsage(start);
    const spent = (user + system) / 1000;
    if (spent >= least) return spent / runs;
    runs = Math.ceil(spent < 1 ? runs * 10 : (1.3 * least * runs) / spent);
  }
}

const at = (ascending: readonly number[], share: number) =>
  ascending[Math.min(ascending.length - 1, Math.floor(share * ascending.length))]!;

function said(name: string, ascending: readonly number[]): string {
  const [p50, p99] = [at(ascending, 0.5), at(ascending, 0.99)];
  return `  ${name.padEnd(46)} ${p50.toFixed(2).padStart(7)} ms, p99 ${p99.toFixed(2).padStart(7)} ms, ${(1000 / p50).toFixed(0).padStart(5)} groups/s`;
}

function benchScoring(runs: number): void {
  const groups = Array.from({ length: 8 }, (_, i) => benchGroup(8, 100, i + 1));
  const parse = ({ texts, truth }: BenchGroup) => texts.map((text) => parseResponse<"model">(text, truth.size));
  const parsed = groups.map(parse);
  console.log("a group of 8 responses of 100 boxes against 100 boxes, one core (target: under 10 ms)");
  for (const name of Object.keys(presets) as PresetName[]) {
    const rewards: RewardConfig = rewardsSchema.parse(presets[name].rewards);
    console.log(
      said(`${name}: text to rewards`, times(runs, (i) => {
        const group = groups[i % groups.length]!;
        return scoreGroup(group.truth, parse(group), rewards);
      })),
    );
    for (const kind of lookKinds) {
      const config = { ...rewards, look: { ...rewards.look, kind } };
      console.log(
        said(`${name}, ${kind}: rewards alone`, times(runs, (i) => scoreGroup(groups[i % 8]!.truth, parsed[i % 8]!, config))),
      );
    }
    console.log(
      said(`${name}: credit by box`, times(runs, (i) => boxCredit(groups[i % 8]!.truth, parsed[i % 8]!, rewards.accuracy))),
    );
  }
} // prettier-ignore

function benchHonest(runs = 5): void {
  console.log("the parser on honest text, by CPU time (target: 50 MB/s)");
  const forms: readonly (readonly [name: string, change: (text: string) => string])[] = [
    ["canonical", (text) => text],
    ["with spaces and line breaks", (text) => text.replaceAll(",", ", ").replaceAll("{", "\n  {")],
    ["without tags (repaired)", (text) => text.replaceAll(/<[^>]*>/g, " ")],
  ];
  for (const boxes of [10, 100, 1000])
    for (const [name, change] of forms) {
      const texts = benchGroup(8, boxes).texts.map(change);
      const bytes = texts.reduce((sum, text) => sum + text.length, 0);
      const parse = () => texts.map((text) => parseResponse(text, size));
      cpuTime(parse);
      const speed = bytes / 1e6 / (Math.min(...Array.from({ length: runs }, () => cpuTime(parse))) / 1000);
      console.log(`  ${`${boxes} boxes, ${name}`.padEnd(44)} ${speed.toFixed(0).padStart(5)} MB/s`);
    }
}

/** Texts meant to make a parser go back: each repeats a piece to the wanted length. */
export const hostile: Readonly<Record<string, (length: number) => string>> = Object.fromEntries(
  (
    [
      ["open brackets", "", "["],
      ["brackets in the look", "<think>x</think><look>", "[[1,2,3,4],"],
      ["unclosed objects", "<answer>", '{"bbox_2d":['],
      ["unclosed quotes", "<answer>[", '"['],
      ["escapes without an end", "<answer>[", '"[\\'],
      ["quotes of every kind", "<answer>[", "'\"\u201c[\u2018"],
      ["numbers without an end", "<answer>[[", "1"],
      ["signs", "<answer>[[", "-+.e"],
      ["angle brackets", "", "<"],
      ["opening tags", "", "<answer>"],
      ["whole empty sections", "", "<answer></answer>"],
      ["tags within tags", "", "<answer>[</answer>"],
      ["fences", "<answer>", "```json "],
      ["white space", "<think>x</think>", " \n"],
      ["white space in an array", "<answer>[", " "],
      ["words", "<answer>[", "nan"],
      ["thousands of boxes", "<answer>[", "[1,2,30,40],"],
      ["backslashes", '<answer>[{"label":"', "\\"],
    ] as const
  ).map(([name, head, piece]) => [
    name,
    (length: number) => head + piece.repeat(Math.ceil((length - head.length) / piece.length)),
  ]),
);

/** Growth = the slope of log time over log size, least squares. */
function benchHostile(sizes: readonly number[]): void {
  console.log(`the parser on hostile text of ${sizes.map((n) => `${n / 1024}`).join(", ")} KiB, by CPU time (growth 1 = linear)`);
  for (const [name, make] of Object.entries(hostile)) {
    const points = sizes.map((length) => {
      const text = make(length);
      // Best of several: what the text itself costs, without the compiler.
      const best = Math.min(...[0, 1, 2].map(() => cpuTime(() => parseResponse(text, size), 10)));
      return { x: Math.log(length), y: Math.log(best), ms: best };
    });
    const mean = (of: (p: (typeof points)[number]) => number) => points.reduce((sum, p) => sum + of(p), 0) / points.length;
    const [mx, my] = [mean(({ x }) => x), mean(({ y }) => y)];
    const growth = mean(({ x, y }) => (x - mx) * (y - my)) / mean(({ x }) => (x - mx) ** 2);
    const last = points.at(-1)!;
    console.log(
      `  ${name.padEnd(28)} growth ${growth.toFixed(2)}, ${points.map(({ ms }) => ms.toFixed(2)).join(" ")} ms, ` +
        `${(sizes.at(-1)! / 1e6 / (last.ms / 1000)).toFixed(0)} MB/s at the end`,
    );
  }
} // prettier-ignore

/** Options of {@link benchRewardsLocal}. */
export interface LocalRewardsOptions {
  /** Runs of each case, after as many to warm up. */
  readonly runs: number;
}

/** Prints all three. */
export function benchRewardsLocal({ runs }: LocalRewardsOptions): void {
  benchScoring(runs);
  benchHonest();
  benchHostile([64, 128, 256, 512, 1024].map((kib) => kib * 1024));
}
