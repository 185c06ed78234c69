/** @file Runs for other people's trackers: TensorBoard, Weights & Biases, MLflow. */
export * from "./flatten.js";
export * from "./run-record.js";
export * from "./tensorboard/export-tensorboard.js";
export * from "./wandb/export-wandb.js";
export * from "./mlflow/client.js";
export * from "./mlflow/export-mlflow.js";
