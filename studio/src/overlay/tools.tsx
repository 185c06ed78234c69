/** @file The controls over a picture: zoom, layers, heat, pixels, saving. */
import type { Layer } from "./marks.js";

/** What is shown of a picture, beside where. */
export interface Shown {
  readonly layers: ReadonlySet<Layer>;
  /** 0..1 */
  readonly heatOpacity: number;
  readonly tags: boolean;
  /** Pixels of the picture blended instead of square. */
  readonly smooth: boolean;
}

/** What is shown at first: all boxes; heat on request. */
export const defaultShown: Shown = {
  layers: new Set<Layer>(["ignore", "look", "truth", "answer"]),
  heatOpacity: 0.7,
  tags: true,
  smooth: false,
};

const names: Readonly<Record<Layer, string>> = {
  answer: "Answers",
  truth: "Objects",
  look: "Look",
  ignore: "Ignore",
  heat: "Disagreement",
};

/** Front to back, as people think of them. */
const ORDER: readonly Layer[] = ["answer", "truth", "look", "ignore", "heat"];

/** Properties of {@link Tools}. */
export interface ToolsProps {
  readonly shown: Shown;
  readonly onShown: (shown: Shown) => void;
  /** Layers that there is something in. */
  readonly available: ReadonlySet<Layer>;
  readonly zoomed: number;
  readonly onZoom: (factor: number) => void;
  readonly onFit: () => void;
  readonly onSave: (kind: "png" | "svg") => void;
}

/** The row of controls. */
export function Tools(props: ToolsProps) {
  const { shown, onShown, available, zoomed, onZoom, onFit, onSave } = props;
  const toggle = (layer: Layer) => {
    const layers = new Set(shown.layers);
    if (!layers.delete(layer)) layers.add(layer);
    onShown({ ...shown, layers });
  };
  return (
    <div class="overlay-tools">
      <div class="overlay-layers" role="group" aria-label="Layers">
        {ORDER.filter((layer) => available.has(layer)).map((layer) => (
          <button
            key={layer}
            type="button"
            class={`overlay-layer overlay-layer-${layer}`}
            aria-pressed={shown.layers.has(layer)}
            onClick={() => toggle(layer)}
          >
            <span class="overlay-layer-sign" aria-hidden="true" />
            {names[layer]}
          </button>
        ))}
        {available.has("heat") && shown.layers.has("heat") && (
          <label class="overlay-opacity">
            <span class="sr-only">Strength of the disagreement map</span>
            <input
              type="range"
              min="0.1"
              max="1"
              step="0.05"
              value={shown.heatOpacity}
              aria-valuetext={`${Math.round(100 * shown.heatOpacity)} percent`}
              onInput={(event) => onShown({ ...shown, heatOpacity: Number(event.currentTarget.value) })}
            />
          </label>
        )}
      </div>
      <div class="overlay-buttons">
        <button
          type="button"
          class="overlay-tool"
          aria-pressed={shown.tags}
          title="Numbers and signs beside boxes"
          onClick={() => onShown({ ...shown, tags: !shown.tags })}
        >
          Tags
        </button>
        <button
          type="button"
          class="overlay-tool"
          aria-pressed={shown.smooth}
          title="Blend the picture's pixels where it is enlarged"
          onClick={() => onShown({ ...shown, smooth: !shown.smooth })}
        >
          Smooth
        </button>
        <span class="overlay-gap" />
        <button type="button" class="overlay-tool" aria-label="Zoom out" title="Zoom out (-)" onClick={() => onZoom(1 / 1.4)}>
          −
        </button>
        <button type="button" class="overlay-tool overlay-percent" aria-label={`Show the whole picture; now at ${zoomed} percent`} title="Show the whole picture (0)" onClick={onFit}>
          {zoomed}%
        </button>
        <button type="button" class="overlay-tool" aria-label="Zoom in" title="Zoom in (+)" onClick={() => onZoom(1.4)}>
          +
        </button>
        <span class="overlay-gap" />
        <button type="button" class="overlay-tool" title="Save what is shown as PNG" onClick={() => onSave("png")}>
          PNG
        </button>
        <button type="button" class="overlay-tool" title="Save what is shown as SVG" onClick={() => onSave("svg")}>
          SVG
        </button>
      </div>
    </div>
  ); // prettier-ignore
}
