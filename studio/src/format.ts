/** @file Numbers, times and names as people read them. English, without locale surprises: figures go into papers. */

/** In place of a number that is not there. */
export const NOTHING = "–";

/** Present and finite. */
function known(value: number | null | undefined): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

/** Sign as typographers set it. */
const minus = (text: string) => text.replace(/^-/, "−").replace("e-", "e−").replace("e+", "e");

/**
 * A number of any size at a glance: 0.648, 12.3, 1,253, 6.2e−7.
 * @param digits Significant digits below 1000. @default 3
 */
export function number(value: number | null | undefined, digits = 3): string {
  if (!known(value)) return NOTHING;
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 1e7) return minus(value.toExponential(2));
  if (size >= 999.5) return minus(Math.round(value).toLocaleString("en-US"));
  if (size < 0.0005) return minus(value.toExponential(1));
  // Below 1, as many decimals as digits, so that a column of shares lines up.
  if (size < 1) return minus(value.toFixed(digits));
  return minus(value.toPrecision(digits));
}

/** As {@link number}, without zeros at the end: for labels of axes. */
export function tick(value: number): string {
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size >= 1e5 || size < 0.001) return minus(value.toExponential(2).replace(/\.?0+e/, "e"));
  return minus(Number(value.toPrecision(6)).toLocaleString("en-US", { maximumFractionDigits: 6 }));
}

/** Always three decimals: F1, precision, recall. */
export function score(value: number | null | undefined): string {
  return known(value) ? minus(value.toFixed(3)) : NOTHING;
}

/** 0.0156 as 1.6%. */
export function percent(value: number | null | undefined): string {
  if (!known(value)) return NOTHING;
  const size = Math.abs(value);
  return minus(`${(100 * value).toFixed(size === 0 || size === 1 || size >= 0.995 ? 0 : 1)}%`);
}

/** A difference with its sign: +0.053. */
export function signed(value: number | null | undefined, digits = 3): string {
  if (!known(value)) return NOTHING;
  const text = value.toFixed(digits);
  return Number(text) === 0 ? `±${(0).toFixed(digits)}` : value > 0 ? `+${text}` : minus(text);
}

/** "2 runs", "1 run". @param plural Where it is not the word and an s. */
export function count(amount: number, word: string, plural = `${word}s`): string {
  return `${amount.toLocaleString("en-US")} ${amount === 1 ? word : plural}`;
}

/** 42 s, 5 min 2 s, 3 h 20 min. */
export function duration(seconds: number): string {
  if (!known(seconds)) return NOTHING;
  const whole = Math.round(seconds);
  if (whole < 60) return `${seconds < 10 ? Number(seconds.toFixed(1)) : whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return whole % 60 === 0 ? `${minutes} min` : `${minutes} min ${whole % 60} s`;
  const hours = Math.floor(minutes / 60);
  return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
}

/** How long ago, roughly: "just now", "5 min ago", "yesterday", "12 Nov 2026". */
export function ago(iso: string, now: number): string {
  const time = Date.parse(iso);
  if (Number.isNaN(time)) return NOTHING;
  const minutes = Math.floor((now - time) / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${minutes} min ago`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ago`;
  const days = Math.floor(hours / 24);
  if (days < 7) return days === 1 ? "yesterday" : `${days} days ago`;
  return new Date(time).toLocaleDateString("en-GB", { day: "numeric", month: "short", year: "numeric" });
}

/** Date and time in full, of this machine's zone. */
export function dateTime(iso: string): string {
  const time = new Date(iso);
  return Number.isNaN(time.getTime())
    ? NOTHING
    : time.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
}

/** A name for a file from any text. */
export function fileName(...parts: readonly string[]): string {
  const safe = parts.map((part) => part.replaceAll(/[^\p{L}\p{N}.-]+/gu, "-").replaceAll(/^-+|-+$/g, ""));
  return (
    safe
      .filter((part) => part !== "")
      .join("-")
      .slice(0, 120) || "dip-r1"
  );
}

/** A leaf of a configuration in one line. */
export function leaf(value: unknown): string {
  if (value === undefined) return NOTHING;
  return typeof value === "string" ? value : JSON.stringify(value);
}
