/** @file A real SkyRL server (JAX backend, CPU) for tests: started on loopback, stopped, killed, started again. */
import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, openSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The server's Python environment (scripts/setup-skyrl.sh). */
export const skyrlVenv = process.env["SKYRL_VENV"] ?? join(homedir(), ".cache", "dip-r1", "skyrl");
/** The base model: 103 thousand parameters, text only. */
export const tinyModel = fileURLToPath(new URL("../fixtures/skyrl/tiny-qwen3", import.meta.url));

/** A running server. */
export interface SkyrlServer {
  readonly url: string;
  /** As a crash would: the whole process group at once. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.on("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

/**
 * Starts one over a folder that keeps its database and checkpoints; the same folder again is the same server after a
 * restart.
 * @param port @default a free one
 */
export async function startSkyrl(folder: string, port?: number): Promise<SkyrlServer> {
  mkdirSync(folder, { recursive: true });
  const chosen = port ?? (await freePort());
  const log = join(folder, `server-${Date.now()}.log`);
  const output = openSync(log, "w");
  const child: ChildProcess = spawn(
    join(skyrlVenv, "bin", "python"),
    [
      fileURLToPath(new URL("serve.py", import.meta.url)),
      "--base-model",
      tinyModel,
      "--backend",
      "jax",
      "--port",
      String(chosen),
      "--backend-config",
      JSON.stringify({ max_lora_adapters: 8, max_lora_rank: 8 }),
      "--database-url",
      `sqlite:///${join(folder, "tinker.db")}`,
      "--checkpoints-base",
      join(folder, "checkpoints"),
      "--session-timeout-sec",
      "-1",
    ],
    {
      detached: true,
      stdio: ["ignore", output, output],
      env: {
        ...process.env,
        JAX_PLATFORMS: "cpu",
        HF_HUB_OFFLINE: "1",
        TRANSFORMERS_OFFLINE: "1",
        JAX_COMPILATION_CACHE_DIR: process.env["SKYRL_JAX_CACHE"] ?? join(skyrlVenv, "jax-cache"),
        JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS: "0",
        JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES: "-1",
      },
    },
  );
  const ended = new Promise<void>((resolve) => child.on("exit", () => resolve()));
  const pid = child.pid!;
  const signal = async (name: NodeJS.Signals, target: number): Promise<void> => {
    try {
      process.kill(target, name);
    } catch {
      // It has ended by itself.
    }
    await ended;
  };
  for (let waited = 0; ; waited += 200) {
    // healthz answers before the engine is there.
    if (readFileSync(log, "utf8").includes("Starting background engine")) break;
    if (child.exitCode !== null || waited > 300_000) {
      await signal("SIGKILL", -pid);
      throw new Error(`the SkyRL server did not start:\n${readFileSync(log, "utf8").slice(-3000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return {
    url: `http://127.0.0.1:${chosen}`,
    kill: () => signal("SIGKILL", -pid),
    stop: () => signal("SIGTERM", pid),
  };
}
