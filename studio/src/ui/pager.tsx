/** @file Pages of a long list. */
import { count } from "../format.js";

/** @param props.word What is listed, in the singular. */
export function Pager({
  offset,
  size,
  total,
  word,
  onPage,
}: {
  readonly offset: number;
  readonly size: number;
  readonly total: number;
  readonly word: string;
  readonly onPage: (offset: number) => void;
}) {
  const last = Math.max(0, Math.floor((total - 1) / size) * size);
  const to = Math.min(offset + size, total);
  return (
    <nav class="row row-between" aria-label="Pages">
      <span class="small muted" role="status">
        {total === 0
          ? `No ${word}s`
          : `${(offset + 1).toLocaleString("en-US")} to ${to.toLocaleString("en-US")} of ${count(total, word)}`}
      </span>
      {total > size && (
        <span class="row">
          <button type="button" class="button" disabled={offset <= 0} onClick={() => onPage(0)}>
            First
          </button>
          <button
            type="button"
            class="button"
            disabled={offset <= 0}
            onClick={() => onPage(Math.max(0, offset - size))}
          >
            Previous
          </button>
          <button
            type="button"
            class="button"
            disabled={offset >= last}
            onClick={() => onPage(offset + size)}
          >
            Next
          </button>
          <button type="button" class="button" disabled={offset >= last} onClick={() => onPage(last)}>
            Last
          </button>
        </span>
      )}
    </nav>
  );
}
