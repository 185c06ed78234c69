/** @file What the parts of one client share. */
import type { Logger } from "../../base/logger.js";
import { retrieveFuture, type ResultReader } from "./futures.js";
import type { RetryTools } from "./retry.js";
import type { Transport } from "./transport.js";

/** Patience and limits of a client; every one has a default. */
export interface TinkerLimits {
  /** Longest wait for one result, ms. @default 7200000 */
  readonly resultTimeoutMs: number;
  /** One poll for a result, ms; servers hold it open. @default 45000 */
  readonly pollTimeoutMs: number;
  /** One submission, ms. @default 60000 */
  readonly requestTimeoutMs: number;
  /** Sampling requests under way together. @default 64 */
  readonly samplingInFlight: number;
  /** Sequences of one forward_backward request at most. @default 1024 */
  readonly maxDatums: number;
  /** Bytes of one forward_backward request, about, at most. @default 5000000 */
  readonly maxBytes: number;
}

/** {@link TinkerLimits} where nothing else is said. */
export const defaultLimits: TinkerLimits = {
  resultTimeoutMs: 7_200_000,
  pollTimeoutMs: 45_000,
  requestTimeoutMs: 60_000,
  samplingInFlight: 64,
  maxDatums: 1024,
  maxBytes: 5_000_000,
};

/** How forward_backward's body is written. Results are read in whatever form they come. */
export type Encoding = "protobuf" | "json";

/** Shared by a client's models and samplers. */
export interface ClientContext {
  readonly transport: Transport;
  readonly tools: RetryTools;
  readonly limits: TinkerLimits;
  readonly logger: Logger;
  readonly sessionId: string;
  readonly encoding: Encoding;
  /** The server wants forward_backward's body compressed. */
  readonly compress: boolean;
  /**
   * The server knows a repeated training request by its sequence number, so that repeating one is safe. Where not, a
   * request whose answer was lost ends the model's use.
   */
  deduplicates: boolean;
  readonly signal?: AbortSignal;
  /** Numbers of sampling sessions, unique in the session. */
  readonly nextSamplingSession: () => number;
}

/** The result of an accepted request. */
export function resultOf<T>(
  context: ClientContext,
  requestId: string,
  operation: string,
  reader: ResultReader<T>,
): Promise<T> {
  const { transport, limits, tools, signal } = context;
  return retrieveFuture(transport, requestId, operation, reader, {
    resultTimeoutMs: limits.resultTimeoutMs,
    pollTimeoutMs: limits.pollTimeoutMs,
    now: tools.now,
    sleep: tools.sleep,
    ...(signal && { signal }),
  });
}
