/** @file COCO's average precision and recall (equal to pycocotools' twelve numbers), for images in memory. */
import { CocoArea, evaluateCoco } from "./coco/evaluate.js";
import { tableOfImages, type CocoImage } from "./coco/objects.js";

export type { CocoImage } from "./coco/objects.js";

/** Options of {@link cocoAp}. */
export interface CocoOptions {
  /** Best detections kept an image and label. COCO's own 100 cuts crowds short. @default 500 */
  readonly maxDetections?: number;
}

/**
 * COCO's summary. Means over labels, IoU .50:.05:.95 where no threshold is named; null where nothing could be measured
 * (pycocotools prints -1).
 */
export interface CocoSummary {
  readonly ap: number | null;
  readonly ap50: number | null;
  readonly ap75: number | null;
  /** Area below 32^2, between, above 96^2 square pixels. */
  readonly apSmall: number | null;
  readonly apMedium: number | null;
  readonly apLarge: number | null;
  /** Average recall with 1, 10 and `maxDetections` detections an image. */
  readonly ar1: number | null;
  readonly ar10: number | null;
  readonly arMax: number | null;
  readonly arSmall: number | null;
  readonly arMedium: number | null;
  readonly arLarge: number | null;
  readonly maxDetections: number;
}

/**
 * COCO's twelve numbers.
 *
 * @example
 * cocoAp([{ truths: [{ box: box(0, 0, 9, 9), label: "person" }], detections: [{ box: box(0, 0, 9, 9), label: "person", score: 1 }] }]).ap // 1
 */
export function cocoAp(images: readonly CocoImage[], options: CocoOptions = {}): CocoSummary {
  const { maxDetections = 500 } = options;
  const { precision, recall } = evaluateCoco(tableOfImages(images), { maxDetections });
  return {
    ap: precision(),
    ap50: precision({ threshold: 0 }),
    ap75: precision({ threshold: 5 }),
    apSmall: precision({ area: CocoArea.small }),
    apMedium: precision({ area: CocoArea.medium }),
    apLarge: precision({ area: CocoArea.large }),
    ar1: recall({ maxDetections: 1 }),
    ar10: recall({ maxDetections: 10 }),
    arMax: recall(),
    arSmall: recall({ area: CocoArea.small }),
    arMedium: recall({ area: CocoArea.medium }),
    arLarge: recall({ area: CocoArea.large }),
    maxDetections,
  };
}
