/**
 * @file A few groups out of rollouts.jsonl without loading it whole (a long run's has hundreds of megabytes), and a
 * group as Markdown.
 */
import { createReadStream, existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import type { RolloutLine } from "../../runs/index.js";

/** The rollouts of one image in one step. */
export interface RolloutGroup {
  readonly step: number;
  readonly lines: readonly RolloutLine[];
}

/** What was found, and the byte from which a later call goes on. */
export interface RolloutScan {
  readonly groups: readonly RolloutGroup[];
  readonly offset: number;
}

/** Whole lines of a file from a byte on, each with the byte after it. A line without its newline is not given. */
async function* wholeLinesFrom(path: string, start: number): AsyncGenerator<{ text: string; end: number }> {
  let rest: Buffer = Buffer.alloc(0);
  let at = start;
  for await (const chunk of createReadStream(path, { start }) as AsyncIterable<Buffer>) {
    let buffer = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (let newline = buffer.indexOf(0x0a); newline >= 0; newline = buffer.indexOf(0x0a)) {
      at += newline + 1;
      yield { text: buffer.toString("utf8", 0, newline), end: at };
      buffer = buffer.subarray(newline + 1);
    }
    rest = buffer;
  }
}

/** The step of a line without parsing the rest of it, where it stands first (as we write it). */
function stepOf(text: string): number | undefined {
  const found = /^\{"step":(\d+)[,}]/.exec(text);
  if (found) return Number(found[1]);
  try {
    return (JSON.parse(text) as { step?: number }).step;
  } catch {
    return undefined;
  }
}

/**
 * The first group of every wanted step.
 * @param options.upTo last step that is known to be whole; the scan ends before later ones.
 * @param options.from byte to start at: the `offset` of the scan before. A file that became shorter is read anew.
 */
export async function scanRollouts(
  path: string,
  options: { readonly wanted: (step: number) => boolean; readonly upTo: number; readonly from?: number },
): Promise<RolloutScan> {
  if (!existsSync(path)) return { groups: [], offset: 0 };
  const { size } = await stat(path);
  const from = options.from ?? 0;
  let offset = from <= size ? from : 0;
  const groups: { step: number; lines: RolloutLine[] }[] = [];
  for await (const { text, end } of wholeLinesFrom(path, offset)) {
    const step = stepOf(text);
    if (step !== undefined && step > options.upTo) break;
    offset = end;
    if (step === undefined || !options.wanted(step)) continue;
    const open = groups.at(-1);
    let line: RolloutLine;
    try {
      line = JSON.parse(text) as RolloutLine;
    } catch {
      continue;
    }
    if (open?.step !== step) groups.push({ step, lines: [line] });
    // A second line of index 0 begins the step's next image.
    else if (line.index === open.lines.length) open.lines.push(line);
  }
  return { groups, offset };
}

/** Indented code: nothing in a response can end it, as a fence could be ended. */
function codeBlock(text: string): string {
  return text
    .split(/\r\n|\r|\n/)
    .map((line) => `    ${line}`)
    .join("\n");
}

const fixed = (value: number): string => value.toFixed(3);

/** A group as Markdown, the best response first; the responses' texts stand in code blocks. */
export function groupMarkdown({ step, lines }: RolloutGroup): string {
  const [first] = lines;
  if (first === undefined) return "";
  const responses = lines.toSorted((a, b) => b.advantage - a.advantage);
  return [
    `**${first.sample.replaceAll(/[^\w.-]+/g, "_")}**, step ${step}: ${first.truth.length} objects, ${lines.length} responses`,
    "| response | total | format | look | accuracy | advantage | grade | boxes | hits | tokens |\n" +
      "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n" +
      responses
        .map(({ index, total, format, look, accuracy, advantage, grade, boxes, matches, tokens }) => {
          const numbers = [total, format, look, accuracy, advantage].map(fixed);
          const hits = matches.filter((match) => match >= 0).length;
          return `| ${[index, ...numbers, grade, boxes.length, hits, tokens].join(" | ")} |`;
        })
        .join("\n"),
    ...responses.map(({ index, text }) => `Response ${index}:\n\n${codeBlock(text)}`),
  ].join("\n\n");
}
