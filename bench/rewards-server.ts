/**
 * @file The reward server under load, groups of 8 responses of 100 boxes against 100 people: groups a second, p50 and p99, through
 * HTTP; beside it the detection reward as VLM-R1 makes it (pycocotools' mAP for each completion), in process.
 */
import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { Agent } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { send } from "../test/support/http-client.js";
import { makeGroup, requestOf, type MadeGroup } from "../test/support/reward-groups.js";
import { startRewardProcess } from "../test/support/reward-process.js";

/** Options of {@link benchRewardsServer}. */
export interface BenchRewardsServerOptions {
  /** A Python with pycocotools. */
  readonly python?: string;
  /** Seconds of each measurement. */
  readonly seconds: number;
  /** Numbers of clients at once. */
  readonly clients: readonly number[];
}

interface Measured {
  readonly perSecond: number;
  /** Milliseconds. */
  readonly p50: number;
  readonly p99: number;
}

function measured(milliseconds: readonly number[], seconds: number): Measured {
  const sorted = milliseconds.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
  return { perSecond: sorted.length / seconds, p50: at(0.5), p99: at(0.99) };
}

const said = (name: string, { perSecond, p50, p99 }: Measured) =>
  `  ${name.padEnd(26)} ${perSecond.toFixed(1).padStart(7)} groups/s, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms`;

async function load(
  url: string,
  bodies: readonly string[],
  clients: number,
  seconds: number,
): Promise<Measured> {
  const agent = new Agent({ keepAlive: true });
  const times: number[] = [];
  const started = performance.now();
  const end = started + 1000 * seconds;
  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      for (let i = client; performance.now() < end; i += clients) {
        const began = performance.now();
        const { status } = await send(`${url}/v1/score`, { body: bodies[i % bodies.length]!, agent });
        if (status !== 200) throw new Error(`status ${status}`);
        times.push(performance.now() - began);
      }
    }),
  );
  agent.destroy();
  return measured(times, (performance.now() - started) / 1000);
}

async function peer(python: string, groups: readonly MadeGroup[], seconds: number): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), "dip-bench-rewards-"));
  try {
    const file = join(folder, "groups.json");
    await writeFile(file, JSON.stringify(groups));
    const script = fileURLToPath(new URL("peers/vlm_r1_reward.py", import.meta.url));
    const { stdout } = await promisify(execFile)(python, [script, file, "--seconds", String(seconds)], {
      maxBuffer: 2 ** 26,
    });
    const report = JSON.parse(stdout) as { seconds: number; times: number[] };
    return measured(
      report.times.map((time) => 1000 * time),
      report.seconds,
    );
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Runs both sides, one after the other, and prints them. */
export async function benchRewardsServer({
  python,
  seconds,
  clients,
}: BenchRewardsServerOptions): Promise<void> {
  const groups = Array.from({ length: 32 }, (_, i) => makeGroup(i, { people: 100, responses: 8, miss: 0 }));
  const bodies = groups.map((group) => JSON.stringify({ groups: [requestOf(group)] }));
  console.log("Through HTTP, one group of 8 responses of 100 boxes against 100 people a request");
  const server = await startRewardProcess();
  let best: Measured | undefined;
  try {
    await load(server.url, bodies, 4, Math.min(3, seconds));
    for (const count of clients) {
      const one = await load(server.url, bodies, count, seconds);
      console.log(said(`dip-r1 serve, ${count} client${count === 1 ? "" : "s"}`, one));
      if (best === undefined || one.perSecond > best.perSecond) best = one;
    }
  } finally {
    server.signal("SIGTERM");
    await server.exited;
  }
  if (python === undefined) {
    console.log("  VLM-R1's way              not run: give a Python with pycocotools with --python");
    return;
  }
  const theirs = await peer(python, groups, seconds);
  console.log(said("VLM-R1's way, in process", theirs));
  console.log(
    `  dip-r1 scores ${(best!.perSecond / theirs.perSecond).toFixed(1)} times as many, three rewards through HTTP for one`,
  );
}
