/** @file What a route is, and what it works with. */
import type { z } from "zod";
import type { GroupRequest, GroupResult } from "./reward-service.js";
import type { Truths } from "./truths.js";

/** What a route works with, for one request. */
export interface CallContext {
  readonly truths: Truths;
  /** The server was told to leave the look reward out. */
  readonly withoutLook: boolean;
  /** Scores groups; forgets them when the client is gone. */
  score(groups: readonly GroupRequest[]): Promise<GroupResult[]>;
}

/** A path that takes JSON by POST and gives JSON. */
export interface RewardRoute {
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly request: z.ZodType;
  readonly answer: z.ZodType;
  /** Of the URL's query; none unless given. */
  readonly query?: z.ZodObject;
  /** @throws HttpError */
  handle(body: unknown, query: URLSearchParams, context: CallContext): Promise<unknown>;
}
