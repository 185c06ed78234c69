/** @file A tag's sign beside words, by the same shapes as on the picture: no font need have it. */
import { glyphShapes } from "./display-list.js";
import type { Glyph } from "./marks.js";

const SIDE = 14;

/** The sign in the colour of the text around it; nothing for kinds without one. */
export function GlyphSign({ glyph }: { readonly glyph: Glyph }) {
  if (glyph === "none") return null;
  return (
    <svg class="overlay-glyph" width={SIDE} height={SIDE} viewBox={`0 0 ${SIDE} ${SIDE}`} aria-hidden="true">
      {glyphShapes(glyph, SIDE / 2, SIDE / 2).map((shape, index) => {
        if (shape.kind === "lines")
          return shape.runs.map((run, at) => (
            <polyline
              key={`${index} ${at}`}
              points={run.join(" ")}
              fill="none"
              stroke="currentColor"
              stroke-width={shape.stroke.width}
            />
          ));
        if (shape.kind === "rect")
          return (
            <rect
              key={index}
              {...shape.rect}
              fill="none"
              stroke="currentColor"
              stroke-width={shape.stroke?.width}
            />
          );
        if (shape.kind === "circle")
          return (
            <circle
              key={index}
              cx={shape.x}
              cy={shape.y}
              r={shape.radius}
              fill={shape.fill === undefined ? "none" : "currentColor"}
              stroke={shape.stroke === undefined ? "none" : "currentColor"}
              stroke-width={shape.stroke?.width}
            />
          );
        return null;
      })}
    </svg>
  );
}
