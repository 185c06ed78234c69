/** @file Large runs for `bench studio`, repeated from the run that was recorded for tests. */
import { once } from "node:events";
import { cpSync, createWriteStream, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const RECORDED = fileURLToPath(new URL("../test/fixtures/studio-run", import.meta.url));

type Line = Readonly<Record<string, unknown>>;

function linesOf(name: string): Line[] {
  return readFileSync(join(RECORDED, name), "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Line);
}

async function write(path: string, count: number, line: (i: number) => Line): Promise<void> {
  const out = createWriteStream(path);
  for (let i = 0; i < count; i++) if (!out.write(JSON.stringify(line(i)) + "\n")) await once(out, "drain");
  out.end();
  await once(out, "finish");
}

/** What a large run has. */
export interface LargeRun {
  /** Lines of metrics.jsonl. */
  readonly steps: number;
  /** Lines of rollouts.jsonl, a whole number of groups of 8 each step. */
  readonly rollouts: number;
}

/** Writes a run folder whose lines are the recorded run's, step after step, again and again. */
export async function makeLargeRun(folder: string, { steps, rollouts }: LargeRun): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const name of ["manifest.json", "evaluations.jsonl", "evaluations"])
    cpSync(join(RECORDED, name), join(folder, name), { recursive: true });
  const metrics = linesOf("metrics.jsonl");
  await write(join(folder, "metrics.jsonl"), steps, (i) => ({
    ...metrics[i % metrics.length]!,
    step: i + 1,
  }));
  const said = linesOf("rollouts.jsonl");
  const group = said.filter(({ step, sample }) => step === said[0]!["step"] && sample === said[0]!["sample"]);
  const places = said.length / group.length;
  const groupsAStep = Math.max(1, Math.round(rollouts / group.length / steps));
  await write(join(folder, "rollouts.jsonl"), rollouts, (i) => {
    const at = Math.floor(i / group.length);
    const line = said[(at % places) * group.length + (i % group.length)]!;
    return {
      ...line,
      step: 1 + Math.min(steps - 1, Math.floor(at / groupsAStep)),
      sample: `${String(line["sample"])}-${at}`,
    };
  });
}
