/**
 * @file Results that a server owes us: asked for until they are there. A result may be fetched any number of times, so every
 * trouble on the way is met by asking again.
 */
import { codeOf, protocolError, serverWords, TinkerError } from "./errors.js";
import { TryFailed } from "./retry.js";
import { jsonOf, type Answer, type Transport } from "./transport.js";
import { PROTOBUF } from "./wire/index.js";

/** How a result is read; throws `protocol` where the answer is damaged, or is not an answer to what was asked. */
export interface ResultReader<T> {
  /** Where the result comes as protobuf. */
  readonly proto?: (bytes: Uint8Array) => T;
  readonly json: (json: unknown) => T;
}

/** How long to wait, and how. */
export interface FutureOptions {
  /** For the whole result, ms. */
  readonly resultTimeoutMs: number;
  /** One poll; servers hold it open until the result is there, ms. */
  readonly pollTimeoutMs: number;
  readonly now: () => number;
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly signal?: AbortSignal;
}

type Poll<T> =
  | { readonly kind: "result"; readonly value: T }
  | { readonly kind: "again"; readonly metadataOnly: boolean; readonly state?: string };

/** Shortest time between two polls of a server that answers "not yet" at once, ms. */
const POLL_PAUSE = 250;

function pollOf<T>(answer: Answer, operation: string, reader: ResultReader<T>): Poll<T> {
  if (answer.contentType.startsWith(PROTOBUF)) {
    if (reader.proto === undefined)
      throw protocolError(`${operation}: a result in protobuf was not expected`);
    return { kind: "result", value: reader.proto(answer.bytes) };
  }
  const json = jsonOf(answer);
  if (typeof json === "object" && json !== null) {
    const fields = json as Record<string, unknown>;
    if (fields["type"] === "try_again") {
      const state = fields["queue_state_reason"] ?? fields["queue_state"];
      return {
        kind: "again",
        metadataOnly: true,
        ...(typeof state === "string" && { state }),
      };
    }
    if (fields["status"] === "complete_metadata") return { kind: "again", metadataOnly: false };
    if (typeof fields["error"] === "string" && !("metrics" in fields)) {
      const category = typeof fields["category"] === "string" ? ` (${fields["category"]})` : "";
      throw new FinalFailure(failure(operation, fields["error"] + category));
    }
  }
  return { kind: "result", value: reader.json(json) };
}

/** Carries an error past the retries: the request itself has failed. */
class FinalFailure extends Error {
  constructor(readonly error: TinkerError) {
    super(error.message);
  }
}

function failure(operation: string, detail: string, status?: number): TinkerError {
  const code = codeOf(status ?? 400, detail);
  return new TinkerError(code === "refused" ? "failed" : code, `${operation} failed: ${detail}`, {
    operation,
    detail,
    ...(status !== undefined && { status }),
  });
}

/**
 * The result of an accepted request.
 *
 * @param operation What was asked for, as `optim_step`.
 * @throws TinkerError: `failed` with the server's words, `model-gone`, `timeout`, or what the way there threw.
 */
export async function retrieveFuture<T>(
  transport: Transport,
  requestId: string,
  operation: string,
  reader: ResultReader<T>,
  options: FutureOptions,
): Promise<T> {
  const { resultTimeoutMs, pollTimeoutMs, now, sleep, signal } = options;
  const began = now();
  let metadataOnly = true;
  for (let iteration = 0; ; iteration++) {
    const asked = now();
    if (asked - began > resultTimeoutMs) {
      throw new TinkerError("timeout", `${operation}: no result within ${resultTimeoutMs / 1000} s`, {
        operation,
      });
    }
    let poll: Poll<T>;
    try {
      poll = await transport.retrying(() => once(iteration), {
        idempotence: "repeatable",
        ...(signal && { signal }),
      });
    } catch (error) {
      if (error instanceof FinalFailure) throw error.error;
      throw error;
    }
    if (poll.kind === "result") return poll.value;
    metadataOnly = poll.metadataOnly;
    const pause = POLL_PAUSE - (now() - asked);
    if (pause > 0 && metadataOnly) await sleep(pause, signal);
  }

  async function once(iteration: number): Promise<Poll<T>> {
    try {
      const answer = await transport.attempt({
        method: "POST",
        path: "retrieve_future",
        body: {
          bytes: JSON.stringify({ request_id: requestId, allow_metadata_only: metadataOnly }),
          contentType: "application/json",
        },
        headers: {
          "X-Tinker-Request-Type": operation,
          "X-Tinker-Request-Iteration": String(iteration),
          ...(reader.proto && { Accept: `${PROTOBUF}, application/json` }),
        },
        idempotence: "repeatable",
        timeoutMs: pollTimeoutMs,
        ...(signal && { signal }),
      });
      try {
        return pollOf(answer, operation, reader);
      } catch (error) {
        if (error instanceof TinkerError) throw new TryFailed({ error, maybeTaken: true });
        throw error;
      }
    } catch (thrown) {
      if (!(thrown instanceof TryFailed)) throw thrown;
      const { error, timedOut } = thrown.failed;
      // The server waited as long as it does, and the work goes on.
      if (error.status === 408) return { kind: "again", metadataOnly };
      if (timedOut === true) {
        // A poll may be held open for minutes. Only a server that says nothing at all is lost.
        await transport.attempt({
          method: "GET",
          path: "healthz",
          idempotence: "repeatable",
          timeoutMs: Math.min(10_000, pollTimeoutMs),
          ...(signal && { signal }),
        });
        return { kind: "again", metadataOnly };
      }
      if (error.status === 400) throw new FinalFailure(failure(operation, error.detail ?? "", 400));
      throw thrown;
    }
  }
}

/** The id under which a submitted request's result is fetched. @throws TinkerError (`protocol`) where there is none. */
export function requestIdOf(json: unknown): string {
  const fields = (typeof json === "object" && json !== null ? json : {}) as Record<string, unknown>;
  const id = fields["request_id"] ?? fields["future_id"];
  if (typeof id === "string" && id !== "") return id;
  throw protocolError(`a submitted request without an id: ${serverWords(JSON.stringify(json ?? null))}`);
}
