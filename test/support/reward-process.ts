/** @file `dip-r1 serve rewards` as a process of its own, for tests. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { packageRoot } from "../../src/base/index.js";

/** A running process. */
export interface RewardProcess {
  readonly url: string;
  readonly port: number;
  /** Sends a signal. */
  signal(name: "SIGTERM" | "SIGINT"): void;
  /** Its exit code, once it is gone. */
  readonly exited: Promise<number | null>;
  /** What it has said on stderr so far. */
  said(): string;
}

/** Starts it on a free port; resolves once it takes requests. */
export async function startRewardProcess(
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<RewardProcess> {
  const child = spawn(
    process.execPath,
    ["--import", "tsx", join(packageRoot, "src/cli/main.ts"), "serve", "rewards", "--port", "0", ...args],
    {
      cwd: packageRoot,
      env: { ...process.env, DIP_R1_TOKEN: "", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const exited = once(child, "exit").then(([code]) => code as number | null);
  const lines = createInterface({ input: child.stdout });
  const first = await Promise.race([
    once(lines, "line").then(([line]) => line as string),
    exited.then((code) => Promise.reject(new Error(`the server exited with ${code}: ${stderr}`))),
  ]);
  const url = /http:\/\/\S+/.exec(first)?.[0];
  if (url === undefined) throw new Error(`no address in: ${first}`);
  return {
    url,
    port: Number(new URL(url).port),
    signal: (name) => child.kill(name),
    exited,
    said: () => stderr,
  };
}
