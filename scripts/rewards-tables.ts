/**
 * @file The numbers of docs/rewards.md, computed by the library: fills every table between `<!-- NAME -->` and `<!-- end -->`.
 * A test holds the page equal to what this computes. To write it anew: npx tsx scripts/rewards-tables.ts
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseResponse } from "../src/response/index.js";
import {
  accuracyFromCounts,
  auditRewards,
  boxCredit,
  defaultRewardConfig,
  exploits as knownExploits,
  lookKinds,
  lookOvers,
  scoreGroup,
  type AccuracyConfig,
  type RewardConfig,
} from "../src/rewards/index.js";
import { groupAdvantages } from "../src/rl/advantage.js";
import { presets } from "../src/runs/presets.js";
import { rewardsSchema } from "../src/runs/recipe-schema.js";
import { exploits, honest, people, text, truth } from "../test/support/exploits.js";
import { truthOf } from "../test/support/groups.js";

/** The page. */
export const rewardsPage = fileURLToPath(new URL("../docs/rewards.md", import.meta.url));

const paper = defaultRewardConfig;
const recommended: RewardConfig = rewardsSchema.parse(presets.recommended.rewards);
const linear = paper.accuracy;
const f1: AccuracyConfig = { ...linear, shape: { kind: "fbeta", beta: 1 } };

const person = (...corners: number[]) => `{"bbox_2d":[${corners.join(",")}],"label":"person"}`;
const region = '{"bbox_2d":[300,118,362,220]}';
/** Three people, the last two overlapping, on a picture of 640 x 480. */
const three = truthOf([people[0]!, people[2]!, people[3]!]);
const group = [
  `<think>Three people, two of them close.</think><look>[${region}]</look><answer>[${person(42, 100, 82, 200)},${person(300, 118, 362, 220)}]</answer>`,
  `<think>Three people.</think><look>[${region}]</look><answer>[${person(40, 100, 80, 200)},${person(302, 120, 342, 220)},${person(322, 118, 362, 220)}]</answer>`,
  `<think>Four people.</think><look>[]</look><answer>[${person(40, 100, 80, 200)},${person(300, 120, 340, 220)},${person(320, 118, 362, 220)},${person(500, 90, 540, 190)}]</answer>`,
  `I see one: [${person(40, 100, 80, 200)}]`,
];
const parsed = group.map((response) => parseResponse<"model">(response, three.size));

const fixed = (value: number, digits = 2) => value.toFixed(digits);
const signed = (value: number) => `${value < 0 ? "-" : "+"}${fixed(Math.abs(value))}`;

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function worked(): string {
  const { responses } = scoreGroup(three, parsed);
  const advantages = groupAdvantages([responses.map(({ total }) => total)]).advantages[0]!;
  return table(
    ["response", "grade", "format", "look", "TP/n", "TP/m", "accuracy", "total", "advantage"],
    responses.map((r, i) => [
      i + 1, r.grade, r.format, fixed(r.look), `${r.truePositives}/${r.predictions}`, `${r.truePositives}/${three.objects.length}`,
      fixed(r.accuracy), fixed(r.total), signed(advantages[i]!),
    ]),
  ); // prettier-ignore
}

function shapes(): string {
  const configs = [
    ["`linear`", linear],
    ["`linear`, `precisionWeight: 3`", { ...linear, shape: { kind: "linear", precisionWeight: 3, recallWeight: 1 } }],
    ["`fbeta`, `beta: 1`", f1],
    ["`fbeta`, `beta: 2`", { ...linear, shape: { kind: "fbeta", beta: 2 } }],
    ["`linear`, `soft: true`", { ...linear, soft: true }],
    ["`linear`, `iouThreshold: 0.95`", { ...linear, iouThreshold: 0.95 }],
  ] as const satisfies readonly (readonly [string, AccuracyConfig])[]; // prettier-ignore
  return table(
    ["accuracy of response", "1", "2", "3", "4"],
    configs.map(([name, accuracy]) => [
      name,
      ...scoreGroup(three, parsed, { ...paper, accuracy }).responses.map((r) => fixed(r.accuracy)),
    ]),
  );
}

function looks(): string {
  return table(
    ["look of response", "1", "2", "3", "4"],
    lookKinds.map((kind) => [
      `\`${kind}\``,
      ...scoreGroup(three, parsed, { ...paper, look: { kind, cells: 64 } }).responses.map((r) =>
        fixed(r.look),
      ),
    ]),
  );
}

function credit(): string {
  const byLinear = boxCredit(three, parsed, linear)[2]!;
  const byF1 = boxCredit(three, parsed, f1)[2]!;
  return table(
    ["box of response 3", "worth, `linear`", "z", "worth, `fbeta`", "z"],
    parsed[2]!.answer!.boxes.map(({ box }, k) => [
      `[${box.x1}, ${box.y1}, ${box.x2}, ${box.y2}]`,
      signed(byLinear[k]!.marginal), signed(byLinear[k]!.z), signed(byF1[k]!.marginal), signed(byF1[k]!.z),
    ]),
  ); // prettier-ignore
}

function earned(name: string, response: string): (string | number)[] {
  const responses = [...honest, response].map((said) => parseResponse<"model">(said, truth.size));
  const [byPaper, byRecommended] = [paper, recommended].map(
    (config) => scoreGroup(truth, responses, config).responses,
  );
  const best = (scores: typeof byPaper) => Math.max(...scores!.slice(0, 3).map(({ total }) => total));
  const [r, other] = [byPaper![3]!, byRecommended![3]!];
  return [
    name, r.grade, r.format, fixed(r.look), fixed(r.accuracy), fixed(r.total), fixed(best(byPaper)),
    fixed(other.accuracy), fixed(other.total), fixed(best(byRecommended)),
  ]; // prettier-ignore
}

function earnings(): string {
  return table(
    ["response", "grade", "format", "look", "accuracy", "total", "best honest", "`recommended`: accuracy", "total", "best honest"],
    [earned("(honest)", honest[0]!), earned("(honest, does not look)", text(people)), ...exploits.map(([name, said]) => earned(name, said))],
  ); // prettier-ignore
}

/** From which chance to hit on a further box raises the expected reward of a response with `hits` of `said` boxes right. */
function breakEven(config: AccuracyConfig, hits: number, said: number, truths: number): number {
  const now = accuracyFromCounts(config, hits, said, truths).value;
  const missed = accuracyFromCounts(config, hits, said + 1, truths).value;
  const hit = accuracyFromCounts(config, hits + 1, said + 1, truths).value;
  return (now - missed) / (hit - missed);
}

function safety(): string {
  const cases = [
    [1, 1, 2], [1, 1, 5], [1, 1, 10], [1, 1, 20], [5, 5, 10], [5, 10, 10], [5, 15, 10], [5, 30, 10],
  ] as const; // prettier-ignore
  return table(
    ["people", "boxes said", "right", "`linear` earns", "a further box pays from", "`fbeta` earns", "a further box pays from"],
    cases.map(([hits, said, truths]) => [
      truths, said, hits,
      ...[linear, f1].flatMap((config) => [
        fixed(accuracyFromCounts(config, hits, said, truths).value),
        `${fixed(100 * breakEven(config, hits, said, truths), 0)}%`,
      ]),
    ]),
  ); // prettier-ignore
}

function grades(): string {
  const one = person(1, 2, 30, 40);
  const open = "<think>t</think><look>[]</look>";
  const cases = [
    `${open}<answer>[${one}]</answer>`,
    `<think>t</think> <look>a pair: [[1,2,30,40]]</look> <answer>\`\`\`json [[1,2,30,40]] \`\`\`</answer>`,
    `${open}<answer>[]</answer>`,
    `<think> </think><look>[]</look><answer>[${one}]</answer>`,
    `${open}<answer>[${person(30, 2, 1, 40)},${person(600, 2, 700, 40)}]</answer>`,
    `Sure! ${open}<answer>[${one}]</answer>`,
    `<think>t</think><answer>[${one}]</answer>`,
    `${open}<answer>[{'bbox_2d':[1,2,30,40]},]</answer>`,
    `${open}<answer>[${one}]`,
    `<answer>[[1,2,3,4]]</answer><answer>[${one}]</answer>`,
    `\`\`\`json [${one}] \`\`\``,
    `${open}<answer>[${one},{"bbox_2d":[50,2,`,
    `${open}<answer>[{"bbox_2d":[1,`,
    `${open}<answer>a crowd of people</answer>`,
    `<think>[${one}]`,
  ];
  return table(
    ["response (picture of 640 x 480)", "grade", "format", "answer boxes", "dropped"],
    cases.map((said) => {
      const read = parseResponse<"model">(said, truth.size);
      const { format } = scoreGroup(truth, [read, read]).responses[0]!;
      const shown = said.replaceAll("|", "\\|");
      return [
        shown.includes("`") ? `\`\` ${shown} \`\`` : `\`${shown}\``,
        read.grade,
        format,
        read.answer?.boxes.map(({ box: b }) => `[${b.x1}, ${b.y1}, ${b.x2}, ${b.y2}]`).join(" ") ?? "-",
        read.answer?.dropped ?? "-",
      ];
    }),
  );
}

/** What the audit finds of both presets. The heavy exploit, 100,000 boxes, is left to the command and its test. */
function audited(): string {
  const light = knownExploits.filter(({ heavy }) => heavy !== true);
  const [byPaper, byRecommended] = [paper, recommended].map((config) => auditRewards(config, { exploits: light, draws: 2 }));
  return table(
    ["exploit", "`paper`: less than honest by", "beginner's, less by", "verdict", "`recommended`: less than honest by", "beginner's, less by", "verdict"],
    byPaper!.rows.map((row, i) => [
      row.name,
      ...[row, byRecommended!.rows[i]!].flatMap(({ earned: e, honest: h, beginner: b, verdict }) => [
        fixed(h.total - e.total), fixed(b.honest.total - b.earned.total), verdict,
      ]),
    ]),
  );
} // prettier-ignore

/** The weaknesses of the look reward, by its options, with the preset recommended's other choices. */
function auditedLooks(): string {
  const names = [
    "look at own boxes", "look at own boxes where nobody hides", "look at edges where nobody hides",
    "own disagreement in crowds", "stray boxes where they are free", "a stray box in crowds",
  ];
  const chosen = knownExploits.filter(({ name }) => names.includes(name));
  return table(
    ["`rewards.look`", ...chosen.map(({ name }) => name)],
    lookKinds.flatMap((kind) =>
      lookOvers.map((over) => {
        const { rows } = auditRewards({ ...recommended, look: { kind, cells: 64, over } }, { exploits: chosen });
        const gains = rows.map(({ earned: e, honest: h, verdict }) => `${signed(e.total - h.total)} / ${signed(e.lead - h.lead)} ${verdict}`);
        return [`\`${kind}\`, \`over: ${over}\``, ...gains];
      }),
    ),
  );
} // prettier-ignore

const blocks: Readonly<Record<string, () => string>> = {
  group: () =>
    `\`\`\`text\n${group.map((said, i) => `${i + 1}  ${said.replaceAll("><", ">\n   <")}`).join("\n")}\n\`\`\``,
  worked, shapes, looks, credit, earnings, safety, grades, audited, auditedLooks,
}; // prettier-ignore

/** The page with every table computed. @throws Error where a table has no place in the page. */
export function filled(page: string): string {
  return Object.entries(blocks).reduce((sofar, [name, make]) => {
    const [begin, end] = [`<!-- ${name} -->\n`, "\n<!-- end -->"];
    const from = sofar.indexOf(begin) + begin.length;
    const to = sofar.indexOf(end, from - 1);
    if (from < begin.length || to < 0) throw new Error(`docs/rewards.md has no place for "${name}"`);
    return sofar.slice(0, from) + make() + sofar.slice(to);
  }, page);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(rewardsPage, filled(readFileSync(rewardsPage, "utf8")));
}
