/**
 * @file A picture with what the model looked at and answered, and what is there: pan, zoom, layers, boxes that can be
 * pointed at, tabbed through and heard, saved as it is shown. Holds no state of its own but where the view is; which box
 * is selected belongs to whoever shows the text beside it.
 */
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { displayList } from "./display-list.js";
import { stagePng, stageSvg } from "./export-picture.js";
import { Legend } from "./legend.js";
import { LAYERS, markAt, type HeatGrid, type Layer, type Mark } from "./marks.js";
import { paint, type Picture } from "./paint.js";
import { downloadBlob, fileName } from "../ui/download.js";
import { Tools, type Shown } from "./tools.js";
import { usePixelRatio, useWidth } from "./use-size.js";
import { useViewport } from "./use-viewport.js";
import { toScene, toStage, type Point, type Size } from "./viewport.js";
import "./overlay.css";

/** Which box is pointed at, by the id of its mark. */
export interface Pointed {
  readonly selected?: string | undefined;
  readonly hovered?: string | undefined;
}

/** Properties of {@link Overlay}. */
export interface OverlayProps {
  /** What the canvas is of, in words: "Response 3 of plaza-12". */
  readonly label: string;
  /** Name of saved files, without an ending. */
  readonly file: string;
  readonly scene: Size;
  readonly picture: Picture;
  readonly marks: readonly Mark[];
  readonly heat?: HeatGrid | undefined;
  readonly shown: Shown;
  readonly onShown: (shown: Shown) => void;
  readonly pointed: Pointed;
  readonly onPointed: (pointed: Pointed) => void;
}

/** Share of the window's height that a stage may take. */
const TALLEST = 0.74;

/** The picture with its tools and legend. */
export function Overlay(props: OverlayProps) {
  const { label, file, scene, picture, marks, heat, shown, onShown, pointed, onPointed } = props;
  const stageElement = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const width = useWidth(stageElement);
  const ratio = usePixelRatio();
  const [problem, setProblem] = useState<string>();
  const height = Math.round(
    Math.min((width * scene.height) / scene.width, Math.max(260, TALLEST * window.innerHeight)),
  );
  const stage = { width: Math.max(1, width), height: Math.max(1, height) };
  const visible = useMemo(() => marks.filter(({ layer }) => shown.layers.has(layer)), [marks, shown.layers]);
  const available = useMemo(() => {
    const there = new Set<Layer>(marks.map(({ layer }) => layer));
    if (heat !== undefined) there.add("heat");
    return there;
  }, [marks, heat]);

  const at = (point: Point, after?: string) =>
    markAt(visible, toScene(control.view, point), {
      slack: 3 / control.view.scale,
      ...(after !== undefined && { after }),
    })?.id;
  const control = useViewport(stageElement, scene, stage, {
    onPoint: (point) => {
      const hovered = point === undefined ? undefined : at(point);
      if (hovered !== pointed.hovered) onPointed({ ...pointed, hovered });
    },
    onClick: (point) => onPointed({ hovered: pointed.hovered, selected: at(point, pointed.selected) }),
  });
  const { view } = control;

  const shapes = useMemo(
    () =>
      displayList({
        view,
        scene,
        marks,
        heat,
        layers: shown.layers,
        heatOpacity: shown.heatOpacity,
        tags: shown.tags,
        smooth: shown.smooth,
        selected: pointed.selected,
        hovered: pointed.hovered,
      }),
    [view.scale, view.x, view.y, scene, marks, heat, shown, pointed.selected, pointed.hovered],
  );
  useEffect(() => {
    if (canvas.current !== null && width > 0)
      paint(canvas.current, shapes, { ...stage, ratio, unit: view.scale, picture });
  }, [shapes, width, height, ratio, picture]);

  // A box that was chosen in the text comes into sight.
  useEffect(() => {
    const mark = marks.find(({ id }) => id === pointed.selected);
    if (mark !== undefined) control.reveal(mark.box);
  }, [pointed.selected]);

  const save = async (kind: "png" | "svg") => {
    const what = { shapes, ...stage, unit: view.scale, picture, title: label };
    try {
      downloadBlob(`${fileName(file)}.${kind}`, kind === "svg" ? stageSvg(what) : await stagePng(what));
      setProblem(undefined);
    } catch (error) {
      setProblem(`Not saved: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  const about = marks.find(({ id }) => id === (pointed.selected ?? pointed.hovered));
  const ordered = useMemo(
    () => visible.toSorted((a, b) => LAYERS.indexOf(b.layer) - LAYERS.indexOf(a.layer)),
    [visible],
  );
  return (
    <section class="overlay" aria-label={label}>
      <Tools
        shown={shown}
        onShown={onShown}
        available={available}
        zoomed={Math.round(100 * view.scale)}
        onZoom={control.zoom}
        onFit={control.fit}
        onSave={(kind) => void save(kind)}
      />
      <div
        ref={stageElement}
        class={`overlay-stage${control.fitted ? "" : " overlay-zoomed"}`}
        style={{ height: `${stage.height}px` }}
        tabIndex={0}
        role="group"
        aria-label={`${label}: ${visible.length} boxes. Plus and minus zoom, 0 shows the whole, arrows move, Tab goes through the boxes.`}
        onKeyDown={(event) => {
          if (event.key === "Escape" && pointed.selected !== undefined) onPointed({});
          else control.key(event);
        }}
      >
        <canvas ref={canvas} aria-hidden="true" />
        <ul class="overlay-boxes" aria-label="Boxes">
          {ordered.map((mark) => {
            const { x, y, width: wide, height: high } = toStage(view, mark.box);
            return (
              <li key={mark.id}>
                <button
                  type="button"
                  aria-label={mark.words}
                  aria-pressed={pointed.selected === mark.id}
                  style={{ left: `${x}px`, top: `${y}px`, width: `${wide}px`, height: `${high}px` }}
                  onFocus={() => onPointed({ selected: mark.id })}
                  onClick={() => onPointed({ selected: mark.id })}
                />
              </li>
            );
          })}
        </ul>
      </div>
      <p class="overlay-about" aria-live="polite">
        {problem ?? about?.words ?? <span class="muted">Point at a box, or press Tab, to read what it is.</span>}
      </p>
      <Legend marks={marks} layers={shown.layers} heat={heat !== undefined} />
    </section>
  ); // prettier-ignore
}
