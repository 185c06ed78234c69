/**
 * @file Rewards as a service, without HTTP: admission, workers, gathering, and what is counted about them. A call is one
 * request: its groups are taken as a whole or refused as a whole.
 */
import type { RewardConfig } from "../rewards/index.js";
import { createGatherer, type WaitingPart } from "./gather.js";
import type { GroupJob, ScoredResponse } from "./group-job.js";
import { HttpError } from "./http-error.js";
import type { ServerLimits } from "./limits.js";
import { createRegistry, SECONDS, type Registry } from "./prometheus.js";
import { createWorkerPool, type Lane } from "./worker-pool.js";

/** One group of a request. */
export interface GroupRequest {
  readonly job: GroupJob;
  /** Where the rest of the group comes in other requests: what they share, and how many responses there are in all. */
  readonly gather?: { readonly key: string; readonly size: number };
}

/** Scores, or why this group has none. */
export type GroupResult = { readonly responses: readonly ScoredResponse[] } | { readonly refusal: HttpError };

/** Options of {@link createRewardService}. */
export interface RewardServiceOptions {
  readonly rewards: RewardConfig;
  readonly limits: ServerLimits;
  readonly workers: number;
}

/** The service. */
export interface RewardService {
  readonly rewards: RewardConfig;
  readonly registry: Registry;
  /** Resolves once it can score. */
  readonly ready: Promise<void>;
  /**
   * Scores the groups of one request, in their order.
   * @param signal aborts when the client is gone: what no worker has begun is forgotten
   * @throws HttpError `busy` or `too-many-groups`
   */
  score(groups: readonly GroupRequest[], signal?: AbortSignal): Promise<GroupResult[]>;
  /** Whether another request would be refused for want of room. */
  full(): boolean;
  /** Seconds after which a refused client may come again. */
  retryAfter(): number;
  /** Whether a group waits for the rest of it. */
  gathers(key: string): boolean;
  /** Responses that wait for the rest of their group. */
  gathering(): number;
  /** Resolves once no group waits for its rest. */
  gathered(): Promise<void>;
  close(): Promise<void>;
}

/** Starts the workers. */
export function createRewardService(options: RewardServiceOptions): RewardService {
  const { rewards, limits } = options;
  const registry = createRegistry();
  const groupsTotal = registry.counter("dip_r1_groups_total", "Groups scored.");
  const responsesTotal = registry.counter("dip_r1_responses_total", "Responses scored, by parse grade.");
  const errorsTotal = registry.counter(
    "dip_r1_response_errors_total",
    "Responses with an error of their own, by code.",
  );
  const rewardSum = registry.counter(
    "dip_r1_reward_sum",
    "Sum of rewards, by part; divide by dip_r1_reward_count.",
  );
  const rewardCount = registry.counter("dip_r1_reward_count", "Rewards given, by part.");
  const groupSeconds = registry.histogram(
    "dip_r1_group_seconds",
    "Seconds of a worker for a group.",
    SECONDS,
  );
  const restarts = registry.counter("dip_r1_worker_restarts_total", "Worker threads replaced, by reason.");
  const pool = createWorkerPool({
    rewards,
    workers: options.workers,
    responseBoxes: limits.responseBoxes,
    sampleSeconds: limits.sampleSeconds,
    onRestart: (reason) => restarts.add({ reason }),
  });
  let admitted = 0;
  registry.gauge("dip_r1_groups_in_flight", "Groups taken and not answered.", () => admitted);
  registry.gauge("dip_r1_groups_waiting", "Groups that no worker has begun.", () => pool.stats().waiting);
  registry.gauge("dip_r1_workers", "Worker threads, by state.", () => {
    const { busy, workers } = pool.stats();
    return [
      [{ state: "busy" }, busy],
      [{ state: "idle" }, workers - busy],
    ];
  });

  const scoreIn = async (lane: Lane, job: GroupJob): Promise<readonly ScoredResponse[]> => {
    const { responses, seconds } = await lane.run(job);
    groupsTotal.add();
    groupSeconds.observe(seconds);
    for (const response of responses) {
      responsesTotal.add({ grade: response.grade });
      if (response.error !== undefined) errorsTotal.add({ code: response.error.code });
      for (const part of ["format", "look", "accuracy", "total"] as const) {
        const value = response[part];
        if (value === null) continue;
        rewardSum.add({ part }, value);
        rewardCount.add({ part });
      }
    }
    return responses;
  };
  const gatherer = createGatherer({
    seconds: limits.gatherSeconds,
    maxResponses: limits.gatherResponses,
    // Not of one request: a lane of its own, which no single client's leaving cancels.
    score: (job) => scoreIn(pool.lane(), job),
  });
  registry.gauge(
    "dip_r1_gather_responses",
    "Responses that wait for the rest of their group.",
    gatherer.waiting,
  );

  const retryAfter = () => {
    const { sum, count } = groupSeconds.totals();
    const seconds = (admitted * (count === 0 ? 0.01 : sum / count)) / options.workers;
    return Math.min(30, Math.max(1, Math.ceil(seconds)));
  };
  const busy = (message: string) => new HttpError("busy", message, { retryAfter: retryAfter() });

  /** @throws HttpError for a group that cannot be scored, whoever asks */
  const check = ({ job, gather }: GroupRequest) => {
    const size = gather?.size ?? job.responses.length;
    if (size > limits.groupResponses)
      throw new HttpError(
        "limit-exceeded",
        `a group of ${size} responses, at most ${limits.groupResponses} are taken`,
        {
          hint: "Start the server with a larger --max-group.",
        },
      );
    if (size < 2 && !job.withoutLook)
      throw new HttpError("group-of-one", "the look reward needs a group of at least 2 responses", {
        hint:
          "It is the disagreement between responses to one picture: send the whole group, or its parts with group_size; " +
          "or leave the look reward out (without_look).",
      });
  };

  const scoreOne = (
    lane: Lane,
    group: GroupRequest,
    parts: WaitingPart[],
  ): Promise<readonly ScoredResponse[]> => {
    check(group);
    const { job, gather } = group;
    if (gather === undefined || gather.size === job.responses.length) return scoreIn(lane, job);
    const part = gatherer.add({ key: gather.key, size: gather.size, job });
    parts.push(part);
    return part.scores;
  };

  return {
    rewards,
    registry,
    ready: pool.ready,
    full: () => admitted >= limits.queueGroups,
    retryAfter,
    gathers: (key) => gatherer.has(key),
    gathering: () => gatherer.waiting(),
    gathered: () => gatherer.idle(),
    close: () => pool.close(),
    async score(groups, signal) {
      // Groups that wait for their rest take no worker; they have a limit of their own.
      const now = groups.filter(
        ({ job, gather }) => gather === undefined || gather.size === job.responses.length,
      ).length;
      if (now > limits.queueGroups)
        throw new HttpError(
          "too-many-groups",
          `${now} groups in one request, at most ${limits.queueGroups} are taken`,
          {
            hint: "Send them in several requests.",
          },
        );
      if (admitted + now > limits.queueGroups) throw busy(`${admitted} groups are in work`);
      admitted += now;
      const lane = pool.lane();
      const parts: WaitingPart[] = [];
      const leave = () => {
        lane.cancel();
        for (const part of parts) part.withdraw();
      };
      signal?.addEventListener("abort", leave, { once: true });
      try {
        return await Promise.all(
          groups.map(async (group): Promise<GroupResult> => {
            try {
              return { responses: await scoreOne(lane, group, parts) };
            } catch (error) {
              if (error instanceof HttpError && error.code !== "busy") return { refusal: error };
              throw error;
            }
          }),
        );
      } catch (error) {
        // One of them cannot be: nobody will be told of the others.
        leave();
        throw error;
      } finally {
        signal?.removeEventListener("abort", leave);
        admitted -= now;
      }
    },
  };
}
