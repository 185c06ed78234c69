/** @file Which frame of which sequence an image is, for forms of videos. */
import type { Dataset } from "../dataset.js";
import type { LossTally } from "./losses.js";

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
async function frameNumbers(dataset: Dataset): Promise<FrameNumber[]> {
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
function closeGaps(frames: readonly FrameNumber[]): FrameNumber[] {
  const numbers = new Map<string, number[]>();
  for (const { sequence, frame } of frames) numbers.set(sequence, [...(numbers.get(sequence) ?? []), frame]);
  const ranks = new Map<string, number>();
  for (const [sequence, list] of numbers)
    for (const [i, frame] of list.toSorted((a, b) => a - b).entries())
      ranks.set(`${sequence} ${frame}`, i + 1);
  return frames.map(({ sequence, frame }) => ({ sequence, frame: ranks.get(`${sequence} ${frame}`)! }));
}

/**
 * The frames to write. Readers ask for the picture of every frame from 1: where pictures are copied, frames that are not
 * there are closed up; where they stay, so do their numbers.
 */
export async function planFrames(
  dataset: Dataset,
  copied: boolean,
  losses: LossTally,
): Promise<FrameNumber[]> {
  const told = await frameNumbers(dataset);
  if (!copied) return told;
  const frames = closeGaps(told);
  const moved = frames.filter(({ frame }, i) => frame !== told[i]!.frame).length;
  losses.add("changed", "frame numbers (counted anew, without gaps)", moved);
  return frames;
}

/** How readers call a frame: `MOT17-02-000001`. */
export function frameId({ sequence, frame }: FrameNumber): string {
  return `${sequence}-${String(frame).padStart(6, "0")}`;
}

/**
 * Gives each object of a sequence a whole number: its own id where that is one, else a number that no other has; never
 * one that is in the frame already.
 */
export function trackNumbers(): (at: FrameNumber, id: string | undefined) => number {
  const known = new Map<string, number>();
  /** Numbers of each sequence, with the last frame they were in. */
  const taken = new Map<string, Map<number, number>>();
  const last = new Map<string, number>();
  return ({ sequence, frame }, id) => {
    const used = taken.get(sequence) ?? new Map<number, number>();
    taken.set(sequence, used);
    const key = `${sequence} ${id}`;
    let number = id === undefined ? undefined : known.get(key);
    if (number === undefined && id !== undefined && /^[1-9]\d{0,8}$/.test(id) && !used.has(Number(id)))
      number = Number(id);
    if (number === undefined || used.get(number) === frame) {
      // Far above the ids that videos have, so that one who comes later with a number of their own finds it free.
      number = last.get(sequence) ?? 1_000_000;
      do number++;
      while (used.has(number));
      last.set(sequence, number);
    } else if (id !== undefined) known.set(key, number);
    used.set(number, frame);
    return number;
  };
}
