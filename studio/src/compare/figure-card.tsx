/** @file A figure on the page, drawn as wide as its place, with its files: PNG and SVG on white, CSV of its numbers. */
import { useMemo, useRef } from "preact/hooks";
import { scenePng, sceneSvg, type Scene, type Shape } from "../charts/scene.js";
import { fileName } from "../format.js";
import { useWidth } from "../overlay/use-size.js";
import { token, useTheme } from "../theme.js";
import { csv, downloadBlob, downloadText } from "../ui/download.js";
import { Menu } from "../ui/menu.js";
import type { CsvRow } from "./export-csv.js";
import { paperColours, type FigureColours, type FigureOptions } from "./figure-frame.js";

/** A figure of the page and of files. */
export interface Figure {
  readonly title: string;
  /** What it says, for those who cannot see it. */
  readonly words: string;
  readonly draw: (options: Omit<FigureOptions, "names">) => Scene;
  readonly rows: () => Iterable<CsvRow>;
}

/** Width of figures in files, pixels. */
export const PAPER_WIDTH = 640;

/** A figure's scene for files. */
export const paperScene = ({ draw }: Figure): Scene => draw({ width: PAPER_WIDTH, colours: paperColours });

const screenColours = (): FigureColours => ({
  background: token("--card"),
  ink: token("--ink"),
  muted: token("--muted"),
  grid: token("--grid"),
  series: token,
});

const at = (value: number) => Math.round(value * 100) / 100;
const path = (points: readonly (readonly [number, number])[]) =>
  points.map(([x, y], i) => `${i === 0 ? "M" : "L"}${at(x)} ${at(y)}`).join("");

function ShapeElement({ shape }: { readonly shape: Shape }) {
  switch (shape.kind) {
    case "line":
      return (
        <path
          d={shape.pieces.map(path).join("")}
          fill="none"
          stroke={shape.stroke}
          stroke-width={shape.width}
          stroke-linejoin="round"
          stroke-dasharray={shape.dash?.length ? shape.dash.join(" ") : undefined}
          stroke-opacity={shape.opacity}
        />
      );
    case "area":
      return <path d={`${path(shape.points)}Z`} fill={shape.fill} fill-opacity={shape.opacity} />;
    case "text":
      return (
        <text
          x={at(shape.x)}
          y={at(shape.y)}
          text-anchor={shape.anchor}
          font-size={shape.size}
          font-weight={shape.bold === true ? 600 : undefined}
          fill={shape.fill}
        >
          {shape.text}
        </text>
      );
  }
}

/** @param props.name What files are named after, beside the title. */
export function FigureCard({ figure, name }: { readonly figure: Figure; readonly name: string }) {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const shown = useTheme();
  const scene = useMemo(
    () => (width < 100 ? undefined : figure.draw({ width, colours: screenColours() })),
    [figure, width, shown],
  );
  const file = fileName(name, figure.title);
  return (
    <figure class="card compare-figure" aria-label={figure.title}>
      <div class="compare-figure-menu">
        <Menu label={`Save "${figure.title}"`}>
          <button
            type="button"
            class="button button-plain button-s"
            onClick={() => void scenePng(paperScene(figure)).then((png) => downloadBlob(`${file}.png`, png))}
          >
            PNG
          </button>
          <button
            type="button"
            class="button button-plain button-s"
            onClick={() => downloadText(`${file}.svg`, sceneSvg(paperScene(figure)), "image/svg+xml")}
          >
            SVG
          </button>
          <button
            type="button"
            class="button button-plain button-s"
            onClick={() => downloadText(`${file}.csv`, csv(figure.rows()), "text/csv")}
          >
            CSV
          </button>
        </Menu>
      </div>
      <div ref={box}>
        {scene && (
          <svg
            class="compare-svg"
            width={scene.width}
            height={scene.height}
            viewBox={`0 0 ${scene.width} ${scene.height}`}
            role="img"
            aria-label={`${figure.title}. ${figure.words}`}
          >
            {scene.shapes.map((shape, i) => (
              <ShapeElement key={i} shape={shape} />
            ))}
          </svg>
        )}
      </div>
    </figure>
  );
}
