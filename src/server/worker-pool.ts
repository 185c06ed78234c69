/**
 * @file Worker threads that score groups, with a clock on them. Groups of one request form a lane and lanes take turns, so that
 * a request of a thousand groups does not hold a request of one. A group that takes longer than one response may is stopped
 * with its thread and done again with every response announced; then the one that is over its time is known, gets an
 * error of its own, and the others are scored without it.
 */
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { failedResponse, type GroupJob, type ResponseError, type ScoredResponse } from "./group-job.js";
import type { RewardConfig } from "../rewards/index.js";
import type { WorkerAnswer, WorkerOrder, WorkerSetup } from "./worker-messages.js";

/** Options of {@link createWorkerPool}. */
export interface WorkerPoolOptions {
  readonly rewards: RewardConfig;
  readonly workers: number;
  readonly responseBoxes: number;
  readonly sampleSeconds: number;
  /** Called when a thread was stopped or died, and a new one takes its place. */
  readonly onRestart?: (reason: "over-time" | "died") => void;
}

/** Groups that belong together: those of one request. */
export interface Lane {
  /** Scores a group; never rejects but for a defect or after `cancel`. */
  run(job: GroupJob): Promise<ScoredGroup>;
  /** Forgets the groups that no worker has begun; their promises reject with {@link Cancelled}. */
  cancel(): void;
}

/** A group's scores and the seconds a worker took for them. */
export interface ScoredGroup {
  readonly responses: readonly ScoredResponse[];
  readonly seconds: number;
}

/** A group that nobody waits for any more. */
export class Cancelled extends Error {
  override readonly name = "Cancelled";
}

/** The pool. */
export interface WorkerPool {
  /** Resolves once every worker is up; rejects where one cannot start. */
  readonly ready: Promise<void>;
  lane(): Lane;
  /** Groups that wait, and workers at work. */
  stats(): { readonly waiting: number; readonly busy: number; readonly workers: number };
  /** Stops the threads; groups that are not done are cancelled. */
  close(): Promise<void>;
}

interface Task {
  readonly job: GroupJob;
  readonly excluded: Map<number, ResponseError>;
  careful: boolean;
  seconds: number;
  readonly resolve: (group: ScoredGroup) => void;
  readonly reject: (error: Error) => void;
}

interface Slot {
  worker: Worker;
  progress: Float64Array;
  /** The thread has said that it is ready. */
  up: boolean;
  task: Task | undefined;
}

// Compiled, the worker is a file of JavaScript. Run from the sources it is TypeScript, and a thread does not inherit the main
// thread's way of reading that on every Node.
const here = fileURLToPath(import.meta.url);

function openWorker(setup: WorkerSetup): Worker {
  if (!here.endsWith(".ts"))
    return new Worker(new URL("./score-worker.js", import.meta.url), { workerData: setup });
  const tsx = new URL(
    "./dist/esm/api/index.mjs",
    pathToFileURL(createRequire(import.meta.url).resolve("tsx/package.json")),
  ).href;
  const script = new URL("./score-worker.ts", import.meta.url).href;
  const code = `import(${JSON.stringify(tsx)}).then(({ register }) => { register(); return import(${JSON.stringify(script)}); })`;
  return new Worker(code, { eval: true, workerData: setup });
}

/** Starts the threads. */
export function createWorkerPool(options: WorkerPoolOptions): WorkerPool {
  const limit = 1000 * options.sampleSeconds;
  const lanes: Task[][] = [];
  const slots: Slot[] = [];
  let closed = false;
  let broken: Error | undefined;
  let clock: NodeJS.Timeout | undefined;

  const start = (slot: Slot): Promise<void> =>
    new Promise((resolve, reject) => {
      const progress = new Float64Array(new SharedArrayBuffer(2 * Float64Array.BYTES_PER_ELEMENT));
      const setup: WorkerSetup = { rewards: options.rewards, responseBoxes: options.responseBoxes, progress };
      const worker = openWorker(setup);
      slot.worker = worker;
      slot.progress = progress;
      slot.up = false;
      worker.on("message", (message: "ready" | WorkerAnswer) => {
        if (slot.worker !== worker) return;
        if (message === "ready") {
          slot.up = true;
          resolve();
          dispatch(slot);
        } else answered(slot, message);
      });
      worker.on("error", reject);
      worker.on("exit", () => {
        if (slot.worker !== worker || closed) return;
        // Died by itself (out of memory): whatever it was at is to blame. One that never came up is not started again.
        if (slot.up) stopped(slot, "died");
        else reject(new Error("a worker thread stopped before it was ready"));
      });
    });

  const next = (): Task | undefined => {
    const lane = lanes.shift();
    const task = lane?.shift();
    if (lane !== undefined && lane.length > 0) lanes.push(lane);
    return task;
  };

  const dispatch = (slot: Slot, again?: Task) => {
    const task = again ?? next();
    slot.task = task;
    if (task === undefined) {
      slot.worker.unref();
      return;
    }
    slot.worker.ref();
    slot.progress[1] = 0;
    const order: WorkerOrder = { job: task.job, careful: task.careful, excluded: [...task.excluded] };
    slot.worker.postMessage(order);
    clock ??= setInterval(watch, Math.min(100, limit / 4));
  };

  const answered = (slot: Slot, answer: WorkerAnswer) => {
    const { task } = slot;
    if (task === undefined) return;
    const seconds = task.seconds + answer.seconds;
    if ("responses" in answer) task.resolve({ responses: answer.responses, seconds });
    else task.reject(new Error(answer.failure));
    dispatch(slot);
  };

  const watch = () => {
    const now = Date.now();
    let working = false;
    for (const slot of slots) {
      if (slot.task === undefined) continue;
      working = true;
      const [index, since] = slot.progress as unknown as [number, number];
      if (since === 0) continue;
      const { careful, job } = slot.task;
      // The last step of a careful round matches the whole group again.
      const allowed = careful && index === job.responses.length ? limit * (job.responses.length + 1) : limit;
      if (now - since > allowed) {
        const { worker } = slot;
        stopped(slot, "over-time");
        void worker.terminate();
      }
    }
    if (!working) {
      clearInterval(clock);
      clock = undefined;
    }
  };

  /** The slot's thread is gone or given up: start another one, and go on with the task without what broke it. */
  const stopped = (slot: Slot, reason: "over-time" | "died") => {
    const { task } = slot;
    const [index, since] = slot.progress as unknown as [number, number];
    options.onRestart?.(reason);
    slot.task = undefined;
    if (task !== undefined) {
      task.seconds += since === 0 ? 0 : (Date.now() - since) / 1000;
      blame(task, index, reason);
      if (task.excluded.size < task.job.responses.length || !task.careful) lanes.unshift([task]);
      else settleFailed(task);
    }
    start(slot).catch((error: Error) => {
      if (closed || slots.some(({ up }) => up)) return;
      // Without threads nothing can be answered: say so to everybody who waits or comes.
      broken = error;
      for (const waiting of lanes.splice(0).flatMap((lane) => lane.splice(0))) waiting.reject(error);
    });
  };

  const blame = (task: Task, index: number, reason: "over-time" | "died") => {
    if (!task.careful) {
      task.careful = true;
      return;
    }
    const error: ResponseError =
      reason === "over-time"
        ? { code: "over-time", message: `not scored within ${options.sampleSeconds} s` }
        : { code: "failed", message: "the thread that scored it died" };
    const all = task.job.responses.map((_, i) => i);
    for (const i of index < task.job.responses.length ? [index] : all)
      if (!task.excluded.has(i)) task.excluded.set(i, error);
  };

  const settleFailed = (task: Task) => {
    const { withoutLook } = task.job;
    const responses = task.job.responses.map((_, i) => failedResponse(task.excluded.get(i)!, withoutLook));
    task.resolve({ responses, seconds: task.seconds });
  };

  const starts: Promise<void>[] = [];
  for (let i = 0; i < options.workers; i++) {
    const slot = { task: undefined, up: false } as Slot;
    slots.push(slot);
    starts.push(start(slot));
  }
  const ready = Promise.all(starts).then(() => undefined);
  // Whoever waits for it hears of it; whoever does not must not bring the process down.
  ready.catch(() => undefined);

  return {
    ready,
    lane() {
      const lane: Task[] = [];
      return {
        run: (job) =>
          new Promise((resolve, reject) => {
            if (closed || broken !== undefined) {
              reject(broken ?? new Cancelled("the pool is closed"));
              return;
            }
            const task = { job, excluded: new Map(), careful: false, seconds: 0, resolve, reject };
            if (lane.push(task) === 1) lanes.push(lane);
            const idle = slots.find(({ task: at, up }) => at === undefined && up);
            if (idle !== undefined) dispatch(idle);
          }),
        cancel() {
          const at = lanes.indexOf(lane);
          if (at >= 0) lanes.splice(at, 1);
          for (const task of lane.splice(0)) task.reject(new Cancelled("nobody waits for it"));
        },
      };
    },
    stats: () => ({
      waiting: lanes.reduce((sum, lane) => sum + lane.length, 0),
      busy: slots.filter((slot) => slot.task !== undefined).length,
      workers: slots.length,
    }),
    async close() {
      closed = true;
      clearInterval(clock);
      for (const task of lanes.splice(0).flatMap((lane) => lane.splice(0)))
        task.reject(new Cancelled("the pool is closed"));
      for (const slot of slots) slot.task?.reject(new Cancelled("the pool is closed"));
      await Promise.all(slots.map(({ worker }) => worker.terminate()));
    },
  };
}
