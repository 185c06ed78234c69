/** @file An explanation of rewards as text: every box, every miss, every look, and how they add up. */
import type { Box } from "../geometry/box.js";
import type {
  ExplainedBox,
  ExplainedGroup,
  ExplainedMiss,
  ExplainedResponse,
  NoPair,
} from "../rewards/index.js";
import { renderTable } from "./table.js";

const three = (value: number) => value.toFixed(3);
const percent = (share: number) => `${(100 * share).toFixed(0)}%`;
const short = (value: number) => String(Math.round(10 * value) / 10);
const corners = ({ x1, y1, x2, y2 }: Box) => `[${[x1, y1, x2, y2].map(short).join(", ")}]`;
const signed = (value: number) => (value < 0 ? "" : "+") + value.toFixed(2);
const count = (n: number, one: string, many = `${one}s`) => `${n} ${n === 1 ? one : many}`;

const reasons: Record<NoPair, string> = {
  iou: "too little",
  label: "another label",
  taken: "another box has it",
};

function boxWords({ verdict, object, iou, because }: ExplainedBox): string {
  const near = object === undefined ? "" : `object ${object} at IoU ${three(iou!)}`;
  switch (verdict) {
    case "hit":
      return `hit ${near}`;
    case "duplicate":
      return `duplicate of ${near}, which another box has`;
    case "ignored":
      return "in an ignore region, does not count";
    case "false-positive":
      return `false positive: ${near === "" ? "nothing is there" : `nearest is ${near}, ${reasons[because!]}`}`;
  }
}

function missWords({ nearest }: ExplainedMiss): string {
  if (nearest === undefined) return "missed: no box is near";
  const { index, iou, because } = nearest;
  const why = because === "taken" ? "which hit another object" : reasons[because];
  return `missed: nearest is box ${index} at IoU ${three(iou)}, ${why}`;
}

function lookRows({ look }: ExplainedResponse): string[][] {
  if (look.kind === "grid")
    return look.regions.map(({ index, box, share, cells, mean }) => [
      `look ${index}`,
      corners(box),
      "",
      `covers ${percent(share)} of the disagreement (${count(cells, "cell")}, mean ${mean.toFixed(2)})`,
    ]);
  return look.regions.map(({ index, box, instance, iou }) => [
    `look ${index}`,
    corners(box),
    "",
    instance === undefined
      ? `finds no uncertain instance (nearest IoU ${three(iou)})`
      : `finds uncertain instance ${instance} at IoU ${three(iou)}`,
  ]);
}

/** One response as lines of text. */
export function explainedResponseText(response: ExplainedResponse & { readonly advantage?: number }): string {
  const { index, grade, total, terms, answer, advantage, dropped } = response;
  const sum = terms.map(({ weight, value }) => `${weight} * ${three(value)}`).join(" + ");
  const rows = [
    ...answer.boxes.map((one) => [
      `box ${one.index}`,
      corners(one.box),
      one.label ?? "no label",
      boxWords(one),
    ]),
    ...answer.missed.map((one) => [`object ${one.object}`, corners(one.box), one.label, missWords(one)]),
    ...lookRows(response),
  ];
  return [
    `response ${index} (${grade}): ${three(total)} = ${sum}` +
      (advantage === undefined ? "" : `, advantage ${signed(advantage)}`),
    ...terms.map(({ part, value, because }) => `  ${part} ${three(value)}: ${because}`),
    ...(dropped > 0 ? [`  ${count(dropped, "box", "boxes")} dropped: empty, outside or not finite`] : []),
    ...(rows.length === 0
      ? []
      : renderTable(rows, { align: ["left"] })
          .split("\n")
          .map((line) => `    ${line}`)),
  ].join("\n");
}

/** What the group as a whole disagrees about. */
export function explainedGroupText(group: ExplainedGroup, id: string): string {
  const { truth, responses, spots, uncertain } = group;
  const { width, height } = truth.size;
  const lines = [
    `${id}: ${count(responses.length, "response")}, ${width} x ${height}, ${count(truth.objects.length, "object")}` +
      (truth.ignore.length > 0 ? `, ${count(truth.ignore.length, "ignore region")}` : ""),
  ];
  if (spots !== undefined)
    lines.push(
      spots.length === 0
        ? "  the group agrees everywhere"
        : `  the group disagrees most at ${spots.map(({ box, share }) => `${corners(box)} (${percent(share)})`).join(", ")}`,
    );
  if (uncertain !== undefined)
    lines.push(
      uncertain.length === 0
        ? "  the group is sure of every instance"
        : `  the group is unsure of ${uncertain.map((box, i) => `${i} ${corners(box)}`).join(", ")}`,
    );
  return lines.join("\n");
}
