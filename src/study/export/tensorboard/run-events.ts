/**
 * @file A run as TensorBoard events, in the order of its steps: settings, scalars, rollouts as text, pictures of
 * evaluations. Called again on a run that has grown, it gives what is new.
 */
import { join } from "node:path";
import { silentLogger, type Logger } from "../../../base/index.js";
import type { EvaluationLine, RunState } from "../../../runs/index.js";
import { createEvaluationPictures } from "../evaluation-pictures.js";
import { groupMarkdown, scanRollouts } from "../rollout-groups.js";
import { evaluationTag, type RunRecord } from "../run-record.js";
import { encodeSessionEnd, encodeSessionStart, type TensorBoardEvent } from "./event-proto.js";

/** What of a run is told. */
export interface RunEventsOptions {
  /** Images of the in-domain set at each evaluation; the other sets get one each; 0 = none. @default 4 */
  readonly images?: number;
  /** Steps between two whose first group is told as text, from step 1; 0 = none. @default 10 */
  readonly rolloutsEvery?: number;
  readonly logger?: Logger;
}

/** Events of a run that were not given before. */
export interface RunEvents {
  next(record: RunRecord): AsyncGenerator<TensorBoardEvent>;
}

/** `stopped` counts as success: a person or a budget ended it, and its numbers are whole. */
const STATUS = { done: "success", stopped: "success", failed: "failure" } as const;

/** Events of a run, once each. */
export function createRunEvents(run: string, options: RunEventsOptions = {}): RunEvents {
  const { images = 4, rolloutsEvery = 10, logger = silentLogger } = options;
  const given = new Set<string>();
  let pictures: ReturnType<typeof createEvaluationPictures> | undefined;
  let offset = 0;
  let ended: RunState | undefined;

  /** Whether this is the first time. */
  const isNew = (key: string): boolean => !given.has(key) && given.add(key) !== undefined;

  async function* texts(record: RunRecord): AsyncGenerator<TensorBoardEvent> {
    const times = new Map(
      record.points.filter(({ key }) => key.startsWith("train ")).map(({ step, time }) => [step, time]),
    );
    // Lines of rollouts are written before the step's metrics: what metrics know is whole.
    const upTo = Math.max(0, ...times.keys());
    const wanted = (step: number) => (step - 1) % rolloutsEvery === 0 && times.has(step);
    const scan = await scanRollouts(join(run, "rollouts.jsonl"), { wanted, upTo, from: offset });
    ({ offset } = scan);
    for (const group of scan.groups)
      if (isNew(`text ${group.step}`))
        yield {
          time: times.get(group.step)!,
          step: group.step,
          values: [{ tag: "rollouts/first_group", text: groupMarkdown(group) }],
        };
  }

  async function* pictured(line: EvaluationLine, time: number, record: RunRecord) {
    pictures ??= createEvaluationPictures(run, record.manifest, { count: images, logger });
    for (const { name, step, png, width, height } of await pictures.of(line))
      yield { time, step, values: [{ tag: `eval/${name}`, png, width, height }] };
  }

  return {
    async *next(record) {
      const { started, manifest } = record;
      if (isNew("start"))
        yield {
          time: started,
          step: 0,
          values: [
            { tag: "_hparams_/session_start_info", hparams: encodeSessionStart(record.params, started) },
            { tag: "recipe", text: recipeMarkdown(record) },
          ],
        };
      const lines = new Map(record.evaluations.map((line) => [`${evaluationTag(line)} ${line.step}`, line]));
      for (const { key, step, time, values } of record.points) {
        if (!isNew(key)) continue;
        yield { time, step, values: Object.entries(values).map(([tag, scalar]) => ({ tag, scalar })) };
        const line = lines.get(key);
        if (line !== undefined && images > 0) yield* pictured(line, time, record);
      }
      if (rolloutsEvery > 0) yield* texts(record);
      // Told again where a run was resumed and ended in another way.
      if (manifest.state !== "running" && manifest.state !== ended) {
        ended = manifest.state;
        const end = encodeSessionEnd(STATUS[manifest.state], record.ended);
        yield {
          time: record.ended,
          step: record.points.at(-1)?.step ?? 0,
          values: [{ tag: "_hparams_/session_end_info", hparams: end }],
        };
      }
    },
  };
}

/** Where the run's numbers come from, for people. */
function recipeMarkdown({ manifest, params }: RunRecord): string {
  const cell = (value: unknown) => String(value).replaceAll("|", "\\|").replaceAll(/\s+/g, " ");
  const rows = [
    ["state", manifest.state],
    ["seed", manifest.seed],
    ["code", manifest.code === undefined ? "" : `dip-r1 ${manifest.code.version}`],
    ...Object.entries(params),
  ];
  const table = rows.map(([name, value]) => `| ${cell(name)} | ${cell(value)} |`);
  return [`**${manifest.name}**`, ["| key | value |", "| --- | --- |", ...table].join("\n")].join("\n\n");
}
