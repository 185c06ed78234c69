/** @file One group, whole: read from its place in rollouts.jsonl, and explained by the code that scored it. */
import type { Box } from "../../geometry/box.js";
import { parseResponse } from "../../response/index.js";
import type { ParsedBox } from "../../response/types.js";
import { explainGroup, type ExplainedGroup } from "../../rewards/index.js";
import { storedGroup, type RolloutLine } from "../../runs/index.js";
import { HttpError } from "../http-error.js";
import type {
  Corners,
  GroupDetail,
  GroupDisagreement,
  GroupPlace,
  GroupResponse,
  WrittenBox,
} from "./api.js";
import { failuresOf } from "./group-index.js";
import { heatGrid, heatOfAnswers } from "./heat.js";
import { imagePath } from "./image-path.js";
import { scanRollout } from "./rollout-scan.js";
import { readSlice } from "./safe-file.js";
import type { StudioRun } from "./studio-run.js";
import { textStretches } from "./text-stretches.js";

/** [x1, y1, x2, y2] of a box. */
export const cornersOf = ({ x1, y1, x2, y2 }: Box): Corners => [x1, y1, x2, y2];

/** The recorded boxes with their places in the text; 0, 0 where today's parser reads other boxes than were recorded. */
function written(boxes: readonly Corners[], parsed: readonly ParsedBox[]): WrittenBox[] {
  return boxes.map((box, i) => {
    if (parsed.length !== boxes.length) return { box, start: 0, end: 0 };
    const { label, start, end } = parsed[i]!;
    return { box, ...(label !== undefined && { label }), start, end };
  });
}

/** The instance kinds pay by boxes, not by a grid: the map is drawn for them all the same, as a picture. */
function disagreementOf(
  { disagreement, spots, uncertain, truth, config }: ExplainedGroup<"model">,
  answers: readonly (readonly Box<"model">[])[],
): GroupDisagreement {
  const grid = disagreement ? heatGrid(disagreement) : heatOfAnswers(truth.size, answers, config.look);
  return {
    ...(grid && { grid }),
    ...(spots && {
      spots: spots.map(({ box, share, peak }) => ({ box: cornersOf(box), share, peak })),
    }),
    ...(uncertain && { uncertain: uncertain.map(cornersOf) }),
  };
}

/** Totals that differ by no more were computed alike. */
const SAME = 1e-6;

/**
 * Reads and explains a group.
 * @throws HttpError `not-found` for a step or sample that is not there
 */
export async function groupDetail(run: StudioRun, step: number, sample: string): Promise<GroupDetail> {
  const { groups: index } = run;
  await Promise.all([index.tail.refresh(), run.tokens.tail.refresh()]);
  const places = index.of(sample);
  const at = places.find((place) => index.groups[place]!.step === step);
  if (at === undefined)
    throw new HttpError("not-found", `${run.id}: step ${step} has no group of the image ${sample}`, {
      hint:
        places.length === 0
          ? "No step trained on it so far; GET .../groups lists what there is."
          : `Steps that trained on it: ${places.map((place) => index.groups[place]!.step).join(", ")}.`,
    });
  const { start, end } = index.groups[at]!;
  const bytes = await readSlice(run.path, ["rollouts.jsonl"], start, end - start);
  const texts = bytes
    .toString("latin1")
    .split("\n")
    .filter((line) => line !== "");
  const lines = texts.map((line) => JSON.parse(Buffer.from(line, "latin1").toString("utf8")) as RolloutLine);
  const { rewards, data } = run.manifest.recipe;
  const { truth } = storedGroup(lines, data.labels[0]!);
  const explained =
    lines.length < 2
      ? undefined
      : explainGroup(
          truth,
          lines.map(({ text }) => text),
          rewards,
        );
  const responses = await Promise.all(
    lines.map(async (line, i): Promise<GroupResponse> => {
      const parsed = parseResponse<"model">(line.text, truth.size);
      const why = explained?.responses[i];
      return {
        index: line.index,
        text: line.text,
        stretches: textStretches(line.text),
        grade: line.grade,
        stopReason: line.stopReason,
        tokens: line.tokens,
        regions: written(line.regions, parsed.look?.boxes ?? []),
        answer: written(line.boxes, parsed.answer?.boxes ?? []),
        matches: line.matches,
        format: line.format,
        look: line.look,
        accuracy: line.accuracy,
        total: line.total,
        advantage: line.advantage,
        failures: failuresOf(scanRollout(texts[i]!)!, truth.objects.length),
        ...(why && { explained: why }),
        track: await run.tokens.read(step, sample, line.index),
      };
    }),
  );
  const place = (i: number): GroupPlace | null => {
    const group = index.groups[i];
    return group === undefined ? null : { step: group.step, sample: group.sample };
  };
  return {
    run: run.id,
    step,
    sample,
    canvas: truth.size,
    image: imagePath(run.id, "train", sample),
    truth: {
      objects: truth.objects.map(({ box, label }) => ({ box: cornersOf(box), label })),
      ignore: truth.ignore.map(cornersOf),
    },
    responses,
    disagreement:
      explained === undefined
        ? {}
        : disagreementOf(
            explained,
            lines.map(({ boxes }) => boxes.map(([x1, y1, x2, y2]) => ({ x1, y1, x2, y2 }))),
          ),
    rewards,
    agrees: explained?.responses.every(({ total }, i) => Math.abs(total - lines[i]!.total) <= SAME) ?? true,
    previous: place(at - 1),
    next: place(at + 1),
    steps: [...new Set(places.map((one) => index.groups[one]!.step))],
  };
}
