/** @file One image with its ground truth: what every reader gives and everything else takes. */
import type { RgbImage } from "../base/rgb-image.js";
import type { Box } from "../geometry/box.js";

/** Where the pixels are: a file still to be decoded, or a picture already in memory (generated scenes). */
export type ImageSource =
  { readonly kind: "file"; readonly path: string } | { readonly kind: "pixels"; readonly image: RgbImage };

/** What only one dataset knows of an object, under the dataset's own names: `occlusion`, `truncation`, `category`. */
export type Attributes = Readonly<Record<string, string | number | boolean>>;

/** One annotated instance. */
export interface GroundTruthObject {
  /** Full extent, in pixels of the original image; may leave the image where the dataset's boxes are amodal. */
  readonly box: Box<"image">;
  /** The visible part, where the dataset tells. */
  readonly visible?: Box<"image">;
  /** The head, where the dataset tells (CrowdHuman). */
  readonly head?: Box<"image">;
  /** Share of the object that can be seen, 0..1, where the dataset tells (1 - occlusion). */
  readonly visibility?: number;
  readonly label: string;
  /** The dataset's own id of the instance; in videos the same from frame to frame (track). */
  readonly id?: string;
  readonly attributes?: Attributes;
}

/** One image and all that is known about it. */
export interface Sample {
  /** Unique within its dataset. */
  readonly id: string;
  readonly image: ImageSource;
  /** Size of the original image in pixels. */
  readonly width: number;
  readonly height: number;
  readonly objects: readonly GroundTruthObject[];
  /** Regions where neither a hit nor a false alarm counts. */
  readonly ignore: readonly Box<"image">[];
  /**
   * What each region of `ignore` is in the dataset's own words (`mask`, `crowd`, `group`, `distractor`, or the label of
   * an object that does not count); as long as `ignore`, "" where the dataset does not say.
   */
  readonly ignoreLabels?: readonly string[];
}

/** What is known of an image whose picture may not even be named: all that rewards and metrics need. */
export interface SampleTruth extends Omit<Sample, "image"> {
  readonly image?: ImageSource;
}
