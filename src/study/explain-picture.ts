/** @file An explanation of rewards as a picture: a panel a response, and one of where the group disagrees. */
import type { RgbImage } from "../base/rgb-image.js";
import type { Box } from "../geometry/box.js";
import type { BoxVerdict, ExplainedGroup, ExplainedResponse } from "../rewards/index.js";
import { renderPanels, type OverlayAnswer, type OverlayPanel } from "./overlay.js";

const verdicts: Record<BoxVerdict, OverlayAnswer["verdict"]> = {
  hit: "hit",
  duplicate: "miss",
  "false-positive": "miss",
  ignored: "ignored",
};

/** An even grey, for groups whose picture is not at hand. */
export function blankImage({ width, height }: { readonly width: number; readonly height: number }): RgbImage {
  return { width, height, data: new Uint8Array(3 * width * height).fill(88) };
}

function captionOf({ answer }: ExplainedResponse): string {
  const count = (verdict: BoxVerdict) => answer.boxes.filter((box) => box.verdict === verdict).length;
  return [
    `${count("hit")} hit`,
    `${answer.missed.length} missed`,
    `${count("false-positive")} false`,
    ...(count("duplicate") > 0 ? [`${count("duplicate")} double`] : []),
    ...(count("ignored") > 0 ? [`${count("ignored")} ignored`] : []),
  ].join(", ");
}

/** Options of {@link explainedPicture}. */
export interface ExplainedPictureOptions {
  /** The image the boxes are on, in its own pixels. @default an even grey */
  readonly image?: RgbImage;
  /** Responses to show. @default all */
  readonly only?: readonly number[];
}

/**
 * Draws a group: ground truth, answers by verdict, looks, and the variance map.
 * @param group boxes in pixels of the image
 * @returns a PNG
 */
export async function explainedPicture(
  group: ExplainedGroup<"image">,
  options: ExplainedPictureOptions = {},
): Promise<Buffer> {
  const { truth, responses, disagreement, uncertain } = group;
  const { image = blankImage(truth.size), only } = options;
  const shown = responses.filter(({ index }) => only?.includes(index) ?? true);
  const common = { image, truth: truth.objects.map(({ box }) => box as Box<"image">), ignore: truth.ignore };
  const panels: OverlayPanel[] = shown.map((response) => ({
    ...common,
    title: `${response.index}: ${response.total.toFixed(2)} = ${response.terms.map(({ adds }) => adds.toFixed(2)).join(" + ")}`,
    caption: captionOf(response),
    look: response.look.regions.map(({ box }) => box),
    answers: response.answer.boxes.map(({ box, verdict }) => ({ box, verdict: verdicts[verdict] })),
  }));
  const who = `${responses.length} responses`;
  if (disagreement !== undefined) panels.push({ image, title: `where ${who} disagree`, heat: disagreement });
  else panels.push({ image, title: `what ${who} are unsure of`, look: uncertain ?? [] });
  return renderPanels(panels, { columns: Math.min(3, panels.length), minSide: 420, maxSide: 640 });
}
