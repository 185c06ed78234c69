/**
 * @file The pictures of a run's samples, found again from the data that its manifest names and refused where that data is no
 * longer what the run saw: boxes over another picture would mislead. They lie outside the run's folder, so only pixels
 * leave here: every picture is decoded and encoded anew, and a file that is no picture is never sent.
 */
import { dirname } from "node:path";
import sharp from "sharp";
import { InputError, toError } from "../../base/errors.js";
import {
  loadPixels,
  openDataset,
  type Dataset,
  type DatasetSpecInput,
  type Sample,
} from "../../datasets/index.js";
import { HttpError } from "../http-error.js";
import { createLru } from "./lru.js";
import type { StudioRun } from "./studio-run.js";

/** A picture as it is sent. */
export interface SentPicture {
  readonly type: "image/png" | "image/jpeg";
  readonly body: Uint8Array;
  readonly etag: string;
}

/** Pictures by run, set and sample. */
export interface Pictures {
  /** The sample itself. @throws HttpError `not-found` with words where the data or the sample is gone */
  sample(run: StudioRun, set: string, id: string): Promise<Sample>;
  /** The picture for the page. @throws HttpError as `sample` */
  picture(run: StudioRun, set: string, id: string): Promise<SentPicture>;
}

/** Bytes of encoded pictures that are kept. */
const CACHE_BYTES = 64 * 2 ** 20;
/** Longest side that is sent: more than a screen shows. */
const LONGEST = 2560;
/** Pixels above which JPEG is sent: a photo as PNG takes seconds to make. */
const PNG_PIXELS = 1 << 20;
/** Datasets that are held open. */
const DATASETS = 8;

interface OpenSet {
  readonly dataset: Dataset;
  /** Places by id, filled as they are looked for. */
  readonly places: Map<string, number>;
}

/** A scene's id ends with its index (src/datasets/scenes/scene.ts): no need to draw a hundred thousand to find one. */
function sceneIndex({ spec }: Dataset, id: string): number | undefined {
  if (spec.format !== "scenes") return undefined;
  const digits = /-(\d+)$/.exec(id)?.[1];
  return digits === undefined ? undefined : Number(digits) - spec.start;
}

async function find({ dataset, places }: OpenSet, id: string): Promise<Sample | undefined> {
  const index = sceneIndex(dataset, id);
  if (dataset.spec.format === "scenes") {
    if (index === undefined || index < 0 || index >= dataset.length) return undefined;
    const sample = await dataset.at(index);
    return sample.id === id ? sample : undefined;
  }
  if (places.size === 0) {
    let place = 0;
    for await (const sample of dataset.samples()) places.set(sample.id, place++);
  }
  const place = places.get(id);
  return place === undefined ? undefined : dataset.at(place);
}

async function encode(sample: Sample, etag: string): Promise<SentPicture> {
  const { data, width, height } = await loadPixels(sample);
  const picture = sharp(data, { raw: { width, height, channels: 3 } }).resize({
    width: LONGEST,
    height: LONGEST,
    fit: "inside",
    withoutEnlargement: true,
  });
  if (width * height <= PNG_PIXELS)
    return { type: "image/png", body: await picture.png({ compressionLevel: 6 }).toBuffer(), etag };
  return { type: "image/jpeg", body: await picture.jpeg({ quality: 92 }).toBuffer(), etag };
}

/** An empty cache of pictures. */
export function createPictures(): Pictures {
  const sets = createLru<Promise<OpenSet>>(DATASETS, () => 1);
  const encoded = createLru<SentPicture>(CACHE_BYTES, ({ body }) => body.length);

  async function openSet(run: StudioRun, set: string): Promise<OpenSet> {
    const { recipe, source, data } = run.manifest;
    const spec = set === "train" ? recipe.data.train : Object.hasOwn(recipe.data.eval, set) ? recipe.data.eval[set] : undefined; // prettier-ignore
    if (spec === undefined)
      throw new HttpError("not-found", `${run.id} has no set named ${set}`, {
        hint: `It has: ${["train", ...Object.keys(recipe.data.eval)].join(", ")}.`,
      });
    const fingerprint = data[set === "train" ? "train" : `eval.${set}`];
    // Whether every picture is there is not asked: one is wanted.
    const quick = typeof spec === "object" && spec !== null && "annotations" in spec ? { ...spec, checkImages: "none" } : spec; // prettier-ignore
    let dataset: Dataset;
    try {
      dataset = await openDataset(quick as DatasetSpecInput, { baseDir: dirname(source.path) });
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      throw new HttpError("not-found", `the data of ${set} cannot be opened: ${error.message}`, {
        hint: "The picture is missing because the data was moved or deleted; boxes and numbers come from the run itself.",
        cause: error,
      });
    }
    if (fingerprint !== undefined && dataset.fingerprint !== fingerprint)
      throw new HttpError("not-found", `the data of ${set} is no longer what the run was made with`, {
        hint: "Its pictures are not shown: the run's boxes may not belong to them.",
      });
    return { dataset, places: new Map() };
  }

  function opened(run: StudioRun, set: string): Promise<OpenSet> {
    const key = JSON.stringify([run.path, set, run.manifest.data]);
    const known = sets.get(key);
    if (known !== undefined) return known;
    const opening = openSet(run, set);
    sets.set(key, opening);
    // A folder that is mounted later is found then.
    opening.catch(() => sets.delete(key));
    return opening;
  }

  async function sample(run: StudioRun, set: string, id: string): Promise<Sample> {
    const found = await find(await opened(run, set), id);
    if (found !== undefined) return found;
    throw new HttpError("not-found", `${run.id}: the data of ${set} has no sample ${id}`);
  }

  return {
    sample,
    async picture(run, set, id) {
      const fingerprint = run.manifest.data[set === "train" ? "train" : `eval.${set}`] ?? "";
      const key = JSON.stringify([run.path, set, fingerprint, id]);
      const known = encoded.get(key);
      if (known !== undefined) return known;
      const one = await sample(run, set, id);
      try {
        const etag = `"${Buffer.from(`${fingerprint.slice(0, 16)} ${id}`).toString("base64url")}"`;
        const picture = await encode(one, etag);
        encoded.set(key, picture);
        return picture;
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        throw new HttpError("not-found", toError(error).message, { hint: error.hint, cause: error });
      }
    },
  };
}
