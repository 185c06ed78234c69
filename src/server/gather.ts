/**
 * @file Puts groups together that come in several requests: trainers that ask for one response at a time (verl's reward loop,
 * OpenRLHF's agents), or whose processes each hold a part of a group. A part waits until as many responses have come as
 * the group has; then the group is scored once and each part gets its own.
 */
import { canonicalJson } from "../base/fingerprint.js";
import { HttpError } from "./http-error.js";
import type { GroupJob, ScoredResponse } from "./group-job.js";

/** A part of a group. */
export interface GroupPart {
  /** The same for all parts. */
  readonly key: string;
  /** Responses of the whole group. */
  readonly size: number;
  /** The part's own responses; `truth` and `withoutLook` must be the same for all parts. */
  readonly job: GroupJob;
}

/** A part that waits. */
export interface WaitingPart {
  /** The scores of the part's responses. */
  readonly scores: Promise<readonly ScoredResponse[]>;
  /** Takes the part back, if its group is not complete yet: its client is gone. */
  withdraw(): void;
}

/** Gathers groups. */
export interface Gatherer {
  /** Whether a group with this key waits for more. */
  has(key: string): boolean;
  /** @throws HttpError `group-conflict`, or `busy` where too many responses wait */
  add(part: GroupPart): WaitingPart;
  /** Responses that wait. */
  waiting(): number;
  /** Resolves once no group waits. */
  idle(): Promise<void>;
}

/** Options of {@link createGatherer}. */
export interface GatherOptions {
  readonly seconds: number;
  readonly maxResponses: number;
  /** Scores a complete group. */
  readonly score: (job: GroupJob) => Promise<readonly ScoredResponse[]>;
}

interface Entry {
  readonly part: GroupPart;
  readonly resolve: (scores: readonly ScoredResponse[]) => void;
  readonly reject: (error: Error) => void;
}

interface Open {
  readonly size: number;
  readonly truth: string;
  readonly entries: Entry[];
  timer: NodeJS.Timeout;
}

/** Nothing waits yet. */
export function createGatherer(options: GatherOptions): Gatherer {
  const open = new Map<string, Open>();
  const idlers: (() => void)[] = [];
  let waiting = 0;
  const count = (entries: readonly Entry[]) =>
    entries.reduce((sum, { part }) => sum + part.job.responses.length, 0);

  const close = (key: string, group: Open) => {
    clearTimeout(group.timer);
    open.delete(key);
    waiting -= count(group.entries);
    if (open.size === 0) for (const wake of idlers.splice(0)) wake();
  };

  const expire = (key: string, group: Open) => {
    const have = count(group.entries);
    close(key, group);
    const error = new HttpError(
      "group-incomplete",
      `group ${JSON.stringify(key)}: ${have} of ${group.size} responses came within ${options.seconds} s`,
      {
        hint: "Is group_size the trainer's number of generations, and does every response of a group have its group's id?",
      },
    );
    for (const { reject } of group.entries) reject(error);
  };

  const complete = (key: string, group: Open) => {
    close(key, group);
    const { entries } = group;
    const job: GroupJob = {
      ...entries[0]!.part.job,
      responses: entries.flatMap(({ part }) => part.job.responses),
    };
    options.score(job).then(
      (scores) => {
        let at = 0;
        for (const { part, resolve } of entries) resolve(scores.slice(at, (at += part.job.responses.length)));
      },
      (error: Error) => {
        for (const { reject } of entries) reject(error);
      },
    );
  };

  return {
    has: (key) => open.has(key),
    waiting: () => waiting,
    idle: () => (open.size === 0 ? Promise.resolve() : new Promise((wake) => idlers.push(wake))),
    add(part) {
      const { key, size, job } = part;
      const truth = canonicalJson([job.truth, job.withoutLook]);
      const name = `group ${JSON.stringify(key)}`;
      let group = open.get(key);
      const have = group === undefined ? 0 : count(group.entries);
      if (group !== undefined && (group.size !== size || group.truth !== truth))
        throw new HttpError("group-conflict", `${name}: its parts differ in ground truth or group_size`);
      if (have + job.responses.length > size)
        throw new HttpError(
          "group-conflict",
          `${name}: ${have + job.responses.length} responses for a group of ${size}`,
          { hint: "A group's id must be its own until the group is answered: put the step into it." },
        );
      if (waiting + job.responses.length > options.maxResponses)
        throw new HttpError("busy", `${waiting} responses wait for the rest of their groups`, {
          retryAfter: 5,
        });
      if (group === undefined) {
        const opened: Open = {
          size,
          truth,
          entries: [],
          timer: setTimeout(() => expire(key, opened), 1000 * options.seconds),
        };
        group = opened;
        open.set(key, group);
      }
      const into = group;
      waiting += job.responses.length;
      let entry: Entry;
      const scores = new Promise<readonly ScoredResponse[]>((resolve, reject) => {
        entry = { part, resolve, reject };
        into.entries.push(entry);
      });
      if (count(into.entries) === size) complete(key, into);
      return {
        scores,
        withdraw() {
          const at = into.entries.indexOf(entry);
          if (open.get(key) !== into || at < 0) return;
          if (into.entries.length === 1) close(key, into);
          else waiting -= job.responses.length;
          into.entries.splice(at, 1);
          entry.reject(new HttpError("group-incomplete", `${name}: withdrawn`));
        },
      };
    },
  };
}
