/**
 * @file The responses that a run kept of its evaluations (evaluations/step-N/SET.DECODING.jsonl): which images there are, how
 * each did at every evaluated step, and one image through training. A file is read once for its index; after that only
 * the lines that are asked for.
 */
import { readdir } from "node:fs/promises";
import { basename, dirname } from "node:path";
import type { EvaluatedImage } from "../../rl/index.js";
import { evaluationFile } from "../../runs/index.js";
import { HttpError } from "../http-error.js";
import type {
  Decoding,
  EvaluationHistory,
  EvaluationImages,
  EvaluationImagesQuery,
  EvaluationIndex,
  EvaluationResponse,
} from "./api.js";
import { cornersOf } from "./group-detail.js";
import { heatOfAnswers } from "./heat.js";
import { imagePath } from "./image-path.js";
import { createLineTail, eachLine, type LineTail } from "./line-tail.js";
import { locateInside, readSlice } from "./safe-file.js";
import type { StudioRun } from "./studio-run.js";
import { textStretches } from "./text-stretches.js";

/** One image in a file. */
interface ImagePlace {
  readonly start: number;
  readonly length: number;
  readonly objects: number;
  readonly f1: number;
}

/** The index of one file. */
interface ImageFile {
  readonly tail: LineTail;
  readonly names: readonly string[];
  /** By id, in the order judged. */
  readonly images: ReadonlyMap<string, ImagePlace>;
}

function f1Of(counts: readonly { truePositives: number; predictions: number; truths: number }[]): number {
  let [hits, all] = [0, 0];
  for (const { truePositives, predictions, truths } of counts) {
    hits += truePositives;
    all += predictions + truths;
  }
  return all === 0 ? 1 : (2 * hits) / all;
}

function openFile(root: string, names: readonly string[]): ImageFile {
  const images = new Map<string, ImagePlace>();
  const tail = createLineTail(root, names, {
    reset: () => images.clear(),
    take(lines, at) {
      eachLine(lines, (start, end) => {
        try {
          const image = JSON.parse(lines.toString("utf8", start, end)) as EvaluatedImage;
          images.set(image.id, {
            start: at + start,
            length: end - start,
            objects: image.truth.objects.length,
            f1: f1Of(image.responses.map(({ at50 }) => at50)),
          });
        } catch {
          // A line that is no record is not shown.
        }
      });
    },
  });
  return { tail, names, images };
}

/** The evaluations of a run. */
export interface EvaluationStore {
  index(): Promise<EvaluationIndex>;
  images(query: EvaluationImagesQuery): Promise<EvaluationImages>;
  history(set: string, decoding: Decoding, image: string): Promise<EvaluationHistory>;
}

const STEP = /^step-(\d+)$/;

/** Kept files of a set, by step. */
interface KeptSteps {
  readonly steps: readonly number[];
  readonly files: readonly ImageFile[];
}

/** Opens the evaluations of a run; nothing is read until it is asked for. */
export function createEvaluationStore(run: StudioRun): EvaluationStore {
  const files = new Map<string, ImageFile>();

  async function stepFolders(): Promise<number[]> {
    const folder = await locateInside(run.path, ["evaluations"]);
    const names = folder === undefined ? [] : await readdir(folder).catch(() => []);
    return names
      .flatMap((name) => {
        const step = STEP.exec(name)?.[1];
        return step === undefined ? [] : [Number(step)];
      })
      .sort((a, b) => a - b);
  }

  /** The names of a file below the run's folder, as the run itself writes them. */
  const namesOf = (step: number, set: string, decoding: Decoding): string[] => {
    const path = evaluationFile(run.path, step, set, decoding);
    return ["evaluations", basename(dirname(path)), basename(path)];
  };

  async function kept(set: string, decoding: Decoding): Promise<KeptSteps> {
    const steps: number[] = [];
    const found: ImageFile[] = [];
    for (const step of await stepFolders()) {
      const names = namesOf(step, set, decoding);
      if ((await locateInside(run.path, names)) === undefined) continue;
      const key = names.join("/");
      let file = files.get(key);
      if (file === undefined) files.set(key, (file = openFile(run.path, names)));
      await file.tail.refresh();
      steps.push(step);
      found.push(file);
    }
    if (found.length === 0)
      throw new HttpError("not-found", `${run.id}: no responses of ${set}, ${decoding} are kept`, {
        hint: "GET .../evaluations lists the sets that were judged.",
      });
    return { steps, files: found };
  }

  /** Ids in the order of the first step that judged them. */
  const idsOf = ({ files: all }: KeptSteps): string[] => [
    ...new Set(all.flatMap(({ images }) => [...images.keys()])),
  ];

  return {
    async index() {
      await run.evaluations.tail.refresh();
      const sets = new Map<string, EvaluationIndex["sets"][number]>();
      for (const { set, domain, decoding, step, images } of run.evaluations.rows) {
        if ((await locateInside(run.path, namesOf(step, set, decoding))) === undefined) continue;
        const key = JSON.stringify([set, decoding]);
        const before = sets.get(key);
        const steps = [...new Set([...(before?.steps ?? []), step])].sort((a, b) => a - b);
        sets.set(key, {
          set,
          domain,
          decoding,
          steps,
          images: Math.max(before?.images ?? 0, Number(images) || 0),
        });
      }
      return { sets: [...sets.values()] };
    },

    async images(query) {
      const { set, decoding, sort = "order", offset = 0, limit = 100 } = query;
      const { minObjects = -Infinity, maxObjects = Infinity, image = "" } = query;
      const all = await kept(set, decoding);
      const rows = idsOf(all).map((id) => {
        const places = all.files.map((file) => file.images.get(id));
        const f1 = places.map((place) => place?.f1 ?? null);
        return { id, objects: places.find((place) => place !== undefined)!.objects, f1 };
      });
      const part = image.toLowerCase();
      const passing = rows.filter(
        ({ id, objects }) =>
          id.toLowerCase().includes(part) && objects >= minObjects && objects <= maxObjects,
      );
      const known = (f1: readonly (number | null)[]) => f1.filter((value) => value !== null);
      const values = {
        objects: ({ objects }: (typeof rows)[number]) => objects,
        f1: ({ f1 }: (typeof rows)[number]) => known(f1).at(-1) ?? 0,
        change: ({ f1 }: (typeof rows)[number]) => (known(f1).at(-1) ?? 0) - (known(f1)[0] ?? 0),
      };
      if (sort !== "order") {
        const down = sort.startsWith("-");
        const value = values[(down ? sort.slice(1) : sort) as keyof typeof values];
        passing.sort((a, b) => (down ? value(b) - value(a) : value(a) - value(b)));
      }
      return {
        set,
        decoding,
        steps: all.steps,
        total: rows.length,
        matching: passing.length,
        offset,
        images: passing.slice(offset, offset + limit),
      };
    },

    async history(set, decoding, id) {
      const all = await kept(set, decoding);
      const ids = idsOf(all);
      const at = ids.indexOf(id);
      if (at < 0)
        throw new HttpError("not-found", `${run.id}: ${set}, ${decoding} holds no image ${id}`, {
          hint: "GET .../evaluations/images lists them.",
        });
      const records = await Promise.all(
        all.files.map(async ({ names, images }): Promise<EvaluatedImage | undefined> => {
          const place = images.get(id);
          if (place === undefined) return undefined;
          const line = await readSlice(run.path, names, place.start, place.length);
          return JSON.parse(line.toString("utf8")) as EvaluatedImage;
        }),
      );
      const first = records.find((record) => record !== undefined)!;
      const size = { width: first.width, height: first.height };
      const { look } = run.manifest.recipe.rewards;
      return {
        run: run.id,
        set,
        decoding,
        image: id,
        canvas: size,
        picture: imagePath(run.id, set, id),
        truth: {
          objects: first.truth.objects.map(({ box, label }) => ({ box: cornersOf(box), label })),
          ignore: first.truth.ignore.map(cornersOf),
        },
        steps: records.flatMap((record, i) => {
          if (record === undefined) return [];
          const heat = heatOfAnswers<"image">(
            size,
            record.responses.map(({ answer }) => answer.map(({ box }) => box)),
            look,
          );
          return [
            { step: all.steps[i]!, responses: record.responses.map(responseOf), ...(heat && { heat }) },
          ];
        }),
        previous: ids[at - 1] ?? null,
        next: ids[at + 1] ?? null,
      };
    },
  };
}

/** A kept response as the page shows it. */
export function responseOf(response: EvaluatedImage["responses"][number]): EvaluationResponse {
  const { text, look, answer, probabilities, at50, lookReward } = response;
  const share = (part: number, all: number, other: number) => (all > 0 ? part / all : other === 0 ? 1 : 0);
  return {
    text,
    stretches: textStretches(text),
    grade: response.grade,
    stopReason: response.stopReason,
    tokens: response.tokens,
    regions: look.map(cornersOf),
    answer: answer.map(({ box, label }, i) => ({
      box: cornersOf(box),
      ...(label !== undefined && { label }),
      ...(probabilities?.[i] && { probability: probabilities[i].mean }),
    })),
    matches: response.matches,
    precision: share(at50.truePositives, at50.predictions, at50.truths),
    recall: share(at50.truePositives, at50.truths, at50.predictions),
    f1: f1Of([at50]),
    format: response.format,
    accuracy: response.accuracy,
    ...(lookReward !== undefined && { look: lookReward }),
  };
}
