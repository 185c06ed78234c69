/** @file Which frame of which sequence an image is, for forms of videos. */
import type { Dataset } from "../dataset.js";

/** Where an image stands in its video. */
export interface FrameNumber {
  readonly sequence: string;
  /** From 1. */
  readonly frame: number;
}

/** `MOT17-02-000001`, `M0101/img000001`: a sequence and a number at the end. */
const FRAME_ID = /^(.+?)[-_/](?:img)?(\d{4,})$/;

/**
 * Sequences and frame numbers of a dataset's samples, in their order. Ids that end in a number of at least four digits
 * tell both; where not all do, or two tell the same, the dataset is one sequence, counted from 1.
 */
export async function frameNumbers(dataset: Dataset): Promise<FrameNumber[]> {
  const told: FrameNumber[] = [];
  const seen = new Set<string>();
  let count = 0;
  for await (const { id } of dataset.samples()) {
    count++;
    const match = FRAME_ID.exec(id);
    const sequence = (match?.[1] ?? "").replaceAll(/[^\w.-]+/g, "_");
    const frame = Number(match?.[2] ?? 0);
    if (frame >= 1) seen.add(`${sequence} ${frame}`);
    told.push({ sequence, frame });
  }
  if (seen.size === count) return told;
  const sequence = dataset.name.replaceAll(/[^\w.-]+/g, "_");
  return told.map((_, i) => ({ sequence, frame: i + 1 }));
}

/** Frames counted anew from 1 in each sequence, without gaps, in the order of their numbers. */
export function closeGaps(frames: readonly FrameNumber[]): FrameNumber[] {
  const numbers = new Map<string, number[]>();
  for (const { sequence, frame } of frames) numbers.set(sequence, [...(numbers.get(sequence) ?? []), frame]);
  const ranks = new Map<string, number>();
  for (const [sequence, list] of numbers)
    for (const [i, frame] of list.toSorted((a, b) => a - b).entries())
      ranks.set(`${sequence} ${frame}`, i + 1);
  return frames.map(({ sequence, frame }) => ({ sequence, frame: ranks.get(`${sequence} ${frame}`)! }));
}

/** Gives each object of a sequence a whole number: its own id where that is one, else a number that no other has. */
export function trackNumbers(): (sequence: string, id: string | undefined) => number {
  const known = new Map<string, number>();
  const taken = new Map<string, Set<number>>();
  const last = new Map<string, number>();
  return (sequence, id) => {
    const used = taken.get(sequence) ?? new Set();
    taken.set(sequence, used);
    const key = `${sequence} ${id}`;
    const before = id === undefined ? undefined : known.get(key);
    if (before !== undefined) return before;
    let number = id !== undefined && /^[1-9]\d{0,8}$/.test(id) ? Number(id) : 0;
    if (number === 0 || used.has(number)) {
      // Far above the ids that videos have, so that one who comes later with a number of their own finds it free.
      number = last.get(sequence) ?? 1_000_000;
      do number++;
      while (used.has(number));
      last.set(sequence, number);
    }
    used.add(number);
    if (id !== undefined) known.set(key, number);
    return number;
  };
}
