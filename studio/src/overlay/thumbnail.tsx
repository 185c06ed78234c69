/** @file A small overlay without tags or controls, for grids. */
import { useEffect, useMemo, useRef } from "preact/hooks";
import { displayList } from "./display-list.js";
import type { Layer, Mark } from "./marks.js";
import { paint, type Picture } from "./paint.js";
import { usePixelRatio, useWidth } from "./use-size.js";
import type { Size } from "./viewport.js";

/** What a thumbnail shows. */
export interface ThumbnailProps {
  readonly scene: Size;
  readonly picture: Picture;
  readonly marks: readonly Mark[];
  readonly layers?: ReadonlySet<Layer>;
}

/** The picture as wide as its place, with its marks; what it says must be said in words beside it. */
export function Thumbnail({ scene, picture, marks, layers }: ThumbnailProps) {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const width = useWidth(box);
  const ratio = usePixelRatio();
  const height = Math.round((width * scene.height) / scene.width);
  const unit = width / scene.width;
  const shapes = useMemo(
    () =>
      displayList({
        view: { scale: unit, x: 0, y: 0 },
        scene,
        marks,
        ...(layers && { layers }),
        tags: false,
        lineScale: 0.6,
      }),
    [unit, scene, marks, layers],
  );
  useEffect(() => {
    if (canvas.current === null || width === 0) return;
    paint(canvas.current, shapes, { width, height, ratio, unit, picture });
  }, [shapes, width, height, ratio, unit, picture]);
  return (
    <div ref={box} class="overlay-thumbnail" style={{ aspectRatio: `${scene.width} / ${scene.height}` }}>
      <canvas ref={canvas} aria-hidden="true" />
    </div>
  );
}
