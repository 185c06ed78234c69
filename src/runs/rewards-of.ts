/** @file The reward choices of a recipe file or of a preset named alone. */
import { loadRecipe } from "./recipe.js";
import { presets, type PresetName } from "./presets.js";
import { grpoSchema, rewardsSchema } from "./recipe-schema.js";
import type { RewardConfig } from "../rewards/index.js";
import type { AdvantageKind } from "../rl/advantage.js";

/**
 * How rewards and advantages are made.
 * @param recipe path of a recipe, or the name of a preset.
 * @throws InputError where it is neither.
 */
export async function rewardsOf(
  recipe: string,
): Promise<{ rewards: RewardConfig; advantage: AdvantageKind }> {
  if (Object.hasOwn(presets, recipe)) {
    const { rewards, grpo } = presets[recipe as PresetName];
    return { rewards: rewardsSchema.parse(rewards), advantage: grpoSchema.parse(grpo).advantage };
  }
  const { recipe: loaded } = await loadRecipe(recipe);
  return {
    rewards: loaded.rewards,
    advantage: loaded.kind === "grpo" ? loaded.grpo.advantage : "group",
  };
}
