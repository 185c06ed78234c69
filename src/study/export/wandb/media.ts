/** @file Pictures and tables of an offline W&B run: files under files/media/, and the values of the history that name them. */
import { createHash } from "node:crypto";
import type { EvaluationPicture } from "../evaluation-pictures.js";
import type { RolloutGroup } from "../rollout-groups.js";

/** A file of the run and the value that shows it. */
export interface WandbMedia {
  /** Under files/. */
  readonly path: string;
  readonly content: Uint8Array;
  readonly value: Readonly<Record<string, unknown>>;
}

const safe = (name: string): string => name.replaceAll(/[^\w./-]+/g, "_").replaceAll("..", "_");

/** @param extension with its dot(s) */
function mediaFile(folder: string, name: string, step: number, extension: string, content: Uint8Array) {
  const sha256 = createHash("sha256").update(content).digest("hex");
  const path = `media/${folder}/${safe(name)}_${step}_${sha256.slice(0, 20)}${extension}`;
  return { path, content, about: { path, sha256, size: content.length } };
}

/** An overlay as `wandb.Image`. */
export function wandbImage({ name, step, png, width, height }: EvaluationPicture): WandbMedia {
  const { about, ...file } = mediaFile("images", `eval/${name}`, step, ".png", png);
  return { ...file, value: { _type: "image-file", format: "png", width, height, ...about } };
}

const COLUMNS = ["sample", "index", "text", "total", "format", "look", "accuracy", "advantage", "grade", "tokens"] as const; // prettier-ignore

/** A group of rollouts as `wandb.Table`. */
export function wandbTable(name: string, { step, lines }: RolloutGroup): WandbMedia {
  const data = lines.map((line) => COLUMNS.map((column) => line[column]));
  const content = new TextEncoder().encode(JSON.stringify({ columns: COLUMNS, data }));
  const { about, ...file } = mediaFile("table", name, step, ".table.json", content);
  return {
    ...file,
    value: { _type: "table-file", ncols: COLUMNS.length, nrows: lines.length, ...about },
  };
}
