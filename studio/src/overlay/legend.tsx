/** @file What the lines, glyphs and colours mean; drawn by the same code as the picture's marks. */
import { useEffect, useMemo, useRef } from "preact/hooks";
import { displayList } from "./display-list.js";
import { GlyphSign } from "./glyph.js";
import { heatGradient } from "./heat-colour.js";
import { legendOf, styleOf, type Layer, type Mark } from "./marks.js";
import { paint } from "./paint.js";
import { usePixelRatio } from "./use-size.js";

const SWATCH = { width: 44, height: 24 };

function Swatch({ layer, state }: Pick<Mark, "layer" | "state">) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const ratio = usePixelRatio();
  const shapes = useMemo(() => {
    const mark: Mark = {
      id: "",
      layer,
      state,
      box: { x1: 3, y1: 3, x2: SWATCH.width - 3, y2: SWATCH.height - 3 },
      number: 0,
      words: "",
    };
    return displayList({
      view: { scale: 1, x: 0, y: 0 },
      scene: SWATCH,
      marks: [mark],
      tags: false,
    }).slice(1);
  }, [layer, state]);
  useEffect(() => {
    if (canvas.current)
      paint(canvas.current, [{ kind: "rect", rect: { x: 0, y: 0, ...SWATCH }, fill: "#4a4e57" }, ...shapes], {
        ...SWATCH,
        ratio,
        unit: 1,
        picture: undefined,
      });
  }, [shapes, ratio]);
  return <canvas ref={canvas} style={SWATCH} aria-hidden="true" />;
}

/** Explains what is on a picture: only kinds that are there, those of hidden layers left out. */
export function Legend({
  marks,
  layers,
  heat,
}: {
  readonly marks: readonly Mark[];
  readonly layers: ReadonlySet<Layer>;
  readonly heat: boolean;
}) {
  const entries = useMemo(() => legendOf(marks).filter(({ layer }) => layers.has(layer)), [marks, layers]);
  return (
    <ul class="overlay-legend" aria-label="Legend">
      {entries.map(({ layer, state }) => {
        const style = styleOf({ layer, state });
        return (
          <li key={`${layer} ${state}`}>
            <Swatch layer={layer} state={state} />
            <GlyphSign glyph={style.glyph} />
            <span>{style.name}</span>
          </li>
        );
      })}
      {heat && layers.has("heat") && (
        <li>
          <span class="overlay-legend-bar">
            <span>agree</span>
            <span class="overlay-ramp" style={{ backgroundImage: heatGradient() }} aria-hidden="true" />
            <span>disagree most</span>
          </span>
        </li>
      )}
    </ul>
  );
}
