/** @file Which linear layers a LoRA recipe adapts, by PEFT's rules (tuners/tuners_utils.py, check_target_module_exists). */
import { InputError, toError } from "../base/errors.js";
import type { QwenConfig } from "./config.js";
import { EMBEDDING, HEAD, parameterShapes, PATCH_EMBEDDING } from "./parameters.js";

/**
 * PEFT's `target_modules`: a list of names, each matching modules that are called so or end in `.name`; or one regular
 * expression that must match a whole module name; or `all-linear`, every linear layer but the output head.
 */
export type LoraTargets = readonly string[] | string;

/** Every linear layer of the decoder and none of the vision tower, as a regular expression. */
export const TEXT_TARGETS =
  "model\\.language_model\\.layers\\.\\d+\\.(self_attn\\.(q|k|v|o)_proj|mlp\\.(gate|up|down)_proj)";
/** The list that LoRA recipes usually give PEFT; its MLP names also hit the MLPs of the vision tower. */
export const SUFFIX_TARGETS = [
  "q_proj",
  "k_proj",
  "v_proj",
  "o_proj",
  "gate_proj",
  "up_proj",
  "down_proj",
] as const;

/** Every linear layer by canonical module name, with its weight's shape [out, in]; the output head last, unless it is tied. */
export function linearModules(config: QwenConfig): Map<string, readonly [out: number, into: number]> {
  const modules = new Map<string, readonly [number, number]>();
  for (const [name, shape] of parameterShapes(config)) {
    if (!name.endsWith(".weight") || shape.length !== 2 || name === EMBEDDING || name === PATCH_EMBEDDING)
      continue;
    modules.set(moduleOf(name), [shape[0]!, shape[1]!]);
  }
  return modules;
}

/**
 * The modules that targets resolve to, in the model's order.
 * @param exclude PEFT's `exclude_modules`, by the same rules. @default none
 * @throws InputError when a target matches nothing, is no regular expression, or hits a layer that is not linear.
 */
export function resolveTargets(
  targets: LoraTargets,
  config: QwenConfig,
  exclude: LoraTargets = [],
): string[] {
  const linear = [...linearModules(config).keys()];
  const others = [moduleOf(EMBEDDING), moduleOf(PATCH_EMBEDDING)];
  if (targets === "all-linear") {
    const excluded = matcher(exclude, "exclude_modules");
    return linear.filter((name) => name !== moduleOf(HEAD) && !excluded(name));
  }
  const matches = matcher(targets, "target_modules");
  const excluded = matcher(exclude, "exclude_modules");
  const wrong = others.find((name) => matches(name) && !excluded(name));
  if (wrong !== undefined) {
    throw new InputError(`target_modules: "${wrong}" is not a linear layer; only those are adapted`, {
      hint: "Write longer names, a regular expression, or exclude it.",
    });
  }
  for (const target of typeof targets === "string" ? [targets] : targets) {
    const own = matcher(typeof targets === "string" ? target : [target], "target_modules");
    if (!linear.some(own)) {
      throw new InputError(`target_modules: "${target}" matches no linear layer`, {
        hint: `Layers are named like ${linear[0]} or ${linear.at(-1)}; usual targets are ${SUFFIX_TARGETS.join(", ")}.`,
      });
    }
  }
  return linear.filter((name) => matches(name) && !excluded(name));
}

function moduleOf(parameter: string): string {
  return parameter.slice(0, -".weight".length);
}

function matcher(targets: LoraTargets, key: string): (module: string) => boolean {
  if (typeof targets !== "string") {
    return (module) => targets.some((target) => module === target || module.endsWith(`.${target}`));
  }
  try {
    const whole = new RegExp(`^(?:${targets})$`, "u");
    return (module) => whole.test(module);
  } catch (error) {
    throw new InputError(`${key}: ${toError(error).message}`, { cause: error });
  }
}
