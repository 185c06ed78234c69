/**
 * @file What the index of groups needs of a line of rollouts.jsonl, without parsing the texts and boxes that make up most of
 * it: keys are looked for in the order in which they are written (src/runs/rollout-lines.ts), and a line of any other
 * order is parsed whole. Inside a JSON string a quote has a backslash before it, so `"grade":"` is never met in a text.
 */
import type { RolloutLine } from "../../runs/index.js";

/** A response in the index. */
export interface ScannedRollout {
  readonly step: number;
  readonly sample: string;
  /** Place in its group. */
  readonly index: number;
  readonly grade: string;
  readonly stopReason: string;
  /** Whether it looked anywhere. */
  readonly looked: boolean;
  readonly look: number;
  readonly total: number;
  /** Answer boxes, those that hit an object, and those in ignore regions. */
  readonly boxes: number;
  readonly hits: number;
  readonly ignored: number;
  /** Objects of the picture; only the first line of a group knows. */
  readonly objects: number;
}

const utf8 = (latin1: string): string =>
  /[\u0080-\u00ff]/.test(latin1) ? Buffer.from(latin1, "latin1").toString("utf8") : latin1;

function counted(matches: readonly number[]): Pick<ScannedRollout, "boxes" | "hits" | "ignored"> {
  let [hits, ignored] = [0, 0];
  for (const match of matches) {
    if (match >= 0) hits++;
    else if (match === -2) ignored++;
  }
  return { boxes: matches.length, hits, ignored };
}

/** The number that stands behind a key, from `from` on; NaN where the key is not there. */
function numberAfter(line: string, key: string, from: number): number {
  const at = line.indexOf(key, from);
  if (at < 0) return Number.NaN;
  const start = at + key.length;
  return Number(line.slice(start, line.indexOf(",", start)));
}

/** Matches [start, end) of a line, counted without a list of them. */
function countBetween(line: string, start: number, end: number): ReturnType<typeof counted> {
  if (start === end) return { boxes: 0, hits: 0, ignored: 0 };
  let [boxes, negative, ignored] = [1, 0, 0];
  for (let at = start; at < end; at++) {
    const letter = line[at];
    if (letter === ",") boxes++;
    else if (letter === "-") {
      negative++;
      if (line[at + 1] === "2") ignored++;
    }
  }
  return { boxes, hits: boxes - negative, ignored };
}

/**
 * By the places of the keys; nothing where they are not where they should be. Keys are looked for without the quote before
 * them: a search is fast where its first letter is rare.
 */
function scanQuickly(line: string): ScannedRollout | undefined {
  if (!line.startsWith('{"step":') || !line.endsWith('"}')) return undefined;
  const sampleAt = line.indexOf('sample":"') + 9;
  const indexAt = line.indexOf('index":', sampleAt);
  const gradeAt = line.indexOf('grade":"', indexAt) + 8;
  const regionsAt = line.indexOf('regions":[', gradeAt) + 10;
  const matchesAt = line.indexOf('matches":[', regionsAt) + 10;
  const matchesEnd = line.indexOf("]", matchesAt);
  const stopAt = line.indexOf('stopReason":"', matchesEnd) + 13;
  const inOrder = sampleAt > 9 && indexAt > sampleAt && gradeAt > indexAt && regionsAt > gradeAt && matchesAt > regionsAt && stopAt > matchesEnd; // prettier-ignore
  if (!inOrder || matchesEnd < matchesAt) return undefined;
  // `","` before the next key ends a text.
  const sample = line.slice(sampleAt, indexAt - 3);
  if (sample.includes("\\")) return undefined;
  const index = numberAfter(line, 'index":', indexAt);
  let objects = 0;
  if (index === 0) {
    const truthAt = line.indexOf('"truth":[', regionsAt);
    if (truthAt < 0 || truthAt > matchesAt) return undefined;
    const truth = `{${line.slice(truthAt, matchesAt - 12)}}`;
    objects = (JSON.parse(truth) as Pick<RolloutLine, "truth">).truth.length;
  }
  const scanned = {
    step: Number(line.slice(8, line.indexOf(",", 8))),
    sample: utf8(sample),
    index,
    grade: line.slice(gradeAt, line.indexOf('"', gradeAt)),
    stopReason: line.slice(stopAt, -2),
    looked: line[regionsAt] !== "]",
    look: numberAfter(line, 'look":', matchesEnd),
    total: numberAfter(line, 'total":', matchesEnd),
    ...countBetween(line, matchesAt, matchesEnd),
    objects,
  };
  const sound = Number.isInteger(scanned.step) && Number.isInteger(index) && Number.isFinite(scanned.look);
  return sound ? scanned : undefined;
}

function scanWhole(line: string): ScannedRollout {
  const all = JSON.parse(utf8(line)) as RolloutLine;
  return {
    step: all.step,
    sample: all.sample,
    index: all.index,
    grade: all.grade,
    stopReason: all.stopReason,
    looked: all.regions.length > 0,
    look: all.look,
    total: all.total,
    ...counted(all.matches),
    objects: all.truth.length,
  };
}

/**
 * Reads a line for the index; nothing for one that is no response.
 * @param line its bytes as latin1
 */
export function scanRollout(line: string): ScannedRollout | undefined {
  let scanned: ScannedRollout | undefined;
  try {
    scanned = scanQuickly(line);
  } catch {
    // Another order of keys than ours.
  }
  try {
    scanned ??= scanWhole(line);
  } catch {
    return undefined;
  }
  const { step, sample, index, total } = scanned;
  const isResponse =
    typeof step === "number" &&
    typeof sample === "string" &&
    Number.isInteger(index) &&
    Number.isFinite(total);
  return isResponse ? scanned : undefined;
}
