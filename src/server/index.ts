/** @file The reward server: HTTP around the rewards, for trainers in any language. */
export { readToken, TOKEN_VARIABLE } from "./bearer.js";
export type { ResponseErrorCode } from "./group-job.js";
export { defaultLimits, defaultWorkers, type ServerLimits } from "./limits.js";
export { openApiDocument } from "./openapi.js";
export type { Counter, Histogram, Registry } from "./prometheus.js";
export { startRewardServer, type RewardServer, type RewardServerOptions } from "./reward-server.js";
export { frameNames, type FrameName } from "./truths.js";
