/** @file Inference on any OpenAI-compatible server (`dip-r1/openai`): profiles, the client with its cache, the sampler of the engine contract. */
export { checkBaseUrl, DEFAULT_KEY_VARIABLE, type ConnectionOptions } from "./connection.js";
export { OpenAiError } from "./errors.js";
export { openOpenAiModel, type OpenAiModel, type OpenAiModelOptions, type OpenAiUsage } from "./model.js";
export { fitPicture, sentSize } from "./picture.js";
export {
  loadProfile,
  profileFrom,
  profileSchema,
  type OpenAiProfile,
  type ProfileFile,
  type ProfileOptions,
} from "./profile.js";
export { serverLacks, serverNames, serverOf, type ServerName, type ServerProfile } from "./servers.js";
