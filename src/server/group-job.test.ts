import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expectedScores as scoresOf, makeGroup, truthOfGroup } from "../../test/support/reward-groups.js";
import { defaultRewardConfig } from "../rewards/index.js";
import { scoreJob, type GroupJob, type JobOptions } from "./group-job.js";

/** What the library says, in the form of the server. */
const expectedScores = (...args: Parameters<typeof scoresOf>) =>
  scoresOf(...args).map(({ matches, ...rest }) => {
    expect(matches.length).toBeGreaterThanOrEqual(rest.truePositives);
    return rest;
  });

const options: JobOptions = { rewards: defaultRewardConfig, responseBoxes: 2000 };
const seeds = fc.integer({ min: 0, max: 10_000 });
const jobOf = (seed: number): { group: ReturnType<typeof makeGroup>; job: GroupJob } => {
  const group = makeGroup(seed, { responses: 5 });
  return { group, job: { truth: truthOfGroup(group), responses: group.responses, withoutLook: false } };
};

describe("scoreJob", () => {
  it("gives what the library gives, watched or not", () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const { group, job } = jobOf(seed);
        const expected = expectedScores(group, defaultRewardConfig);
        expect(scoreJob(job, options)).toEqual(expected);
        const announced: number[] = [];
        expect(scoreJob(job, { ...options, announce: (index) => announced.push(index) })).toEqual(expected);
        expect(announced).toEqual([0, 1, 2, 3, 4, 5]);
      }),
      { numRuns: 30 },
    );
  });

  it("without the look reward gives the total without its term", () => {
    const rewards = { ...defaultRewardConfig, weights: { ...defaultRewardConfig.weights, look: 0 } };
    fc.assert(
      fc.property(seeds, (seed) => {
        const { group, job } = jobOf(seed);
        const expected = expectedScores(group, rewards).map((score) => ({ ...score, look: null }));
        expect(scoreJob({ ...job, withoutLook: true }, options)).toEqual(expected);
        const alone = group.responses.flatMap((text) =>
          scoreJob({ ...job, withoutLook: true, responses: [text] }, options),
        );
        expect(alone).toEqual(expected);
      }),
      { numRuns: 30 },
    );
  });

  it("scores the others as if an excluded response had found nobody", () => {
    const { group, job } = jobOf(1);
    const error = { code: "over-time", message: "slow" } as const;
    const scores = scoreJob(job, { ...options, excluded: new Map([[2, error]]) });
    const responses = group.responses.with(2, "");
    const expected = expectedScores({ ...group, responses }, defaultRewardConfig);
    expect(scores.toSpliced(2, 1)).toEqual(expected.toSpliced(2, 1));
    expect(scores[2]).toMatchObject({ total: 0, look: 0, grade: "none", error });
  });
});
