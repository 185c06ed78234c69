/**
 * @file Which curves there are, what they mean in words, and which belong on one chart. Columns that no chart here knows
 * (a newer run's) get a chart of their own, so that nothing recorded is hidden.
 */

/** How a value is written. */
export type Unit = "number" | "share" | "seconds";

/** One curve of a chart. */
export interface CurveSpec {
  /** Column of the metrics. */
  readonly key: string;
  readonly label: string;
  /** Token of its colour where only one run is shown. */
  readonly color: `--series-${string}`;
  /** Column of the standard deviation to draw around it. */
  readonly spread?: string;
}

/** A chart. */
export interface ChartSpec {
  readonly id: string;
  readonly title: string;
  /** What it is and how to read it, in a sentence. */
  readonly note: string;
  readonly unit: Unit;
  readonly curves: readonly CurveSpec[];
  /** Areas on top of each other. */
  readonly stacked?: boolean;
  /** Fixed ends of the y axis. */
  readonly range?: readonly [number, number];
}

/** Charts under one heading. */
export interface ChartSection {
  readonly title: string;
  readonly charts: readonly ChartSpec[];
}

const one = (
  id: string,
  key: string,
  title: string,
  note: string,
  unit: Unit = "number",
  color: CurveSpec["color"] = "--series-1",
): ChartSpec => ({ id, title, note, unit, curves: [{ key, label: title, color }] });

/** All charts, in the order in which a reader asks: does it learn, how, and is the machinery sound. */
export const SECTIONS: readonly ChartSection[] = [
  {
    title: "Rewards",
    charts: [
      {
        id: "reward",
        title: "Total reward",
        note: "Mean over all responses of the step; the band is the mean spread (± one standard deviation) within a group.",
        unit: "number",
        curves: [
          { key: "reward.mean", label: "Total reward", color: "--series-total", spread: "reward.groupStd" },
        ],
      },
      {
        id: "reward-parts",
        title: "Rewards by part",
        note: "Before weights, 0 to 1; bands are the mean spread within a group.",
        unit: "number",
        curves: [
          { key: "format.mean", label: "Format", color: "--series-format", spread: "format.groupStd" },
          { key: "look.mean", label: "Look", color: "--series-look", spread: "look.groupStd" },
          {
            key: "accuracy.mean",
            label: "Accuracy",
            color: "--series-accuracy",
            spread: "accuracy.groupStd",
          },
        ],
      },
      {
        id: "zero-variance",
        title: "Groups without a difference",
        note: "Share of groups whose responses all earn the same: they teach nothing.",
        unit: "share",
        curves: [{ key: "zeroStdShare", label: "Zero-variance groups", color: "--series-5" }],
      },
    ],
  },
  {
    title: "Answers",
    charts: [
      {
        id: "f1",
        title: "Precision, recall, F1",
        note: "Of the sampled answers on the training pictures, at IoU 0.5.",
        unit: "number",
        curves: [
          { key: "precision", label: "Precision", color: "--series-1" },
          { key: "recall", label: "Recall", color: "--series-2" },
          { key: "f1", label: "F1", color: "--series-total" },
        ],
      },
      {
        id: "boxes",
        title: "Boxes an answer",
        note: "Answer boxes a response, and how many of them could not be used.",
        unit: "number",
        curves: [
          { key: "answerBoxes", label: "Answer boxes", color: "--series-2" },
          { key: "dropped", label: "Dropped", color: "--series-5" },
        ],
      },
      {
        id: "grades",
        title: "Parse grades",
        note: "Share of responses by how well they could be read; unread ones earn nothing.",
        unit: "share",
        stacked: true,
        range: [0, 1],
        curves: [
          { key: "grades.strict", label: "Strict", color: "--series-3" },
          { key: "grades.repaired", label: "Repaired", color: "--series-1" },
          { key: "grades.truncated", label: "Truncated", color: "--series-2" },
          { key: "grades.none", label: "Unreadable", color: "--series-5" },
        ],
      },
      {
        id: "length",
        title: "Response length",
        note: "Tokens a response: the mean, and the longest of the step.",
        unit: "number",
        curves: [
          { key: "responseTokens.mean", label: "Mean", color: "--series-1" },
          { key: "responseTokens.max", label: "Longest", color: "--series-6" },
        ],
      },
      {
        id: "cut",
        title: "Cut off, looping, repeated",
        note: "Share of responses cut at the token limit or ended by the repeat guard, and of answer boxes said twice.",
        unit: "share",
        curves: [
          { key: "truncatedShare", label: "Cut off", color: "--series-2" },
          { key: "loopShare", label: "Looping", color: "--series-5" },
          { key: "duplicateShare", label: "Repeated boxes", color: "--series-6" },
        ],
      },
    ],
  },
  {
    title: "Policy",
    charts: [
      one("kl", "kl", "KL to the reference", "How far the policy has moved, nats a token."),
      one(
        "entropy",
        "entropy",
        "Entropy",
        "Of the sampled tokens, nats a token; towards 0 it has stopped exploring.",
        "number",
        "--series-6",
      ),
      one("loss", "loss", "Loss", "Of the step; for GRPO its value says little, jumps say much."),
      one(
        "clip",
        "clipShare",
        "Clip share",
        "Share of tokens whose gradient the clip stopped.",
        "share",
        "--series-5",
      ),
      one("ratio", "meanRatio", "Mean ratio", "Of new to old probability over the tokens; near 1."),
      one("gradient", "gradNorm", "Gradient norm", "Before clipping.", "number", "--series-4"),
      one(
        "learning-rate",
        "learningRate",
        "Learning rate",
        "As the schedule gave it.",
        "number",
        "--series-3",
      ),
      one("perplexity", "perplexity", "Perplexity", "Of the teacher's text."),
    ],
  },
  {
    title: "Machinery",
    charts: [
      {
        id: "mismatch",
        title: "Sampler and trainer mismatch",
        note: "|log-probability when sampled − when trained|, nats: should be next to nothing.",
        unit: "number",
        curves: [
          { key: "logprobGap", label: "Mean", color: "--series-1" },
          { key: "maxLogprobGap", label: "Largest", color: "--series-5" },
        ],
      },
      one(
        "effective",
        "effectiveSampleShare",
        "Effective sample",
        "Share of the sample that counts after importance weights; 1 where sampler and trainer agree.",
        "share",
        "--series-3",
      ),
      {
        id: "speed",
        title: "Tokens a second",
        note: "Response tokens by the time of the whole step, and by the time of sampling alone.",
        unit: "number",
        curves: [
          { key: "tokensPerSecond", label: "Whole step", color: "--series-1" },
          { key: "sampledTokensPerSecond", label: "Sampling", color: "--series-6" },
        ],
      },
      {
        id: "seconds",
        title: "Time of a step",
        note: "Seconds by phase.",
        unit: "seconds",
        stacked: true,
        curves: [
          { key: "seconds.sample", label: "Sample", color: "--series-6" },
          { key: "seconds.reference", label: "Reference", color: "--series-4" },
          { key: "seconds.train", label: "Train", color: "--series-1" },
          { key: "seconds.optim", label: "Optimiser", color: "--series-2" },
          { key: "seconds.reward", label: "Reward", color: "--series-3" },
          { key: "seconds.prepare", label: "Prepare", color: "--series-5" },
        ],
      },
    ],
  },
];

/** Columns that are shown otherwise, or say nothing as a curve. */
const QUIET = new Set([
  "step",
  "trainedSeconds",
  "seconds.total",
  "optimizerSteps",
  "responses",
  "examples",
  "tokens",
  "reward.std",
  "format.std",
  "look.std",
  "accuracy.std",
]);

/** A colour for the n-th of several. */
export function seriesColor(index: number): `--series-${string}` {
  return `--series-${(index % 6) + 1}`;
}

/** A chart with several curves as several charts with one each: there colour can tell runs apart. */
export function splitChart(chart: ChartSpec): readonly ChartSpec[] {
  if (chart.curves.length === 1) return [chart];
  return chart.curves.map((curve) => ({
    id: `${chart.id}.${curve.key}`,
    title: `${chart.title}: ${curve.label.toLowerCase()}`,
    note: chart.note,
    unit: chart.unit,
    curves: [curve],
    ...(chart.range && { range: chart.range }),
  }));
}

/**
 * The charts for what was recorded, without those that would be empty.
 * @param keys Columns of the runs that are shown. @param several Whether more than one run is.
 */
export function chartsOf(keys: ReadonlySet<string>, several: boolean): readonly ChartSection[] {
  const known = new Set(
    SECTIONS.flatMap(({ charts }) =>
      charts.flatMap(({ curves }) => curves.flatMap(({ key, spread }) => [key, ...(spread ? [spread] : [])])),
    ),
  );
  const others = [...keys].filter((key) => !known.has(key) && !QUIET.has(key)).toSorted();
  const all: readonly ChartSection[] = [
    ...SECTIONS,
    {
      title: "Others",
      charts: others.map((key) => one(key, key, key, "Recorded by this run.")),
    },
  ];
  return all
    .map(({ title, charts }) => ({
      title,
      charts: charts.flatMap((chart) => {
        const curves = chart.curves.filter(({ key }) => keys.has(key));
        if (curves.length === 0) return [];
        return several ? splitChart({ ...chart, curves }) : [{ ...chart, curves }];
      }),
    }))
    .filter(({ charts }) => charts.length > 0);
}
