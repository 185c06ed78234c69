/**
 * @file Bad records: whether one stops the reading or is left out, and the count of what was left out. Nothing is ever
 * left out silently: every dataset hands its {@link ProblemReport} out, and the command line prints it.
 */
import { InputError } from "../base/errors.js";

/** What a bad record does: stop the reading, or be left out and counted. */
export type OnError = "error" | "skip";

/** Kinds of problems, each with the words a tally says it in. */
export const PROBLEM_KINDS = {
  "not-json": "lines that are not JSON",
  truncated: "records that were cut off",
  encoding: "lines that are not UTF-8",
  columns: "lines with a wrong number of columns",
  field: "fields that are missing or of a wrong type",
  box: "boxes that are not four finite numbers",
  "empty-box": "boxes without an area",
  "box-outside": "boxes wholly outside their image",
  "boxes-leaving": "files most of whose boxes leave the image",
  "duplicate-id": "ids that came twice",
  "unknown-id": "ids that refer to nothing",
  "image-missing": "pictures that are not there",
  "image-unreadable": "pictures that cannot be read",
  "image-size": "pictures of another size than the annotations say",
  "size-unknown": "images of unknown size",
} as const;

/** One of {@link PROBLEM_KINDS}. */
export type ProblemKind = keyof typeof PROBLEM_KINDS;

/** What `onError: skip` may pass over: something wrong with one record, not with the file as a whole. */
export class AnnotationError extends InputError {
  readonly kind: ProblemKind;

  constructor(kind: ProblemKind, message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options);
    this.kind = kind;
  }
}

/** Counts by kind; a kind that did not occur is absent. */
export type ProblemCounts = Readonly<Partial<Record<ProblemKind, number>>>;

/** What was wrong with a dataset's files. */
export interface ProblemReport {
  readonly onError: OnError;
  /** Records (lines, boxes, images) that were left out, in all; 0 under `onError: error`. */
  readonly leftOut: number;
  readonly kinds: ProblemCounts;
  /** What was seen and does no harm, under either rule: an ignore region without an area, a useless visible box. */
  readonly noted: ProblemCounts;
  /** The first few of each kind, as messages that name file, line and field. */
  readonly examples: readonly string[];
}

/** Of nothing. */
export const NO_PROBLEMS: ProblemReport = {
  onError: "error",
  leftOut: 0,
  kinds: {},
  noted: {},
  examples: [],
};

const ADVICE = "To go on without such records, counted: onError=skip in the spec, or --on-error skip.";
/** Messages kept of each kind. */
const EXAMPLES = 3;

/** Collects the problems of one reading. */
export class Problems {
  readonly onError: OnError;
  private readonly advice: string;
  private readonly kinds = new Map<ProblemKind, number>();
  private readonly noted = new Map<ProblemKind, number>();
  private readonly examples = new Map<string, string[]>();

  /** @param advice what a hint adds where reading stops: how to go on. @default that of datasets */
  constructor(onError: OnError = "error", advice: string = ADVICE) {
    this.onError = onError;
    this.advice = advice;
  }

  /** Runs the work on one record; `undefined` where it is bad and to be left out. @throws AnnotationError otherwise */
  attempt<T>(work: () => T): T | undefined {
    try {
      return work();
    } catch (error) {
      this.leaveOut(error);
      return undefined;
    }
  }

  /** The same for work that waits. */
  async attemptAsync<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work();
    } catch (error) {
      this.leaveOut(error);
      return undefined;
    }
  }

  /** Counts a bad record where those are left out. @throws the error where they are not, or it is no record's. */
  leaveOut(error: unknown): void {
    if (!(error instanceof AnnotationError)) throw error;
    if (this.onError === "error") {
      const { advice } = this;
      if (advice === "" || error.hint?.includes(advice) === true) throw error;
      const hint = error.hint === undefined ? advice : `${error.hint} ${advice}`;
      throw new AnnotationError(error.kind, error.message, { hint, cause: error });
    }
    count(this.kinds, error.kind);
    this.keep(error.kind, error.message);
  }

  /** Counts what is odd but harmless. */
  note(kind: ProblemKind, message: string): void {
    count(this.noted, kind);
    this.keep(`noted ${kind}`, message);
  }

  /** What was collected until now. */
  report(): ProblemReport {
    return {
      onError: this.onError,
      leftOut: [...this.kinds.values()].reduce((sum, n) => sum + n, 0),
      kinds: Object.fromEntries(this.kinds),
      noted: Object.fromEntries(this.noted),
      examples: [...this.examples.values()].flat(),
    };
  }

  private keep(kind: string, message: string): void {
    const kept = this.examples.get(kind) ?? [];
    if (kept.length < EXAMPLES) this.examples.set(kind, [...kept, message]);
  }
}

function count(counts: Map<ProblemKind, number>, kind: ProblemKind): void {
  counts.set(kind, (counts.get(kind) ?? 0) + 1);
}

/** A report in a few lines for people, or `undefined` where there is nothing to tell. */
export function describeProblems(report: ProblemReport): string | undefined {
  const tally = (counts: ProblemCounts) =>
    (Object.entries(counts) as [ProblemKind, number][])
      .sort(([, a], [, b]) => b - a)
      .map(([kind, n]) => `${n} ${PROBLEM_KINDS[kind]}`)
      .join(", ");
  const lines: string[] = [];
  if (report.leftOut > 0) lines.push(`left out ${report.leftOut} bad records: ${tally(report.kinds)}`);
  if (Object.keys(report.noted).length > 0) lines.push(`noted: ${tally(report.noted)}`);
  if (lines.length === 0) return undefined;
  return [...lines, ...report.examples.map((example) => `  ${example}`)].join("\n");
}
