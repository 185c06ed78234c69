/** @file Moving about a picture: wheel, pinch, drag and keys, all turned into one viewport. */
import type { RefObject } from "preact";
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import {
  clampViewport,
  fitViewport,
  panViewport,
  revealBox,
  zoomViewport,
  type Point,
  type Size,
  type Viewport,
} from "./viewport.js";
import type { Box } from "../../../src/geometry/box.js";

/** One press of + or - or of a button. */
const STEP = 1.4;
/** CSS pixels an arrow key moves. */
const ARROW = 48;
/** Pointers that moved less than this have clicked, CSS pixels. */
const CLICK = 5;

/** A viewport and what changes it. */
export interface ViewportControl {
  readonly view: Viewport;
  /** Whether the whole picture is shown at its fitted size. */
  readonly fitted: boolean;
  readonly zoom: (factor: number, about?: Point) => void;
  readonly fit: () => void;
  readonly reveal: (box: Box) => void;
  /** Handles + - 0 and arrows; says whether the key was one of them. */
  readonly key: (event: KeyboardEvent) => boolean;
}

/** A change of two pointers' distance and middle. */
function spread(pointers: readonly Point[]): { readonly distance: number; readonly middle: Point } {
  const [a, b] = [pointers[0]!, pointers[1]!];
  return {
    distance: Math.hypot(a.x - b.x, a.y - b.y),
    middle: { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 },
  };
}

/**
 * The viewport of a stage, with its pointer and wheel handlers attached to the element.
 * @param onPoint the pointer is over this point of the stage, or has left (undefined)
 * @param onClick the stage was clicked or tapped there
 */
export function useViewport(
  element: RefObject<HTMLElement | null>,
  scene: Size,
  stage: Size,
  handlers: {
    readonly onPoint: (at: Point | undefined) => void;
    readonly onClick: (at: Point) => void;
  },
): ViewportControl {
  // Nothing chosen = fitted, whatever the size of the stage becomes.
  const [chosen, setChosen] = useState<Viewport>();
  const view = chosen === undefined ? fitViewport(scene, stage) : clampViewport(chosen, scene, stage);
  const now = useRef({ view, scene, stage, handlers, chosen });
  now.current = { view, scene, stage, handlers, chosen };

  useEffect(() => setChosen(undefined), [scene.width, scene.height]);

  const change = useCallback((next: (view: Viewport, scene: Size, stage: Size) => Viewport) => {
    const { view: from, scene: whole, stage: room } = now.current;
    const to = next(from, whole, room);
    // Several events may come before the component is drawn again.
    now.current = { ...now.current, view: to, chosen: to };
    setChosen(to);
  }, []);
  const zoom = useCallback(
    (factor: number, about?: Point) =>
      change((from, whole, room) =>
        zoomViewport(from, factor, about ?? { x: room.width / 2, y: room.height / 2 }, whole, room),
      ),
    [change],
  );
  const fit = useCallback(() => setChosen(undefined), []);
  const reveal = useCallback(
    (box: Box) => {
      if (now.current.chosen !== undefined) change((from, whole, room) => revealBox(from, box, whole, room));
    },
    [change],
  );

  useEffect(() => {
    const target = element.current;
    if (target === null) return;
    const place = ({ clientX, clientY }: { clientX: number; clientY: number }): Point => {
      const { left, top } = target.getBoundingClientRect();
      return { x: clientX - left, y: clientY - top };
    };
    const pointers = new Map<number, Point>();
    let moved = 0;
    let pinched = false;

    const down = (event: PointerEvent) => {
      if (event.button !== 0) return;
      pointers.set(event.pointerId, place(event));
      if (pointers.size === 1) [moved, pinched] = [0, false];
      else pinched = true;
    };
    const move = (event: PointerEvent) => {
      const at = place(event);
      const before = pointers.get(event.pointerId);
      if (before === undefined) {
        now.current.handlers.onPoint(at);
        return;
      }
      const from = [...pointers.values()];
      pointers.set(event.pointerId, at);
      moved += Math.hypot(at.x - before.x, at.y - before.y);
      if (pointers.size >= 2) {
        const [old, next] = [spread(from), spread([...pointers.values()])];
        if (old.distance > 0) zoom(next.distance / old.distance, next.middle);
        const by = { x: next.middle.x - old.middle.x, y: next.middle.y - old.middle.y };
        change((current, whole, room) => panViewport(current, by, whole, room));
      } else if (moved > CLICK && now.current.chosen !== undefined) {
        if (!target.hasPointerCapture(event.pointerId)) target.setPointerCapture(event.pointerId);
        const by = { x: at.x - before.x, y: at.y - before.y };
        change((current, whole, room) => panViewport(current, by, whole, room));
      }
    };
    const up = (event: PointerEvent) => {
      const there = pointers.delete(event.pointerId);
      if (there && moved <= CLICK && !pinched && event.type === "pointerup")
        now.current.handlers.onClick(place(event));
    };
    const leave = () => now.current.handlers.onPoint(undefined);
    const wheel = (event: WheelEvent) => {
      // The page scrolls under the wheel until the picture has been entered; pinching a trackpad comes as Ctrl + wheel.
      const entered = target.contains(document.activeElement);
      if (!(event.ctrlKey || event.metaKey || entered)) return;
      // At the whole picture, turning further out is meant for the page.
      if (event.deltaY > 0 && now.current.chosen === undefined && !event.ctrlKey) return;
      event.preventDefault();
      const pixels = event.deltaY * (event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1);
      zoom(Math.exp(-pixels * (event.ctrlKey ? 0.01 : 0.002)), place(event));
      const { view: at, scene: whole, stage: room } = now.current;
      if (at.scale <= fitViewport(whole, room).scale * 1.001 && event.deltaY > 0) setChosen(undefined);
    };
    target.addEventListener("pointerdown", down);
    target.addEventListener("pointermove", move);
    target.addEventListener("pointerup", up);
    target.addEventListener("pointercancel", up);
    target.addEventListener("pointerleave", leave);
    target.addEventListener("wheel", wheel, { passive: false });
    return () => {
      target.removeEventListener("pointerdown", down);
      target.removeEventListener("pointermove", move);
      target.removeEventListener("pointerup", up);
      target.removeEventListener("pointercancel", up);
      target.removeEventListener("pointerleave", leave);
      target.removeEventListener("wheel", wheel);
    };
  }, [element, change, zoom]);

  const key = (event: KeyboardEvent): boolean => {
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    if (event.key === "+" || event.key === "=") zoom(STEP);
    else if (event.key === "-" || event.key === "_") zoom(1 / STEP);
    else if (event.key === "0") fit();
    else {
      const arrow: Point | undefined = {
        ArrowLeft: { x: ARROW, y: 0 },
        ArrowRight: { x: -ARROW, y: 0 },
        ArrowUp: { x: 0, y: ARROW },
        ArrowDown: { x: 0, y: -ARROW },
      }[event.key];
      // Of a whole picture there is nowhere to go: the arrows are left to the page.
      if (arrow === undefined || chosen === undefined) return false;
      change((from, whole, room) => panViewport(from, arrow, whole, room));
    }
    event.preventDefault();
    event.stopPropagation();
    return true;
  };
  return { view, fitted: chosen === undefined, zoom, fit, reveal, key };
}
