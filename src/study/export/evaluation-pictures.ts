/**
 * @file Pictures of evaluations for trackers: the first images of each set, the same ones at every evaluation, so that a
 * tracker's slider over steps shows what changed (report.html shows those that changed most).
 */
import { dirname } from "node:path";
import { silentLogger, toError, type Logger, type RgbImage } from "../../base/index.js";
import { loadPixels } from "../../datasets/index.js";
import {
  openEvaluationSets,
  readEvaluation,
  type EvaluationLine,
  type EvaluationSet,
  type RunManifest,
} from "../../runs/index.js";
import type { Sample } from "../../datasets/index.js";
import { renderPanels } from "../overlay.js";
import { panelOf } from "../run-report.js";

/** One overlay. */
export interface EvaluationPicture {
  /** `set/image`. */
  readonly name: string;
  readonly step: number;
  readonly png: Buffer;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
}

/** Options of {@link createEvaluationPictures}. */
export interface EvaluationPicturesOptions {
  /** Images of the in-domain set; the other sets get one each. @default 4 */
  readonly count?: number;
  readonly logger?: Logger;
}

/** Draws evaluations; datasets are opened at the first one. */
export interface EvaluationPictures {
  /** Overlays of one evaluation: none for sampled responses, or where the data is not there any more. */
  of(line: EvaluationLine): Promise<EvaluationPicture[]>;
}

/** Width and height of a PNG, from its header. */
export function pngSize(png: Buffer): { width: number; height: number } {
  return { width: png.readUInt32BE(16), height: png.readUInt32BE(20) };
}

/** Pictures of a run's evaluations. */
export function createEvaluationPictures(
  run: string,
  manifest: RunManifest,
  options: EvaluationPicturesOptions = {},
): EvaluationPictures {
  const { count = 4, logger = silentLogger } = options;
  let opened: Promise<readonly EvaluationSet<Sample>[]> | undefined;
  const pixels = new Map<string, Promise<ReadonlyMap<string, RgbImage>>>();

  const open = () =>
    (opened ??= (async () => {
      const { path } = manifest.source;
      try {
        return (await openEvaluationSets({ recipe: manifest.recipe, folder: dirname(path), path })).sets;
      } catch (error) {
        logger.warn(`no pictures: ${toError(error).message}`);
        return [];
      }
    })());

  async function load(set: string, wanted: ReadonlySet<string>): Promise<ReadonlyMap<string, RgbImage>> {
    const found = new Map<string, RgbImage>();
    try {
      for await (const sample of (await open()).find(({ name }) => name === set)?.samples() ?? []) {
        if (!wanted.has(sample.id) || found.has(sample.id)) continue;
        found.set(sample.id, await loadPixels(sample));
        if (found.size === wanted.size) break;
      }
    } catch (error) {
      logger.warn(`no pictures of ${set}: ${toError(error).message}`);
    }
    return found;
  }

  return {
    async of({ set, step, decoding, domain }) {
      const limit = domain === "in" ? count : Math.min(1, count);
      if (decoding !== "greedy" || limit === 0) return [];
      const judged = ((await readEvaluation(run, step, set, decoding)) ?? []).slice(0, limit);
      if (judged.length === 0) return [];
      let images = pixels.get(set);
      if (images === undefined) pixels.set(set, (images = load(set, new Set(judged.map(({ id }) => id)))));
      const pictures: EvaluationPicture[] = [];
      for (const one of judged) {
        const image = (await images).get(one.id);
        if (image === undefined) continue;
        const png = await renderPanels([panelOf(`${one.id}, step ${step}`, image, one)]);
        pictures.push({ name: `${set}/${one.id}`, step, png, ...pngSize(png) });
      }
      return pictures;
    },
  };
}
