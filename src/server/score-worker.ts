/** @file The worker thread: scores one group at a time and says, in shared memory, what it is at and since when. */
import { parentPort, workerData } from "node:worker_threads";
import { toError } from "../base/errors.js";
import { checkRewardConfig } from "../rewards/index.js";
import { scoreJob } from "./group-job.js";
import type { WorkerAnswer, WorkerOrder, WorkerSetup } from "./worker-messages.js";

const { rewards, responseBoxes, progress } = workerData as WorkerSetup;
checkRewardConfig(rewards);
const port = parentPort!;

port.on("message", ({ job, careful, excluded }: WorkerOrder) => {
  const started = performance.now();
  const announce = (index: number) => {
    progress[0] = index;
    progress[1] = Date.now();
  };
  announce(0);
  let answer: WorkerAnswer;
  try {
    const responses = scoreJob(job, {
      rewards,
      responseBoxes,
      excluded: new Map(excluded),
      ...(careful && { announce }),
    });
    answer = { responses, seconds: (performance.now() - started) / 1000 };
  } catch (error) {
    answer = { failure: toError(error).message, seconds: (performance.now() - started) / 1000 };
  }
  // Not at anything any more: the watcher must not take the time until the next order for work.
  progress[1] = 0;
  port.postMessage(answer);
});
port.postMessage("ready");
