/**
 * @file The index of rollouts.jsonl: where each group stands in the file and the few numbers by which groups are filtered and
 * sorted. Built in one pass and carried on as the file grows; texts and boxes are read from the file when a group is shown.
 * In memory only: a hundred thousand rollouts are indexed in well under a second, so a file beside the run would not pay.
 */
import type { FailureKind, GroupSummary } from "./api.js";
import { createLineTail, eachLine, type LineTail } from "./line-tail.js";
import { scanRollout, type ScannedRollout } from "./rollout-scan.js";

/** Kinds of failure, in the order of {@link IndexedGroup.failures}. */
export const failureKinds = [
  "unreadable",
  "repaired",
  "truncated",
  "loop",
  "no-answer",
  "missed",
  "invented",
  "no-look",
] as const satisfies readonly FailureKind[];

/** A group in the index. */
export interface IndexedGroup {
  readonly step: number;
  readonly sample: string;
  /** Bytes [start, end) of its lines in rollouts.jsonl. */
  readonly start: number;
  end: number;
  readonly objects: number;
  responses: number;
  sum: number;
  squares: number;
  min: number;
  max: number;
  hits: number;
  /** Answer boxes that count. */
  predictions: number;
  /** Responses that fail, by {@link failureKinds}. */
  readonly failures: number[];
}

/** The index. */
export interface GroupIndex {
  readonly tail: LineTail;
  readonly length: number;
  readonly rollouts: number;
  /** In the order of the file. */
  readonly groups: readonly IndexedGroup[];
  /** Places in `groups` of those of a step and sample; a sample may come again in later steps. */
  of(sample: string): readonly number[];
}

/** Share of the answer boxes that match nothing, above which a response is said to invent. */
const INVENTED = 1 / 3;
/** Recall below which a response is said to miss. */
const MISSED = 0.5;

/** What of a response is a failure; the same for the index and for a group that is shown. */
export function failuresOf(one: ScannedRollout, objects: number): FailureKind[] {
  const readable = one.grade !== "none";
  const predictions = one.boxes - one.ignored;
  const holds: Record<FailureKind, boolean> = {
    unreadable: !readable,
    repaired: one.grade === "repaired",
    truncated: one.grade === "truncated" || one.stopReason === "length",
    loop: one.stopReason === "loop",
    "no-answer": readable && one.boxes === 0 && objects > 0,
    missed: readable && one.boxes > 0 && objects > 0 && one.hits / objects < MISSED,
    invented: predictions > 0 && (predictions - one.hits) / predictions > INVENTED,
    "no-look": readable && !one.looked && one.look === 0,
  };
  return failureKinds.filter((kind) => holds[kind]);
}

/** Sample standard deviation of the rewards; 0 for one response. */
export function spreadOf({ responses, sum, squares }: IndexedGroup): number {
  if (responses < 2) return 0;
  return Math.sqrt(Math.max(0, (squares - (sum * sum) / responses) / (responses - 1)));
}

/** Micro F1 of a group's answers; 1 where there is nothing to find and nothing was said. */
export function groupF1({ hits, predictions, objects, responses }: IndexedGroup): number {
  const all = predictions + objects * responses;
  return all === 0 ? 1 : (2 * hits) / all;
}

/** Whether all responses earned the same: the group gives no gradient. */
export const isFlat = ({ min, max }: IndexedGroup): boolean => min === max;

/** A group as the page lists it. */
export function summaryOf(group: IndexedGroup): GroupSummary {
  const { step, sample, responses, objects, sum, min, max, failures } = group;
  return {
    step,
    sample,
    responses,
    objects,
    reward: { mean: sum / responses, min, max, std: isFlat(group) ? 0 : spreadOf(group) },
    f1: groupF1(group),
    failures: Object.fromEntries(
      failureKinds.flatMap((kind, i) => (failures[i]! > 0 ? [[kind, failures[i]!]] : [])),
    ),
    zeroVariance: isFlat(group),
  };
}

/** Follows a run's rollouts.jsonl. @param root the run's real folder */
export function createGroupIndex(root: string): GroupIndex {
  const groups: IndexedGroup[] = [];
  const bySample = new Map<string, number[]>();
  let rollouts = 0;

  const groupOf = (one: ScannedRollout, start: number): IndexedGroup => {
    const last = groups.at(-1);
    // A sample that comes twice in one step begins anew at index 0.
    if (last !== undefined && last.step === one.step && last.sample === one.sample && one.index > 0)
      return last;
    const group: IndexedGroup = {
      step: one.step,
      // A copy: a part of a larger string would keep all of it in memory.
      sample: Buffer.from(one.sample).toString(),
      start,
      end: start,
      objects: one.objects,
      responses: 0,
      sum: 0,
      squares: 0,
      min: Infinity,
      max: -Infinity,
      hits: 0,
      predictions: 0,
      failures: failureKinds.map(() => 0),
    };
    const places = bySample.get(one.sample);
    if (places === undefined) bySample.set(one.sample, [groups.length]);
    else places.push(groups.length);
    groups.push(group);
    return group;
  };

  const tail = createLineTail(root, ["rollouts.jsonl"], {
    reset() {
      groups.length = 0;
      bySample.clear();
      rollouts = 0;
    },
    take(lines, at) {
      // One-byte strings are searched fastest; what may hold other characters is decoded where it is used.
      const text = lines.toString("latin1");
      eachLine(lines, (start, end) => {
        const one = scanRollout(text.slice(start, end));
        if (one === undefined) return;
        const group = groupOf(one, at + start);
        group.end = at + end;
        group.responses++;
        group.sum += one.total;
        group.squares += one.total * one.total;
        group.min = Math.min(group.min, one.total);
        group.max = Math.max(group.max, one.total);
        group.hits += one.hits;
        group.predictions += one.boxes - one.ignored;
        for (const kind of failuresOf(one, group.objects)) group.failures[failureKinds.indexOf(kind)]!++;
        rollouts++;
      });
    },
  });

  return {
    tail,
    groups,
    get length() {
      return groups.length;
    },
    get rollouts() {
      return rollouts;
    },
    of: (sample) => bySample.get(sample) ?? [],
  };
}
