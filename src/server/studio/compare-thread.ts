/**
 * @file The studio's side of Compare's worker thread: started by the first question, asked one job at a time, answers kept.
 * Questions that nobody waits for any more are dropped before they are begun; one that is asked twice is done once.
 */
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { InputError } from "../../base/errors.js";
import type { CompareImages, Comparison } from "./compare-api.js";
import type { CompareJob } from "./compare-work.js";
import { createLru } from "./lru.js";

/** What the thread is sent. */
export interface CompareOrder {
  readonly id: number;
  readonly job: CompareJob;
}

/** What it answers. */
export type CompareAnswer =
  | { readonly id: number; readonly value: Comparison | CompareImages }
  | {
      readonly id: number;
      readonly error: { readonly message: string; readonly hint?: string; readonly input: boolean };
    };

/** The thread. */
export interface CompareThread {
  /**
   * The answer to a job, from the cache where it was given before.
   * @throws InputError where the entries cannot stand side by side; the signal's reason once nobody waits.
   */
  ask(job: CompareJob, signal?: AbortSignal): Promise<Comparison | CompareImages>;
  /** Ends the thread; who waits is refused. */
  close(): Promise<void>;
}

interface Pending {
  readonly key: string;
  readonly job: CompareJob;
  /** Requests that wait for it. */
  waiting: number;
  begun: boolean;
  readonly settle: (answer: CompareAnswer | Error) => void;
  readonly answer: Promise<Comparison | CompareImages>;
}

const here = fileURLToPath(import.meta.url);

// As in worker-pool.ts: compiled it is JavaScript, from the sources TypeScript, which a thread does not read by itself.
function openWorker(): Worker {
  if (!here.endsWith(".ts")) return new Worker(new URL("./compare-worker.js", import.meta.url));
  const tsx = new URL(
    "./dist/esm/api/index.mjs",
    pathToFileURL(createRequire(import.meta.url).resolve("tsx/package.json")),
  ).href;
  const script = new URL("./compare-worker.ts", import.meta.url).href;
  const code = `import(${JSON.stringify(tsx)}).then(({ register }) => { register(); return import(${JSON.stringify(script)}); })`;
  return new Worker(code, { eval: true });
}

/** The thread, not started yet. @param options.keep Answers that are kept. @default 16 */
export function createCompareThread(options: { readonly keep?: number } = {}): CompareThread {
  const answers = createLru<Comparison | CompareImages>(options.keep ?? 16, () => 1);
  const pending = new Map<string, Pending>();
  let queue: Pending[] = [];
  let current: (Pending & { readonly id: number }) | undefined;
  let worker: Worker | undefined;
  let closed = false;
  let count = 0;

  const start = (): Worker => {
    const thread = openWorker();
    // Whoever waits for an answer keeps the process up; the thread must not.
    thread.unref();
    thread.on("message", (answer: CompareAnswer) => {
      if (current?.id !== answer.id) return;
      finish(answer);
    });
    const failed = (error: Error) => {
      if (worker !== thread) return;
      // Died (out of memory): what it was at is to blame, the rest gets a new one.
      worker = undefined;
      finish(error);
    };
    thread.on("error", failed);
    thread.on("exit", () => failed(new Error("the thread that compares stopped")));
    return thread;
  };

  const finish = (answer: CompareAnswer | Error) => {
    const done = current;
    current = undefined;
    if (done !== undefined) {
      pending.delete(done.key);
      done.settle(answer);
    }
    next();
  };

  const next = () => {
    if (current !== undefined || closed) return;
    const task = queue.shift();
    if (task === undefined) return;
    task.begun = true;
    worker ??= start();
    current = Object.assign(task, { id: ++count });
    worker.postMessage({ id: current.id, job: task.job } satisfies CompareOrder);
  };

  const enqueue = (key: string, job: CompareJob): Pending => {
    let settle!: Pending["settle"];
    const answer = new Promise<Comparison | CompareImages>((resolve, reject) => {
      settle = (result) => {
        if (result instanceof Error) reject(result);
        else if ("value" in result) {
          answers.set(key, result.value);
          resolve(result.value);
        } else {
          const { message, hint, input } = result.error;
          reject(input ? new InputError(message, { hint }) : new Error(message));
        }
      };
    });
    // Whoever waits hears of it; nobody may be left.
    answer.catch(() => undefined);
    const task: Pending = { key, job, waiting: 0, begun: false, settle, answer };
    pending.set(key, task);
    queue.push(task);
    return task;
  };

  return {
    async ask(job, signal) {
      signal?.throwIfAborted();
      if (closed) throw new Error("the studio is stopping");
      const key = JSON.stringify(job);
      const known = answers.get(key);
      if (known !== undefined) return known;
      const task = pending.get(key) ?? enqueue(key, job);
      task.waiting++;
      next();
      const left = () => {
        if (--task.waiting > 0 || task.begun) return;
        queue = queue.filter((one) => one !== task);
        pending.delete(key);
      };
      if (signal === undefined) return task.answer;
      return new Promise((resolve, reject) => {
        const gone = () => {
          left();
          reject(signal.reason as Error);
        };
        signal.addEventListener("abort", gone, { once: true });
        task.answer.then(resolve, reject).finally(() => signal.removeEventListener("abort", gone));
      });
    },
    async close() {
      closed = true;
      const error = new Error("the studio is stopping");
      for (const task of [...(current === undefined ? [] : [current]), ...queue]) task.settle(error);
      queue = [];
      current = undefined;
      pending.clear();
      const thread = worker;
      worker = undefined;
      await thread?.terminate();
    },
  };
}
