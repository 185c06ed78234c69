/** @file A reward server: dataset, workers and HTTP, started and stopped together. */
import type { AddressInfo } from "node:net";
import { InputError, toError } from "../base/errors.js";
import { packageVersion } from "../base/fingerprint.js";
import { silentLogger, type Logger } from "../base/logger.js";
import type { SampleTruth } from "../datasets/sample.js";
import { checkRewardConfig, type RewardConfig } from "../rewards/index.js";
import { createHttpFront } from "./http-front.js";
import { defaultLimits, defaultWorkers, type ServerLimits } from "./limits.js";
import { openApiDocument } from "./openapi.js";
import type { Registry } from "./prometheus.js";
import { createRewardService } from "./reward-service.js";
import { createTruths, type TruthOptions } from "./truths.js";

/** Options of {@link startRewardServer}. */
export interface RewardServerOptions extends Omit<TruthOptions, "maxBoxes"> {
  readonly rewards: RewardConfig;
  /** Samples that requests may name by id. @default none */
  readonly samples?: readonly SampleTruth[];
  /** @default "127.0.0.1" */
  readonly host?: string;
  /** 0: any free one. @default 0 */
  readonly port?: number;
  /** @default one less than there are cores, two at least */
  readonly workers?: number;
  readonly limits?: Partial<ServerLimits>;
  /** Leave the look reward out of every score. @default false */
  readonly withoutLook?: boolean;
  /** Bearer token that requests must carry. @default none */
  readonly token?: string;
  readonly logger?: Logger;
}

/** A running server. */
export interface RewardServer {
  /** http://host:port */
  readonly url: string;
  readonly port: number;
  readonly metrics: Registry;
  /** Requests that were taken and are not answered. */
  inFlight(): number;
  /** Takes no more requests, answers those that were taken, then stops. May be called again: the same promise. */
  stop(): Promise<void>;
}

/**
 * Starts; resolves once requests are taken.
 * @throws InputError for bad options and for an address that cannot be had
 */
export async function startRewardServer(options: RewardServerOptions): Promise<RewardServer> {
  checkRewardConfig(options.rewards);
  const limits = { ...defaultLimits, ...options.limits };
  const host = options.host ?? "127.0.0.1";
  const service = createRewardService({
    rewards: options.rewards,
    limits,
    workers: options.workers ?? defaultWorkers(),
  });
  const front = createHttpFront({
    service,
    truths: createTruths(options.samples ?? [], { ...options, maxBoxes: limits.truthBoxes }),
    limits,
    withoutLook: options.withoutLook ?? false,
    token: options.token,
    openApi: openApiDocument(await packageVersion()),
    logger: options.logger ?? silentLogger,
  });
  const { server } = front;
  try {
    await service.ready;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      // Connections of a burst wait here, instead of being refused, while the main thread reads a large body.
      server.listen({ host, port: options.port ?? 0, backlog: 4096 }, resolve);
    });
  } catch (error) {
    await service.close();
    const { code, message } = toError(error) as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new InputError(`cannot listen on ${host}:${options.port ?? 0}: ${message}`, {
      hint:
        code === "EADDRINUSE"
          ? "Another process has the port; choose another one, or 0 for any free one."
          : undefined,
      cause: error,
    });
  }
  const { port } = server.address() as AddressInfo;
  let stopped: Promise<void> | undefined;
  return {
    url: `http://${host.includes(":") ? `[${host}]` : host}:${port}`,
    port,
    metrics: service.registry,
    inFlight: front.inFlight,
    stop() {
      stopped ??= front.drain().then(() => service.close());
      return stopped;
    },
  };
}
