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

type Tail = Pick<RolloutLine, "matches" | "look" | "total" | "stopReason">;

function counted(matches: readonly number[]): Pick<ScannedRollout, "boxes" | "hits" | "ignored"> {
  let [hits, ignored] = [0, 0];
  for (const match of matches) {
    if (match >= 0) hits++;
    else if (match === -2) ignored++;
  }
  return { boxes: matches.length, hits, ignored };
}

const utf8 = (latin1: string): string =>
  /[\u0080-\u00ff]/.test(latin1) ? Buffer.from(latin1, "latin1").toString("utf8") : latin1;

/** By the places of the keys; nothing where they are not where they should be. */
function scanQuickly(line: string): ScannedRollout | undefined {
  const text = line.indexOf(',"text":"');
  const grade = line.indexOf('","grade":"', text);
  const matches = line.lastIndexOf(',"matches":[');
  if (text < 0 || grade < 0 || matches < grade) return undefined;
  const gradeEnd = line.indexOf('"', grade + 11);
  const regions = line.indexOf('"regions":[', gradeEnd);
  if (regions < 0 || regions > matches) return undefined;
  const head = JSON.parse(`${utf8(line.slice(0, text))}}`) as Pick<RolloutLine, "step" | "sample" | "index">;
  const tail = JSON.parse(`{${line.slice(matches + 1)}`) as Tail;
  let objects = 0;
  if (head.index === 0) {
    const truth = line.lastIndexOf(',"truth":[', matches);
    if (truth < 0) return undefined;
    objects = (JSON.parse(`{${line.slice(truth + 1, matches)}}`) as Pick<RolloutLine, "truth">).truth.length;
  }
  return {
    step: head.step,
    sample: head.sample,
    index: head.index,
    grade: line.slice(grade + 11, gradeEnd),
    stopReason: tail.stopReason,
    looked: line[regions + 11] !== "]",
    look: tail.look,
    total: tail.total,
    ...counted(tail.matches),
    objects,
  };
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
