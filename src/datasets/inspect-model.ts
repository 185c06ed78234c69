/**
 * @file A dataset as one model meets it: the size and the scale of each picture after smart-resize, who becomes too
 * small to be seen there, and how many tokens the ground truth needs as a response. Needs annotations, no pixels.
 */
import { InputError } from "../base/errors.js";
import { answerSize, type CoordinateProfile } from "../geometry/profiles.js";
import { smartResize } from "../qwen/smart-resize.js";
import type { ImageProcessorConfig } from "../qwen/image-processor-config.js";
import type { ResponseStyle } from "../response/render.js";
import { ratio, summarise, type Summary } from "./inspect-numbers.js";
import { teacherResponse } from "./teacher.js";
import type { SampleTruth } from "./sample.js";

/** A person of fewer pixels than this in the model's picture is about one patch high: hardly more than a dot. */
export const SMALL_IN_MODEL = 16;

/** Longest responses that are tried where none is asked for. */
export const COMMON_MAX_TOKENS = [256, 512, 1024, 2048, 4096] as const;

/** What of a model decides sizes and lengths. */
export interface ModelView {
  readonly image: Pick<ImageProcessorConfig, "patchSize" | "mergeSize" | "minPixels" | "maxPixels">;
  /** Tokens of a response's text, without the one that ends it. */
  readonly countTokens: (text: string) => number;
  /** Tokens of a prompt beside those of its picture. */
  readonly promptTokens: number;
  /** What is to be found; objects of other labels are no part of a response. @default all */
  readonly labels?: readonly string[];
  /** Which numbers the model speaks: thousandths are shorter than the pixels of a large picture. @default "absolute" */
  readonly profile?: CoordinateProfile;
  /** How the teacher writes. @default "objects" */
  readonly style?: ResponseStyle;
  /** Longest responses to try, in tokens. @default {@link COMMON_MAX_TOKENS} */
  readonly maxTokens?: readonly number[];
}

/** How many images a limit on the response would cut off. */
export interface CutOff {
  readonly maxTokens: number;
  readonly images: number;
  readonly share: number;
}

/** What {@link modelInspector} found. */
export interface ModelReport {
  /** Images that smart-resize refuses (one side over 200 times the other); they are in no other number here. */
  readonly refused: number;
  /** Side of the model's picture over side of the original (geometric mean of the two axes), by image. */
  readonly scale: Summary;
  /** Images that the model sees smaller, and larger, than they are by over 5 % (less is the rounding to whole tokens). */
  readonly shrunk: number;
  readonly enlarged: number;
  /** Height of the full boxes in the model's picture, in its pixels. */
  readonly height: Summary;
  /** Objects under {@link SMALL_IN_MODEL} pixels high there. */
  readonly small: { readonly below: number; readonly objects: number; readonly share: number };
  readonly tokens: {
    /** Of the teacher's response, with the token that ends it, by image. */
    readonly response: Summary;
    /** Of the picture, by image. */
    readonly image: Summary;
    /** Prompt, picture and response together, by image. */
    readonly sequence: Summary;
    /** Of the prompt's text, the same for every image. */
    readonly prompt: number;
    /** What one more object costs: the mean response less one without an object, over the mean count. */
    readonly perObject: number;
  };
  readonly cutOff: readonly CutOff[];
}

/** Takes samples one by one; holds a few numbers of each. */
export interface ModelInspector {
  add(sample: SampleTruth): void;
  report(): ModelReport;
}

/** Starts looking at a dataset through a model's eyes. */
export function modelInspector(view: ModelView): ModelInspector {
  const factor = view.image.patchSize * view.image.mergeSize;
  const scales: number[] = [];
  const heights: number[] = [];
  const responses: number[] = [];
  const images: number[] = [];
  const sequences: number[] = [];
  let refused = 0;
  let objects = 0;
  const respond = (sample: SampleTruth, model: { width: number; height: number }) => {
    const { width, height } = answerSize(view.profile ?? "absolute", { image: sample, model });
    return teacherResponse(sample, {
      // The teacher writes on the canvas that it is given.
      modelSize: { width, height },
      ...(view.labels && { labels: view.labels }),
      ...(view.style && { style: view.style }),
    });
  };
  return {
    add(sample) {
      let size;
      try {
        size = smartResize(sample, view.image);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        refused++;
        return;
      }
      scales.push(Math.sqrt((size.width * size.height) / (sample.width * sample.height)));
      for (const { box, label } of sample.objects)
        if (view.labels === undefined || view.labels.includes(label))
          heights.push(((box.y2 - box.y1) * size.height) / sample.height);
      const { text, answer } = respond(sample, size);
      objects += answer.length;
      const response = view.countTokens(text) + 1;
      const image = (size.width / factor) * (size.height / factor);
      responses.push(response);
      images.push(image);
      sequences.push(view.promptTokens + image + response);
    },
    report() {
      const small = heights.filter((height) => height < SMALL_IN_MODEL).length;
      const response = summarise(responses);
      const empty = { id: "", width: factor, height: factor, objects: [], ignore: [] };
      const without = view.countTokens(respond(empty, empty).text) + 1;
      return {
        refused,
        scale: summarise(scales),
        shrunk: scales.filter((scale) => scale < 0.95).length,
        enlarged: scales.filter((scale) => scale > 1.05).length,
        height: summarise(heights),
        small: { below: SMALL_IN_MODEL, objects: small, share: ratio(small, heights.length) },
        tokens: {
          response,
          image: summarise(images),
          sequence: summarise(sequences),
          prompt: view.promptTokens,
          perObject: ratio((response.mean - without) * responses.length, objects),
        },
        cutOff: (view.maxTokens ?? COMMON_MAX_TOKENS).map((maxTokens) => {
          const cut = responses.filter((tokens) => tokens > maxTokens).length;
          return { maxTokens, images: cut, share: ratio(cut, responses.length) };
        }),
      };
    },
  };
}
