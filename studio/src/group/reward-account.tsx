/** @file How a response's numbers make its total, part by part, and why each is what it is. */
import type { ExplainedTerm } from "../../../src/rewards/index.js";
import type { RewardConfig } from "../../../src/rewards/types.js";

/** What was recorded when the reward was earned. */
export interface RecordedReward {
  readonly format: number;
  readonly look: number;
  readonly accuracy: number;
  readonly total: number;
}

const PARTS = ["format", "look", "accuracy"] as const;
const three = (value: number) => value.toFixed(3);

/** A bar of the parts' shares of the greatest total that these weights can give. */
export function RewardBar({
  reward,
  weights,
}: {
  readonly reward: RecordedReward;
  readonly weights: RewardConfig["weights"];
}) {
  const most = PARTS.reduce((sum, part) => sum + weights[part], 0);
  const shares = PARTS.map((part) => ({ part, share: (weights[part] * reward[part]) / (most || 1) }));
  return (
    <span
      class="reward-bar"
      role="img"
      aria-label={`of at most ${most}: ${PARTS.map((part) => `${part} ${three(weights[part] * reward[part])}`).join(", ")}`}
    >
      {shares.map(({ part, share }) => (
        <span
          key={part}
          class={`reward-part reward-${part}`}
          style={{ width: `${Math.max(0, 100 * share)}%` }}
        />
      ))}
    </span>
  );
}

/** The sum as a table. */
export function RewardAccount({
  reward,
  weights,
  terms,
}: {
  readonly reward: RecordedReward;
  readonly weights: RewardConfig["weights"];
  readonly terms?: readonly ExplainedTerm[] | undefined;
}) {
  return (
    <table class="table reward-account">
      <thead>
        <tr>
          <th scope="col">Reward</th>
          <th scope="col" class="number">
            value
          </th>
          <th scope="col" class="number">
            × weight
          </th>
          <th scope="col" class="number">
            adds
          </th>
        </tr>
      </thead>
      {PARTS.map((part) => (
        <tbody key={part}>
          <tr>
            <th scope="row">
              <span class={`reward-key reward-${part}`} aria-hidden="true" /> {part}
            </th>
            <td class="number">{three(reward[part])}</td>
            <td class="number">{weights[part]}</td>
            <td class="number">{three(weights[part] * reward[part])}</td>
          </tr>
          <tr>
            <td colSpan={4} class="reward-because">
              {terms?.find((term) => term.part === part)?.because ?? "not explained"}
            </td>
          </tr>
        </tbody>
      ))}
      <tfoot>
        <tr>
          <th scope="row">total</th>
          <td />
          <td />
          <td class="number">
            <strong>{three(reward.total)}</strong>
          </td>
        </tr>
      </tfoot>
    </table>
  );
}
