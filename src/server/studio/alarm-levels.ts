/**
 * @file Alarms that a level raises: one smoothed column against a bound, or against what it was when the run began.
 * The bounds are ours, chosen so that healthy runs of the shipped recipes raise none; docs/studio.md lists them.
 */
import type { Alarm, AlarmKind } from "./api.js";
import { heldFor, smooth } from "./alarm-series.js";
import type { Column } from "./metric-rows.js";

/** Rows that a smoothed value looks back on. */
export const WINDOW = 8;
/** Rows on end that a level must hold. */
const PERSISTS = 3;

const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 1 : 0)}%`;
const digits = (value: number): string => String(Number(value.toPrecision(3)));

/** How a smoothed value is held against a bound; `then` is the mean of the run's first rows. */
const isPast = {
  above: (value: number, bound: number) => value > bound,
  under: (value: number, bound: number, then: number) => value < bound * then,
  over: (value: number, bound: number, then: number) => value > bound * then,
  dropped: (value: number, bound: number, then: number) => then - value > bound,
};
type Past = keyof typeof isPast;

/** One rule. */
interface LevelRule {
  readonly kind: AlarmKind;
  readonly key: string;
  readonly when: { readonly is: Past; readonly bound: number; readonly serious: number };
  readonly title: string;
  readonly words: (now: number, then: number) => string;
  readonly advice: string;
  readonly keys?: readonly string[];
}

/** The rules, over metrics.jsonl of GRPO. */
const RULES: readonly LevelRule[] = [
  {
    kind: "parse-collapse",
    key: "grades.none",
    when: { is: "above", bound: 0.1, serious: 0.3 },
    title: "Answers cannot be read",
    words: (now) => `${percent(now)} of the responses hold no answer that can be read, so they earn nothing.`,
    advice:
      "Look at such responses (filter: unreadable). Lower the learning rate, raise the weight of the format reward, or start from a model that was taught the form by SFT.",
    keys: ["grades.strict", "grades.repaired", "grades.truncated", "grades.none"],
  },
  {
    kind: "parse-collapse",
    key: "grades.strict",
    when: { is: "dropped", bound: 0.15, serious: 0.4 },
    title: "The form of the answers is being lost",
    words: (now, then) => `Well-formed responses went from ${percent(then)} to ${percent(now)}.`,
    advice:
      "Look at such responses (filter: repaired, unreadable). Lower the learning rate or raise the weight of the format reward.",
    keys: ["grades.strict", "grades.repaired", "grades.truncated", "grades.none"],
  },
  {
    kind: "length-collapse",
    key: "responseTokens.mean",
    when: { is: "under", bound: 0.5, serious: 0.25 },
    title: "Responses collapse to a few tokens",
    words: (now, then) => `Responses had ${then.toFixed(0)} tokens at first and now have ${now.toFixed(0)}.`,
    advice:
      "Saying little is being paid: look at what short responses earn. A reward that punishes misses (recall, F-beta with beta above 1) and a greater KL weight hold against it.",
    keys: ["responseTokens.mean", "answerBoxes", "recall"],
  },
  {
    kind: "length-growth",
    key: "responseTokens.mean",
    when: { is: "over", bound: 2, serious: 4 },
    title: "Responses grow and grow",
    words: (now, then) => `Responses had ${then.toFixed(0)} tokens at first and now have ${now.toFixed(0)}.`,
    advice:
      "Look at what the long ones say: boxes twice, or guesses. The soft or F-beta accuracy reward makes false alarms cost; maxBoxRepeats ends loops.",
    keys: ["responseTokens.mean", "answerBoxes", "precision", "duplicateShare"],
  },
  {
    kind: "entropy-collapse",
    key: "entropy",
    when: { is: "under", bound: 0.25, serious: 0.08 },
    title: "The policy stops exploring",
    words: (now, then) => `Entropy fell from ${digits(then)} to ${digits(now)} nats a token.`,
    advice:
      "Groups soon agree and teach nothing. Lower the learning rate, raise the KL weight or grpo.clip.high, or sample at a higher temperature.",
    keys: ["entropy", "zeroStdShare"],
  },
  {
    kind: "truncation",
    key: "truncatedShare",
    when: { is: "above", bound: 0.05, serious: 0.25 },
    title: "Responses get cut off",
    words: (now) =>
      `${percent(now)} of the responses reach the token limit and lose the end of their answer.`,
    advice: "Raise grpo.sampling.maxTokens, or leave out pictures with more objects than fit.",
    keys: ["truncatedShare", "responseTokens.max"],
  },
  {
    kind: "loops",
    key: "loopShare",
    when: { is: "above", bound: 0.1, serious: 0.4 },
    title: "Responses repeat themselves",
    words: (now) =>
      `${percent(now)} of the responses were ended because they wrote the same box again and again.`,
    advice: "Lower the learning rate or the temperature; look at such responses (filter: loop).",
    keys: ["loopShare", "duplicateShare"],
  },
  {
    kind: "sampler-mismatch",
    key: "logprobGap",
    when: { is: "above", bound: 0.02, serious: 0.1 },
    title: "Sampler and trainer disagree",
    words: (now) =>
      `The probabilities that tokens were sampled with differ from the trainer's by ${digits(now)} nats a token on average.`,
    advice:
      "Gradients are then those of another policy. Check that both run the same weights, precision, temperature and picture size; oldLogprobs: recomputed takes the trainer's own.",
    keys: ["logprobGap", "maxLogprobGap", "effectiveSampleShare"],
  },
  {
    kind: "kl-runaway",
    key: "kl",
    when: { is: "above", bound: 0.5, serious: 2 },
    title: "The policy runs away from the reference",
    words: (now) => `KL to the reference is ${digits(now)} nats a token.`,
    advice: "Raise grpo.kl.beta or lower the learning rate; see whether held-out F1 still rises.",
    keys: ["kl", "reward.mean"],
  },
  {
    kind: "zero-variance",
    key: "zeroStdShare",
    when: { is: "above", bound: 0.4, serious: 0.75 },
    title: "Many groups teach nothing",
    words: (now) => `In ${percent(now)} of the groups all responses earn the same, so they give no gradient.`,
    advice:
      "The pictures are too easy or too hard, or the policy no longer explores: take harder ones (denser scenes), a larger group, a higher temperature, or the soft accuracy reward.",
    keys: ["zeroStdShare", "reward.groupStd"],
  },
  {
    kind: "clipping",
    key: "clipShare",
    when: { is: "above", bound: 0.2, serious: 0.5 },
    title: "Much of the update is clipped",
    words: (now) => `${percent(now)} of the tokens are clipped.`,
    advice: "Lower the learning rate, or take fewer iterations and minibatches a step.",
    keys: ["clipShare", "meanRatio"],
  },
];

/** Whether each row is past a bound; the first rows are too few to smooth. */
const rowsPast = (is: Past, smoothed: Column, bound: number, then: number): boolean[] =>
  smoothed.map((value, i) => value !== null && i + 1 >= WINDOW && isPast[is](value, bound, then));

/** Alarms of all rules. */
export function levelAlarms(steps: readonly number[], columns: ReadonlyMap<string, Column>): Alarm[] {
  return RULES.flatMap((rule): Alarm[] => {
    const column = columns.get(rule.key);
    if (column === undefined || column.length < WINDOW + PERSISTS) return [];
    const smoothed = smooth(column, WINDOW);
    const then = smoothed[WINDOW - 1];
    if (then === null || then === undefined) return [];
    const { is, bound, serious } = rule.when;
    const held = heldFor(rowsPast(is, smoothed, bound, then), PERSISTS);
    if (held === undefined) return [];
    const worst = heldFor(rowsPast(is, smoothed, serious, then), PERSISTS);
    const now = smoothed[held.last]!;
    return [
      {
        kind: rule.kind,
        severity: worst === undefined ? "warning" : "serious",
        title: rule.title,
        words: rule.words(now, then),
        firstStep: steps[held.first]!,
        lastStep: steps[held.last]!,
        ongoing: held.ongoing,
        evidence: [
          { label: `${rule.key} at first`, value: then, step: steps[WINDOW - 1]! },
          { label: `${rule.key}${held.ongoing ? " now" : " then"}`, value: now, step: steps[held.last]! },
        ],
        keys: rule.keys ?? [rule.key],
        advice: rule.advice,
      },
    ];
  });
}
