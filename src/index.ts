/**
 * @file The public entry point `dip-r1`: what a program needs to read responses, score them, open data, train and judge.
 *
 * Named one by one, so that nothing becomes public by accident. Each layer's whole surface is at its own entry point
 * (`dip-r1/rewards`, `dip-r1/rl`, ...). This one loads ONNX Runtime, sharp and canvas; `dip-r1/geometry`, `dip-r1/response`,
 * `dip-r1/rewards` and `dip-r1/metrics` load no native library.
 */

// Errors, logs, pixels.
export { createLogger, DipError, InputError, silentLogger, UnavailableError } from "./base/index.js";
export type { Logger, LoggerOptions, RgbImage } from "./base/index.js";

// Boxes and their frames.
export { box, boxFromAnswer, boxToAnswer, clipBox, convertBox, frameSize, iou } from "./geometry/index.js";
export type { AnswerFrame, Box, CoordinateProfile, Frame, FrameSize, FrameSizes } from "./geometry/index.js";

// Prompts, and the Think-Look-Answer response.
export { parseResponse, promptNames, promptText, renderResponse } from "./response/index.js";
export type {
  Grade,
  LabelledBox,
  ParsedBox,
  ParsedResponse,
  ParsedSection,
  PromptName,
  ResponseContent,
  ResponseStyle,
} from "./response/index.js";

// The three rewards.
export {
  accuracyReward,
  boxCredit,
  checkRewardConfig,
  defaultRewardConfig,
  formatReward,
  lookKinds,
  lookRewards,
  scoreGroup,
  truthFromSample,
} from "./rewards/index.js";
export type {
  AccuracyShape,
  BoxCredit,
  GroupScore,
  LookKind,
  ResponseScore,
  RewardConfig,
  RewardTruth,
  TruthOptions,
} from "./rewards/index.js";

// Metrics.
export {
  benchmarkNumbers,
  bootstrap,
  bootstrapDifference,
  cocoAp,
  countingErrors,
  matchInstances,
  openBenchmark,
  precisionRecall,
  scoresOf,
  writeBenchmarkDetections,
} from "./metrics/index.js";
export type {
  Benchmark,
  BenchmarkImage,
  BenchmarkName,
  BenchmarkReport,
  BenchmarkTruth,
  CocoImage,
  CocoOptions,
  CocoSummary,
  CountingErrors,
  Interval,
  PrecisionRecall,
  ScoreSource,
} from "./metrics/index.js";

// Data.
export {
  decodeImage,
  convertDataset,
  generateScene,
  inspectSamples,
  loadPixels,
  LOOKS,
  openDataset,
  parseDatasetSpec,
  teacherResponse,
  writeDataset,
} from "./datasets/index.js";
export type {
  Dataset,
  DatasetSpec,
  DatasetSpecInput,
  GroundTruthObject,
  ImageSource,
  Look,
  Sample,
  SceneOptions,
} from "./datasets/index.js";

// Engines.
export { createLocalEngine, openLocalModel } from "./engines/index.js";
export type {
  AdamParams,
  Capabilities,
  Checkpoint,
  Datum,
  Engine,
  KlEstimator,
  LocalEngine,
  LocalEngineOptions,
  LocalModel,
  LocalModelOptions,
  Loss,
  LossReport,
  Prompt,
  PromptChunk,
  Rollout,
  Sampler,
  SamplingParams,
  StepReport,
  StopReason,
} from "./engines/index.js";

// Models and servers elsewhere: whole surfaces at `dip-r1/tinker` and `dip-r1/openai`.
export { createTinkerEngine, TinkerClient, TinkerError } from "./engines/tinker/index.js";
export { fitPicture, loadProfile, OpenAiError, openOpenAiModel } from "./engines/openai/index.js";
export type { TinkerClientOptions, TinkerEngine, TinkerEngineOptions } from "./engines/tinker/index.js";
export type { OpenAiModel, OpenAiModelOptions, OpenAiProfile } from "./engines/openai/index.js";

// GRPO, SFT, evaluation.
export {
  benchmarkImages,
  benchmarkSummary,
  defaultScoreSource,
  evaluateImages,
  generatedSource,
  groupAdvantages,
  grpo,
  grpoDefaults,
  klTerm,
  policyLoss,
  qwenCodec,
  qwenEncoder,
  qwenTeacher,
  sft,
  shuffledSource,
  summarizeEvaluation,
  tokenWeights,
} from "./rl/index.js";
export type {
  AdvantageKind,
  Aggregation,
  BatchSource,
  BenchmarkSummary,
  Credit,
  EncodedSample,
  EvaluatedImage,
  EvaluationConfig,
  EvaluationSummary,
  GroupRecord,
  GrpoConfig,
  GrpoMetrics,
  GrpoOptions,
  GrpoStep,
  LoopState,
  OptimizerConfig,
  ResponseRecord,
  SampleEncoder,
  SftConfig,
  SftOptions,
  SftStep,
  TextCodec,
} from "./rl/index.js";

// Recipes and runs.
export {
  loadRecipe,
  openResult,
  parseRecipe,
  presets,
  readManifest,
  scoreResponses,
  train,
} from "./runs/index.js";
export type {
  LoadedRecipe,
  PresetName,
  Recipe,
  RunEvent,
  RunManifest,
  TrainOptions,
  TrainResult,
} from "./runs/index.js";

// Comparisons and pictures.
export { compareResults, compareSet, comparisonTable, renderPanels, writeRunReport } from "./study/index.js";
