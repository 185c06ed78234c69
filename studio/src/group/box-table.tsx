/** @file Every box of a picture as a row of words; a row and its box on the picture point at each other. */
import { GlyphSign } from "../overlay/glyph.js";
import { styleOf, type Mark } from "../overlay/marks.js";
import type { Pointed } from "../overlay/overlay.js";

const layers = [
  { layer: "answer", name: "Answers", none: "No answer box." },
  { layer: "truth", name: "Objects", none: "Nothing to find in this picture." },
  { layer: "look", name: "Look regions", none: "Nothing was looked at." },
] as const;

/** Counts by state, such as "5 hit, 2 false alarm". */
function counts(marks: readonly Mark[]): string {
  const by = new Map<string, number>();
  for (const mark of marks) {
    const name = styleOf(mark).name.split(", ")[1];
    if (name !== undefined) by.set(name, (by.get(name) ?? 0) + 1);
  }
  return [...by].map(([name, count]) => `${count} ${name}`).join(", ");
}

/** Lists by layer, each folded once it is long. */
export function BoxTable({
  marks,
  pointed,
  onPointed,
  only,
}: {
  readonly marks: readonly Mark[];
  readonly pointed: Pointed;
  readonly onPointed: (pointed: Pointed) => void;
  /** Layers to list. @default all */
  readonly only?: readonly (typeof layers)[number]["layer"][];
}) {
  return (
    <div class="stack-s">
      {layers.map(({ layer, name, none }) => {
        if (only?.includes(layer) === false) return null;
        const rows = marks.filter((mark) => mark.layer === layer);
        return (
          <details key={layer} class="box-list" open={layer !== "truth"}>
            <summary>
              {name} <span class="muted">{rows.length}</span>
              {rows.length > 0 && <span class="muted small"> {counts(rows)}</span>}
            </summary>
            {rows.length === 0 ? (
              <p class="muted small">{none}</p>
            ) : (
              <ul>
                {rows.map((mark) => {
                  const on = mark.id === pointed.selected || mark.id === pointed.hovered;
                  return (
                    <li key={mark.id}>
                      <button
                        type="button"
                        class={`box-row${on ? " box-row-on" : ""}`}
                        aria-pressed={mark.id === pointed.selected}
                        onPointerEnter={() => onPointed({ ...pointed, hovered: mark.id })}
                        onPointerLeave={() => onPointed({ ...pointed, hovered: undefined })}
                        onClick={() => onPointed(mark.id === pointed.selected ? {} : { selected: mark.id })}
                      >
                        <span class={`box-sign box-sign-${mark.layer}`} aria-hidden="true">
                          <GlyphSign glyph={styleOf(mark).glyph} />
                        </span>
                        <span>{mark.words}</span>
                      </button>
                    </li>
                  );
                })}
              </ul>
            )}
          </details>
        );
      })}
    </div>
  );
}
