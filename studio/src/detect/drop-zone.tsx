/** @file Where a picture comes in: dropped, pasted or chosen. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ACCEPTED, fileOf } from "./chosen-picture.js";

/** A place to drop pictures on; pasting works anywhere on the page. */
export function DropZone({
  onFile,
  children,
}: {
  readonly onFile: (file: File) => void;
  readonly children?: ComponentChildren;
}) {
  const input = useRef<HTMLInputElement>(null);
  const [over, setOver] = useState(false);
  const newest = useRef(onFile);
  newest.current = onFile;
  useEffect(() => {
    const paste = (event: ClipboardEvent) => {
      const file = fileOf(event.clipboardData);
      if (file === undefined) return;
      event.preventDefault();
      newest.current(file);
    };
    window.addEventListener("paste", paste);
    return () => window.removeEventListener("paste", paste);
  }, []);
  return (
    <div
      class={`drop-zone${over ? " drop-zone-over" : ""}${children === undefined ? " drop-zone-empty" : ""}`}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
      }}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        const file = fileOf(event.dataTransfer);
        if (file !== undefined) onFile(file);
      }}
    >
      {children}
      <div class="drop-words">
        <p>
          {children === undefined ? (
            <>
              <strong>Drop a picture here</strong>, paste one, or
            </>
          ) : (
            <span class="muted">Drop or paste another picture, or</span>
          )}
        </p>
        <button
          type="button"
          class={`button${children === undefined ? " button-primary" : ""}`}
          onClick={() => input.current?.click()}
        >
          Choose a file
        </button>
        <input
          ref={input}
          type="file"
          accept={ACCEPTED}
          class="sr-only"
          tabIndex={-1}
          aria-label="Picture"
          onChange={(event) => {
            const file = event.currentTarget.files?.[0];
            // The same file can be chosen again.
            event.currentTarget.value = "";
            if (file !== undefined) onFile(file);
          }}
        />
      </div>
    </div>
  );
}
