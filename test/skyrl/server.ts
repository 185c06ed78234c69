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

/** What of a server a test may choose. */
export interface SkyrlOptions {
  /** @default a free one */
  readonly port?: number;
  /** Seconds without a heartbeat after which a session's models are unloaded; looked at each second. @default never */
  readonly sessionTimeoutSec?: number;
}

/** A running server. */
export interface SkyrlServer {
  readonly url: string;
  readonly port: number;
  /** Where it writes checkpoints. */
  readonly checkpoints: string;
  /** The file that holds what it says. */
  readonly log: string;
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

/** Adapters that the server has room for, one of them the base model's. */
export const ADAPTERS = 8;

/**
 * What the backend is told. It compiles anew for every number of sequences, so passes take one at a time and samples are
 * drawn sixteen together, padded: otherwise most of the tests' time would be compilation.
 */
const BACKEND = {
  max_lora_adapters: ADAPTERS,
  max_lora_rank: 8,
  train_micro_batch_size: 1,
  sample_max_num_sequences: 16,
};

/**
 * Starts one over a folder that keeps its database and checkpoints; the same folder again is the same server after a
 * restart.
 */
export async function startSkyrl(folder: string, options: SkyrlOptions = {}): Promise<SkyrlServer> {
  mkdirSync(folder, { recursive: true });
  const { port = await freePort(), sessionTimeoutSec = -1 } = options;
  const checkpoints = join(folder, "checkpoints");
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
      String(port),
      "--backend-config",
      JSON.stringify(BACKEND),
      "--database-url",
      `sqlite:///${join(folder, "tinker.db")}`,
      "--checkpoints-base",
      checkpoints,
      "--session-timeout-sec",
      String(sessionTimeoutSec),
      "--session-cleanup-interval-sec",
      "1",
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
    url: `http://127.0.0.1:${port}`,
    port,
    checkpoints,
    log,
    kill: () => signal("SIGKILL", -pid),
    stop: () => signal("SIGTERM", pid),
  };
}
