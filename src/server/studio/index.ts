/** @file The studio: a server of runs for the page in studio/. */
export type * from "./api.js";
export type { DetectingModel, ModelSource } from "./detector.js";
export { weightsOf, type LocalModelOptions } from "./model-sources.js";
export { isLoopback } from "./security.js";
export { startStudio, type StudioServer, type StudioServerOptions } from "./studio-server.js";
