/**
 * @file What a long run says while it works, behind an interface: silent in libraries and tests, a live line on a
 * terminal, plain lines elsewhere. Always on stderr by default: stdout belongs to results.
 */

/** From most to least that is shown. */
export type LogLevel = "debug" | "info" | "warn" | "silent";

/** Where messages go. */
export interface Logger {
  debug(message: string): void;
  info(message: string): void;
  /** The same warning is shown once. */
  warn(message: string): void;
  /** A line that replaces the one before on a terminal; elsewhere shown at most every few seconds. */
  progress(line: string): void;
  /** Ends the live line; the last progress stays visible. */
  endProgress(): void;
}

/** What a logger writes to; `process.stderr` fits. */
export interface LogStream {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

/** Options of {@link createLogger}. */
export interface LoggerOptions {
  /** @default process.stderr */
  readonly stream?: LogStream;
  /** @default "info" */
  readonly level?: LogLevel;
  /** Without a terminal, seconds between two progress lines. @default 10 */
  readonly plainInterval?: number;
  /** Milliseconds, for tests. @default Date.now */
  readonly now?: () => number;
}

const ORDER: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, silent: 3 };
const CLEAR_LINE = "\r\u001b[2K";

/** Cuts a line to `width` visible characters; colour codes take no room and are closed when cut. */
function cut(line: string, width: number): string {
  let visible = 0;
  for (let i = 0; i < line.length; i++) {
    if (line[i] === "\u001b") {
      const end = line.indexOf("m", i);
      if (end < 0) break;
      i = end;
    } else if (++visible > width) return line.slice(0, i) + "\u001b[0m";
  }
  return line;
}

/** A logger on a stream. */
export function createLogger(options: LoggerOptions = {}): Logger {
  const stream = options.stream ?? process.stderr;
  const level = ORDER[options.level ?? "info"];
  const now = options.now ?? Date.now;
  const interval = 1000 * (options.plainInterval ?? 10);
  const live = stream.isTTY === true;
  const warned = new Set<string>();
  let current: string | undefined;
  let shownAt = -Infinity;
  let pending: string | undefined;

  const print = (message: string) => {
    if (live && current !== undefined) stream.write(CLEAR_LINE);
    stream.write(message + "\n");
    if (live && current !== undefined) stream.write(cut(current, (stream.columns ?? 80) - 1));
  };
  const at = (wanted: LogLevel, message: string) => {
    if (ORDER[wanted] >= level) print(message);
  };
  return {
    debug: (message) => at("debug", message),
    info: (message) => at("info", message),
    warn(message) {
      if (warned.has(message)) return;
      warned.add(message);
      at("warn", `warning: ${message}`);
    },
    progress(line) {
      if (level > ORDER.info) return;
      if (live) {
        current = line;
        stream.write(CLEAR_LINE + cut(line, (stream.columns ?? 80) - 1));
      } else if (now() - shownAt >= interval) {
        shownAt = now();
        pending = undefined;
        stream.write(line + "\n");
      } else pending = line;
    },
    endProgress() {
      if (live && current !== undefined) stream.write("\n");
      else if (pending !== undefined) stream.write(pending + "\n");
      current = pending = undefined;
      shownAt = -Infinity;
    },
  };
}

/** Says nothing: the default of every library function that takes a logger. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  progress() {},
  endProgress() {},
};
