/** @file Why a response is not well formed (design, 4.1 and 4.2): what a person would have to mend, in words. */
import type { FrameSize } from "../geometry/index.js";
import { readStrictAnswer, readStrictLook } from "../response/strict.js";
import { isInvisible } from "./format.js";
import { findTags, isBlank, SECTIONS, wellFormedSections, type Tag } from "../response/tags.js";

/** Stray text is shown up to here. */
const SHOWN = 40;

/** A piece of text on one line, cut and quoted. */
export function shorten(text: string, length = SHOWN): string {
  const line = text.trim().replaceAll(/\s+/g, " ");
  return JSON.stringify(line.length > length ? `${line.slice(0, length)}...` : line);
}

const spelled = (section: string, closing: boolean) => `<${closing ? "/" : ""}${section}>`;

function tagFaults(tags: readonly Tag[]): string[] {
  const faults = SECTIONS.flatMap((section) =>
    [false, true].flatMap((closing) => {
      const count = tags.filter((tag) => tag.section === section && tag.closing === closing).length;
      if (count === 1) return [];
      return [count === 0 ? `${spelled(section, closing)} is missing` : `${spelled(section, closing)} stands ${count} times`];
    }),
  ); // prettier-ignore
  if (faults.length > 0) return faults;
  const wrong = tags.findIndex((tag, i) => tag.section !== SECTIONS[i >> 1] || tag.closing !== (i % 2 === 1));
  if (wrong < 0) return [];
  const { section, closing } = tags[wrong]!;
  return [
    `${spelled(section, closing)} stands where ${spelled(SECTIONS[wrong >> 1]!, wrong % 2 === 1)} should`,
  ];
}

function strayText(text: string, tags: readonly Tag[]): string[] {
  const gaps = [
    { name: "before <think>", from: 0, to: tags[0]!.start },
    { name: "between </think> and <look>", from: tags[1]!.end, to: tags[2]!.start },
    { name: "between </look> and <answer>", from: tags[3]!.end, to: tags[4]!.start },
    { name: "behind </answer>", from: tags[5]!.end, to: text.length },
  ];
  return gaps.flatMap(({ name, from, to }) =>
    isBlank(text, from, to) ? [] : [`text ${name}: ${shorten(text.slice(from, to))}`],
  );
}

/**
 * What keeps the format reward from a response; empty exactly where it is earned.
 * @param size canvas of the frame the response is written in
 */
export function formFaults(text: string, size: FrameSize): string[] {
  const tags = findTags(text);
  const broken = tagFaults(tags);
  if (broken.length > 0) return broken;
  const stray = strayText(text, tags);
  const sections = wellFormedSections(text, tags);
  if (sections === undefined) return stray;
  const faults: string[] = [];
  const content = ({ start, end }: { readonly start: number; readonly end: number }) =>
    text.slice(start, end);
  if (isInvisible(content(sections.think))) faults.push("the think section is blank");
  if (readStrictLook(text, sections.look, size) === undefined)
    faults.push(
      `the look section is not prose and one JSON array of regions: ${shorten(content(sections.look))}`,
    );
  if (readStrictAnswer(text, sections.answer, size) === undefined)
    faults.push(
      `the answer section is not one JSON array of instances: ${shorten(content(sections.answer))}`,
    );
  return faults;
}
