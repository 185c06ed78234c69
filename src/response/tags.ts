/** @file Finds the six tags of a Think-Look-Answer response in one pass (design, 4.1). */

/** The three sections, in their order. */
export const SECTIONS = ["think", "look", "answer"] as const;

/** A section of a response. */
export type SectionName = (typeof SECTIONS)[number];

/** One tag as it stands in the text: [start, end) in UTF-16 units. */
export interface Tag {
  readonly section: SectionName;
  readonly closing: boolean;
  readonly start: number;
  readonly end: number;
}

/** Contents of a section: [start, end) between its tags. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

const SPELLINGS = SECTIONS.flatMap((section) => [
  { section, closing: false, text: `<${section}>` },
  { section, closing: true, text: `</${section}>` },
]);

/** All tags in order. Exact spelling only: `<Think>` and `< think>` are text. */
export function findTags(text: string): Tag[] {
  const tags: Tag[] = [];
  let at = text.indexOf("<");
  while (at >= 0) {
    let next = at + 1;
    for (const { section, closing, text: spelling } of SPELLINGS) {
      if (!text.startsWith(spelling, at)) continue;
      next = at + spelling.length;
      tags.push({ section, closing, start: at, end: next });
      break;
    }
    at = text.indexOf("<", next);
  }
  return tags;
}

/** Whether a UTF-16 unit is white space, as `String.prototype.trim` sees it. */
export function isSpace(code: number): boolean {
  if (code <= 32) return code === 32 || (code >= 9 && code <= 13);
  if (code < 160) return false;
  return (
    code === 0xa0 ||
    code === 0x1680 ||
    (code >= 0x2000 && code <= 0x200a) ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x202f ||
    code === 0x205f ||
    code === 0x3000 ||
    code === 0xfeff
  );
}

/** Whether text[start, end) is white space alone. */
export function isBlank(text: string, start: number, end: number): boolean {
  for (let at = start; at < end; at++) if (!isSpace(text.charCodeAt(at))) return false;
  return true;
}

/**
 * The three sections of a text whose frame is well formed (each tag once, in order, only white space between, before
 * and after), else `undefined`. What stands inside the sections is not looked at.
 */
export function wellFormedSections(
  text: string,
  tags: readonly Tag[],
): Readonly<Record<SectionName, Span>> | undefined {
  if (tags.length !== 6) return undefined;
  let outside = 0;
  for (let i = 0; i < 6; i++) {
    const tag = tags[i]!;
    if (tag.section !== SECTIONS[i >> 1] || tag.closing !== (i % 2 === 1)) return undefined;
    if (!tag.closing && !isBlank(text, outside, tag.start)) return undefined;
    outside = tag.end;
  }
  if (!isBlank(text, outside, text.length)) return undefined;
  const span = (i: number): Span => ({ start: tags[i]!.end, end: tags[i + 1]!.start });
  return { think: span(0), look: span(2), answer: span(4) };
}

/** The last section of this name that has both its tags; of several opening tags before a closing one the nearest counts. */
export function lastComplete(tags: readonly Tag[], section: SectionName): Span | undefined {
  let open: Tag | undefined;
  let found: Span | undefined;
  for (const tag of tags) {
    if (tag.section !== section) continue;
    if (!tag.closing) open = tag;
    else if (open !== undefined) {
      found = { start: open.end, end: tag.start };
      open = undefined;
    }
  }
  return found;
}

/**
 * The last section of this name with one of its tags missing: from its opening tag to the next tag or the end of the
 * text, or from the tag before (or the start of the text) to its closing tag. `atEnd` tells that the text ended first.
 */
export function lastIncomplete(
  text: string,
  tags: readonly Tag[],
  section: SectionName,
): (Span & { readonly atEnd: boolean }) | undefined {
  for (const closing of [false, true]) {
    for (let i = tags.length - 1; i >= 0; i--) {
      const tag = tags[i]!;
      if (tag.section !== section || tag.closing !== closing) continue;
      if (closing) return { start: i > 0 ? tags[i - 1]!.end : 0, end: tag.start, atEnd: false };
      const next = tags[i + 1];
      return { start: tag.end, end: next?.start ?? text.length, atEnd: next === undefined };
    }
  }
  return undefined;
}
