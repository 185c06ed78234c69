/**
 * @file What a model wrote, its sections and boxes coloured and linked with the picture. Model output is text: every
 * piece of it is a text node, whatever it looks like.
 */
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { TextStretch, TokenTrack } from "../../../src/server/studio/api.js";
import type { Pointed } from "../overlay/overlay.js";
import { textPieces, type BoxSpan } from "./text-pieces.js";
import { scaleEnds, tokenShade, type TextColour } from "./token-scale.js";

/** Properties of {@link ResponseText}. */
export interface ResponseTextProps {
  readonly text: string;
  readonly stretches: readonly TextStretch[];
  readonly boxes: readonly BoxSpan[];
  readonly pointed: Pointed;
  readonly onPointed: (pointed: Pointed) => void;
  /** Probability and the like by token; null where it was not recorded. */
  readonly track?: TokenTrack | null;
  /** @default "sections" */
  readonly colour?: TextColour;
  /** Of the group's token advantages. */
  readonly span?: number;
  /** More is being written. */
  readonly writing?: boolean;
}

function boxAt(event: Event): string | undefined {
  const target = event.target instanceof Element ? event.target.closest("[data-box]") : null;
  return target?.getAttribute("data-box") ?? undefined;
}

/** The text, and a legend where tokens are coloured. */
export function ResponseText(props: ResponseTextProps) {
  const { text, stretches, boxes, pointed, onPointed, track = null, span = 0, writing = false } = props;
  const colour = track === null ? "sections" : (props.colour ?? "sections");
  const box = useRef<HTMLDivElement>(null);
  const ends = colour === "sections" ? undefined : track?.ends;
  const pieces = useMemo(
    () => textPieces(text, { stretches, boxes, ...(ends && { ends }) }),
    [text, stretches, boxes, ends],
  );
  // The text scrolls within its own box: the picture beside it must not run away.
  useEffect(() => {
    const holder = box.current;
    const marked = pointed.selected;
    if (holder === null || marked === undefined) return;
    const piece = [...holder.querySelectorAll<HTMLElement>("[data-box]")].find(
      (one) => one.dataset.box === marked,
    );
    if (piece === undefined) return;
    const [outer, inner] = [holder.getBoundingClientRect(), piece.getBoundingClientRect()];
    if (inner.top < outer.top || inner.bottom > outer.bottom)
      holder.scrollTop += inner.top - outer.top - outer.height / 3;
  }, [pointed.selected]);
  useEffect(() => {
    if (writing && box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, [writing, text]);

  return (
    <div class="response-text">
      <div
        ref={box}
        class={`response-words response-by-${colour}`}
        tabIndex={0}
        role="region"
        aria-label="Text of the response"
        onPointerOver={(event) => onPointed({ ...pointed, hovered: boxAt(event) })}
        onPointerLeave={() => onPointed({ ...pointed, hovered: undefined })}
        onClick={(event) => {
          const id = boxAt(event);
          // Whoever marks text with the mouse does not mean to select a box.
          if (window.getSelection()?.isCollapsed !== false) onPointed({ ...pointed, selected: id });
        }}
      >
        {pieces.map((piece, at) => {
          const { kind, box: id, parts } = piece;
          const look = kind === "stray" && parts.every((part) => part.text.trim() === "") ? "blank" : kind;
          const on = id !== undefined && (id === pointed.selected || id === pointed.hovered);
          return (
            <span
              key={at}
              class={`piece piece-${look}${id === undefined ? "" : " piece-box"}${on ? " piece-on" : ""}`}
              {...(id !== undefined && { "data-box": id })}
            >
              {parts.map((part, index) => {
                const shade =
                  track === null || part.token === undefined
                    ? undefined
                    : tokenShade(track, part.token, colour, span);
                if (shade === undefined) return part.text;
                return (
                  <span
                    key={index}
                    class={`token token-${shade.side}`}
                    style={{ "--share": `${Math.round(55 * shade.share)}%` }}
                    title={shade.words}
                  >
                    {part.text}
                  </span>
                );
              })}
            </span>
          );
        })}
        {writing && <span class="response-caret" aria-hidden="true" />}
        {text === "" && !writing && <span class="muted">(nothing)</span>}
      </div>
      {colour !== "sections" && <TokenLegend colour={colour} span={span} />}
    </div>
  );
}

function TokenLegend({
  colour,
  span,
}: {
  readonly colour: Exclude<TextColour, "sections">;
  readonly span: number;
}) {
  const { low, high, sides } = scaleEnds(colour, span);
  const down = sides === 2 ? [1, 0.75, 0.5, 0.25] : [];
  return (
    <p class="token-legend small muted">
      <span>{low}</span>
      <span class="token-ramp" aria-hidden="true">
        {down.map((share) => (
          <span key={share} class="token token-down" style={{ "--share": `${55 * share}%` }} />
        ))}
        {[0, 0.25, 0.5, 0.75, 1].map((share) => (
          <span key={share} class="token token-up" style={{ "--share": `${55 * share}%` }} />
        ))}
      </span>
      <span>{high}</span>
      {sides === 2 && <span>(below the middle: dotted underline)</span>}
    </p>
  );
}
