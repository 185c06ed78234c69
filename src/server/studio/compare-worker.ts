/** @file Compare's worker thread: one job at a time; a bootstrap of seconds must not hold the page's other requests. */
import { parentPort } from "node:worker_threads";
import { DipError, InputError, toError } from "../../base/errors.js";
import type { CompareAnswer, CompareOrder } from "./compare-thread.js";
import { doCompareJob } from "./compare-work.js";

const port = parentPort!;

port.on("message", ({ id, job }: CompareOrder) => {
  doCompareJob(job).then(
    (value) => port.postMessage({ id, value } satisfies CompareAnswer),
    (thrown: unknown) => {
      const error = toError(thrown);
      port.postMessage({
        id,
        error: {
          message: error.message,
          ...(error instanceof DipError && error.hint !== undefined && { hint: error.hint }),
          input: error instanceof InputError,
        },
      } satisfies CompareAnswer);
    },
  );
});
