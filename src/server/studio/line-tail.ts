/**
 * @file Follows a file that grows by lines: each refresh reads what was appended since, whole lines only. A resumed run cuts
 * its files back and writes on; that is noticed, and the file read anew under another epoch.
 */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { openInside } from "./safe-file.js";

/** What is done with the lines. */
export interface LineSink {
  /** Forget all lines: the file begins anew. */
  reset(): void;
  /** Whole lines, each with its line feed; `at` is the offset of the first in the file, bytes. */
  take(lines: Buffer, at: number): void;
}

/** A followed file. */
export interface LineTail {
  /** Counts how often the file was cut back or replaced. */
  readonly epoch: number;
  /** Bytes of whole lines that were handed over. */
  readonly offset: number;
  /** Hands over what was appended; true where anything changed. Calls made meanwhile share the work. */
  refresh(): Promise<boolean>;
}

/** Bytes read at once: enough to be fast, little enough to let other requests in between. */
const CHUNK = 4 * 2 ** 20;
/** Bytes before the offset that must be as they were; else the file was cut back and has grown past it again. */
const WITNESS = 256;

/**
 * Follows `names` below `root`, which need not be there yet.
 * @throws HttpError (by refresh) for a link that leaves the folder
 */
export function createLineTail(root: string, names: readonly string[], sink: LineSink): LineTail {
  let epoch = 0;
  let offset = 0;
  let witness = Buffer.alloc(0);
  let seen = "";
  let running: Promise<boolean> | undefined;

  const reset = () => {
    if (offset > 0) epoch++;
    offset = 0;
    witness = Buffer.alloc(0);
    sink.reset();
  };

  const stampOf = ({ ino, size, mtimeMs }: { ino: number; size: number; mtimeMs: number }) =>
    `${ino} ${size} ${mtimeMs}`;

  async function read(): Promise<boolean> {
    // Most looks find nothing new: one question to the system is enough for them.
    const there = await stat(join(root, ...names)).catch(() => undefined);
    if (there !== undefined && stampOf(there) === seen) return false;
    const file = await openInside(root, names);
    if (file === undefined) {
      const had = offset > 0;
      if (had) reset();
      seen = "";
      return had;
    }
    try {
      const { handle, stats } = file;
      const now = stampOf(stats);
      let changed = false;
      const before = Buffer.alloc(witness.length);
      if (stats.size >= offset) await handle.read(before, 0, before.length, offset - before.length);
      if (stats.size < offset || !before.equals(witness)) {
        reset();
        changed = true;
      }
      let size = CHUNK;
      while (offset < stats.size) {
        const buffer = Buffer.allocUnsafe(Math.min(size, stats.size - offset));
        const { bytesRead } = await handle.read(buffer, 0, buffer.length, offset);
        const end = buffer.lastIndexOf(0x0a, bytesRead - 1) + 1;
        if (end === 0) {
          // A line longer than what was read, or a torn end that the writer has yet to finish.
          if (bytesRead < buffer.length || offset + bytesRead >= stats.size) break;
          size *= 2;
          continue;
        }
        const lines = buffer.subarray(0, end);
        sink.take(lines, offset);
        offset += end;
        witness = Buffer.from(lines.subarray(Math.max(0, end - WITNESS)));
        changed = true;
      }
      seen = now;
      return changed;
    } finally {
      await file.handle.close();
    }
  }

  return {
    get epoch() {
      return epoch;
    },
    get offset() {
      return offset;
    },
    refresh() {
      running ??= read().finally(() => (running = undefined));
      return running;
    },
  };
}

/** Calls with the bounds [start, end) of every line, its line feed left out; blank lines are skipped. */
export function eachLine(lines: Buffer, visit: (start: number, end: number) => void): void {
  for (let start = 0; start < lines.length;) {
    const end = lines.indexOf(0x0a, start);
    const stop = end < 0 ? lines.length : end;
    if (stop > start) visit(start, stop);
    start = stop + 1;
  }
}
