/** @file Groups of responses to made scenes with what they must earn, for tests and benches of the reward server. */
import { createRng, deriveSeed, type Rng } from "../../src/base/index.js";
import type { Box } from "../../src/geometry/index.js";
import { parseResponse, renderResponse } from "../../src/response/index.js";
import {
  scoreGroup,
  type ResponseScore,
  type RewardConfig,
  type RewardTruth,
} from "../../src/rewards/index.js";

/** One group: as a request has it, and as the library scores it. */
export interface MadeGroup {
  readonly id: string;
  readonly width: number;
  readonly height: number;
  readonly objects: readonly {
    readonly bbox: readonly [number, number, number, number];
    readonly label: string;
  }[];
  readonly ignore: readonly (readonly [number, number, number, number])[];
  readonly responses: readonly string[];
}

function someBox(rng: Rng, width: number, height: number): Box {
  const x1 = rng.int(0, width - 20);
  const y1 = rng.int(0, height - 40);
  return { x1, y1, x2: Math.min(width, x1 + rng.int(8, 60)), y2: Math.min(height, y1 + rng.int(16, 120)) };
}

const cornersOf = ({ x1, y1, x2, y2 }: Box) => [x1, y1, x2, y2] as const;

/** A scene of people, and responses that each miss some, invent some, and now and then break the form. */
export function makeGroup(
  seed: number,
  options: {
    readonly people?: number;
    readonly responses?: number;
    /** Share of the people that a response misses. @default 0.2 */
    readonly miss?: number;
  } = {},
): MadeGroup {
  const rng = createRng(deriveSeed(seed, "group"));
  const { people = rng.int(1, 12), responses = 4, miss = 0.2 } = options;
  const [width, height] = [640, 480];
  const truth = Array.from({ length: people }, () => someBox(rng, width, height));
  const shifted = (box: Box): Box => {
    const [dx, dy] = [rng.int(-4, 4), rng.int(-4, 4)];
    return {
      x1: Math.max(0, box.x1 + dx),
      y1: Math.max(0, box.y1 + dy),
      x2: box.x2 + dx + 5,
      y2: box.y2 + dy + 5,
    };
  };
  return {
    id: `group-${seed}`,
    width,
    height,
    objects: truth.map((box) => ({ bbox: cornersOf(box), label: "person" })),
    ignore: [cornersOf(someBox(rng, width, height))],
    responses: Array.from({ length: responses }, () => {
      const found = truth.filter(() => rng.next() >= miss).map(shifted);
      const answer = [...found, ...(rng.next() < 0.4 ? [someBox(rng, width, height)] : [])];
      const text = renderResponse({
        think: `${answer.length} people`,
        look: rng.next() < 0.6 ? [rng.pick(truth)] : [],
        answer: answer.map((box) => ({ box, label: "person" })),
      });
      return rng.next() < 0.1 ? text.slice(0, -20) : text;
    }),
  };
}

/** The ground truth for the rewards. */
export function truthOfGroup({ width, height, objects, ignore }: MadeGroup): RewardTruth {
  const box = ([x1, y1, x2, y2]: readonly [number, number, number, number]) => ({ x1, y1, x2, y2 });
  return {
    size: { width, height },
    objects: objects.map(({ bbox, label }) => ({ box: box(bbox), label })),
    ignore: ignore.map(box),
  };
}

/** What the library says that each response earns. */
export function expectedScores(group: MadeGroup, rewards: RewardConfig): readonly ResponseScore[] {
  const truth = truthOfGroup(group);
  return scoreGroup(
    truth,
    group.responses.map((text) => parseResponse(text, truth.size)),
    rewards,
  ).responses;
}

/** The group as `/v1/score` takes it. */
export function requestOf({ id, responses, ...truth }: MadeGroup) {
  const { width, height, objects, ignore } = truth;
  return { group_id: id, truth: { width, height, objects, ignore }, responses };
}
