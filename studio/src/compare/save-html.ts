/** @file Puts the HTML file of a comparison together: figures drawn for paper, the images of the page with their pictures. */
import type { Comparison, CompareImages } from "../../../src/server/studio/compare-api.js";
import { pictureUrl } from "../api.js";
import { sceneSvg } from "../charts/scene.js";
import { count } from "../format.js";
import type { Layer } from "../overlay/marks.js";
import { svgOf } from "../overlay/svg.js";
import { comparisonHtml, type HtmlExport } from "./export-html.js";
import { paperScene } from "./figure-card.js";
import { overviewFigures, setFigures } from "./figure-list.js";
import { gainWords, sideBySide } from "./side-by-side.js";

/** Longer sides are scaled down: a page of photographs must stay a file that can be mailed. */
const LONGEST = 900;

/** The picture as a data: URL, scaled down where it is large; nothing where it is gone. */
async function embedded(url: string): Promise<string | undefined> {
  const image = new Image();
  image.src = url;
  try {
    await image.decode();
  } catch {
    return undefined;
  }
  const { naturalWidth: width, naturalHeight: height } = image;
  const scale = Math.min(1, LONGEST / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(scale * width));
  canvas.height = Math.max(1, Math.round(scale * height));
  canvas.getContext("2d")!.drawImage(image, 0, 0, canvas.width, canvas.height);
  // Small ones without loss: their pixels are seen one by one.
  return Math.max(width, height) <= 512
    ? canvas.toDataURL("image/png")
    : canvas.toDataURL("image/jpeg", 0.85);
}

/** In one document no two clip paths may have one name. */
export function withOwnIds(svg: string, prefix: string): string {
  return svg.replaceAll(/(id="|url\(#)c(\d+)/g, `$1${prefix}c$2`);
}

/** The file's text. */
export async function comparisonFile(input: {
  readonly comparison: Comparison;
  readonly names: readonly string[];
  readonly set: string;
  readonly images?: CompareImages;
  readonly chosen: string;
  readonly layers?: ReadonlySet<Layer>;
  readonly made: string;
}): Promise<string> {
  const { comparison, names, set, images, chosen, made } = input;
  const figures = [
    ...overviewFigures(comparison, names),
    ...comparison.sets.flatMap((one) => setFigures(comparison, one, names)),
  ].map((figure) => ({ title: figure.title, svg: sceneSvg(paperScene(figure)).trim() }));
  const pictures: HtmlExport["pictures"][number][] = [];
  for (const [i, image] of (images?.images ?? []).entries()) {
    const { shapes, width, height, unit } = sideBySide(image, { names, response: 0 });
    const title = `${set}, ${image.id}`;
    const svg = svgOf(shapes, {
      width,
      height,
      unit,
      title: `${title}: ${names.join(", ")}`,
      picture: await embedded(pictureUrl(image.picture)),
    });
    pictures.push({
      title,
      caption: `${count(image.truth.objects.length, "object")}, ${gainWords(image)}`,
      svg: withOwnIds(svg, `p${i}`).trim(),
    });
  }
  return comparisonHtml({ comparison, names, made, figures, pictures, chosen });
}
