/** @file `dip-r1` as a process of its own, run from its sources: the studio and a training run for tests to look at. */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../../../", import.meta.url));

/** The run that was recorded for tests (scripts/record-studio-run.ts). */
export const RECORDED_RUN = join(root, "test/fixtures/studio-run");

/** A process and what it printed so far. */
export interface DipProcess {
  readonly child: ChildProcess;
  readonly output: () => string;
  /** Ends it, at once where it does not end by itself. */
  stop(): Promise<void>;
}

/** Starts the command line. */
export function startDip(args: readonly string[]): DipProcess {
  const child = spawn(process.execPath, ["--import", "tsx", join(root, "src/cli/main.ts"), ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1" },
  });
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString("utf8")));
  child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString("utf8")));
  return {
    child,
    output: () => text,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      const late = setTimeout(() => child.kill("SIGKILL"), 3000);
      await ended;
      clearTimeout(late);
    },
  };
}

/** Waits until `check` gives something. @throws Error with the process's output where it ended before */
export async function waitFor<T>(
  { child, output }: DipProcess,
  what: string,
  check: () => T | undefined,
): Promise<T> {
  for (;;) {
    const value = check();
    if (value !== undefined) return value;
    if (child.exitCode !== null) throw new Error(`no ${what}: the process ended\n${output()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A studio on a folder of runs. */
export async function startStudioProcess(
  folder: string,
  args: readonly string[] = [],
): Promise<DipProcess & { readonly url: string }> {
  const dip = startDip(["studio", folder, "--port", "0", "--no-open", ...args]);
  const url = await waitFor(dip, "address", () => /at (http:\S+)/.exec(dip.output())?.[1]);
  return { ...dip, url };
}

/** A folder with the recorded run as `tiny`, and as `second` with another seed and another learning rate. */
export function makeRecordedRuns(folder: string): void {
  mkdirSync(folder, { recursive: true });
  cpSync(RECORDED_RUN, join(folder, "tiny"), { recursive: true });
  cpSync(RECORDED_RUN, join(folder, "second"), { recursive: true });
  const path = join(folder, "second/manifest.json");
  const text = readFileSync(path, "utf8")
    .replace('"name": "tiny"', '"name": "second"')
    .replace('"learningRate": 0.00005', '"learningRate": 0.0001');
  writeFileSync(path, text);
}

/** What a model or a manifest could say to run as code in a page that does not escape it. */
export const HOSTILE =
  '</script><script>window.pwned="script"</script><img src=x onerror="window.pwned=1"><svg onload="window.pwned=2"><a href="javascript:window.pwned=3">a</a>';

/** A folder with the recorded run as `hostile`: every text in it that a model, a dataset or a recipe wrote is {@link HOSTILE}. */
export function makeHostileRun(folder: string): void {
  const run = join(folder, "hostile");
  cpSync(RECORDED_RUN, run, { recursive: true });
  const edit = (name: string, change: (line: Record<string, unknown>) => Record<string, unknown>) => {
    const path = join(run, name);
    const lines = readFileSync(path, "utf8")
      .split("\n")
      .filter((line) => line !== "");
    writeFileSync(
      path,
      lines.map((line) => JSON.stringify(change(JSON.parse(line) as never)) + "\n").join(""),
    );
  };
  const said = (text: unknown) => String(text).replace("<think>", `<think>${HOSTILE}`);
  edit("rollouts.jsonl", (line) => ({
    ...line,
    sample: `${String(line["sample"])}${HOSTILE}`,
    text: said(line["text"]),
    stopReason: HOSTILE,
  }));
  for (const step of ["000000", "000036"])
    edit(`evaluations/step-${step}/plaza.greedy.jsonl`, (line) => ({
      ...line,
      responses: (line["responses"] as Record<string, unknown>[]).map((response) => ({
        ...response,
        text: said(response["text"]),
        think: HOSTILE,
        answer: (response["answer"] as object[]).map((box) => ({ ...box, label: HOSTILE })),
      })),
    }));
  const path = join(run, "manifest.json");
  const manifest = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
  writeFileSync(
    path,
    JSON.stringify({
      ...manifest,
      name: HOSTILE,
      state: "failed",
      error: HOSTILE,
      versions: { [HOSTILE]: HOSTILE },
      recipe: { ...(manifest["recipe"] as object), preset: HOSTILE, prompt: HOSTILE, [HOSTILE]: HOSTILE },
    }),
  );
}

/** Starts a run that trains for as long as the tests take; resolves once it has made its first step. */
export async function startTraining(folder: string): Promise<DipProcess> {
  const out = join(folder, "training");
  const dip = startDip([
    "train",
    join(root, "test/support/studio/recipe.yaml"),
    "--out",
    out,
    "--set=grpo.steps=5000",
    "--set=name=training",
    "--set=evaluation.images=2",
  ]);
  const metrics = join(out, "metrics.jsonl");
  await waitFor(dip, "first step", () =>
    existsSync(metrics) && readFileSync(metrics, "utf8").includes("\n") ? true : undefined,
  );
  return dip;
}
