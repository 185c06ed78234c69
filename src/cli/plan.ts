/** @file `dip-r1 plan`: what a recipe will take in images, rollouts, tokens, memory and money, before anything runs. */
import { Command } from "commander";
import type { Plan, PlanMemory, PlanPart } from "../runs/plan.js";
import type { PlanServer } from "../runs/plan-server.js";
import { collect, numberOption, type CliContext } from "./context.js";

interface PlanCommandOptions {
  readonly set?: readonly string[];
  readonly images: number;
  readonly gpus: number;
  readonly pricePrompt?: number;
  readonly priceResponse?: number;
  readonly priceTrain?: number;
  readonly json?: boolean;
}

const partWords: Readonly<Record<PlanPart["name"], string>> = {
  sampling: "sampling rollouts",
  recomputed: "log-probabilities again",
  reference: "log-probabilities of the reference",
  training: "training",
  evaluation: "evaluation",
};

/** 1234567 as 1.23 M. */
function short(value: number): string {
  for (const [unit, size] of [
    ["G", 1e9],
    ["M", 1e6],
    ["k", 1e3],
  ] as const)
    if (value >= 10 * size || (value >= size && size > 1e3))
      return `${(value / size).toPrecision(3)} ${unit}`;
  return String(Math.round(value));
}

const gigabytes = (bytes: number): string => `${(bytes / 2 ** 30).toFixed(2)} GiB`;

function localLines(memory: PlanMemory): string[] {
  return [
    `memory of the local engine, by shapes: ${gigabytes(memory.total)} (ONNX Runtime and Node come on top)`,
    `  ${short(memory.parameters)} parameters, ${short(memory.trainable)} of them trained`,
    `  weights ${gigabytes(memory.weights)}, copies ${gigabytes(memory.copies)}, gradients ${gigabytes(memory.gradients)}, ` +
      `AdamW ${gigabytes(memory.optimizer)}, cache ${gigabytes(memory.cache)}, activations ${gigabytes(memory.activations)}`,
  ];
}

function serverLines({ gpus, parameters, trained, trainer, sampler }: PlanServer): string[] {
  return [
    `memory of each of ${gpus} GPUs, by shapes, for FSDP and vLLM in bf16 (docs/cluster.md has the formulas; not measured)`,
    `  ${short(parameters)} parameters, ${short(trained)} numbers trained`,
    `  trainer ${gigabytes(trainer.total)}: weights ${gigabytes(trainer.weights)}, AdamW ${gigabytes(trainer.optimizer)}, ` +
      `gathered ${gigabytes(trainer.gathered)}, activations ${gigabytes(trainer.activations)}, logits ${gigabytes(trainer.logits)}`,
    `  sampler ${gigabytes(sampler.total)}: weights ${gigabytes(sampler.weights)}, cache ${gigabytes(sampler.cache)}`,
  ];
}

/** The plan as lines for people. */
export function planLines(plan: Plan, labels: readonly string[]): string[] {
  const { sample, parts, memory, server, tokens, cost } = plan;
  const lengths = ({ mean, p95, max }: Plan["sample"]["prompt"]) =>
    `mean ${mean.toFixed(0)}, 95 % within ${p95}, most ${max}`;
  const share = (100 * sample.truncatedShare).toFixed(0);
  return [
    `${plan.kind.toUpperCase()}, ${plan.steps} steps${plan.minutes === null ? "" : ` at most (${plan.minutes} minutes may end it earlier)`}`,
    "",
    `tokens, from ${sample.images} training images (${sample.objects.mean.toFixed(1)} ${labels.join("/")} an image, most ${sample.objects.max})`,
    `  picture          ${lengths(sample.picture)}`,
    `  prompt           ${lengths(sample.prompt)}`,
    `  complete answer  ${lengths(sample.answer)}`,
    ...(sample.truncatedShare > 0
      ? [
          `  ${share} % of the images have more ground truth than the longest response can say: raise sampling.maxTokens`,
        ]
      : []),
    "",
    "work                                  images  sequences  prompt tokens  response tokens (most)",
    ...parts.map(
      (part) =>
        `  ${partWords[part.name].padEnd(34)}${short(part.images).padStart(8)}${short(part.sequences).padStart(11)}` +
        `${short(part.promptTokens).padStart(15)}${short(part.responseTokens).padStart(12)} (${short(part.mostResponseTokens)})`,
    ),
    `  all tokens: ${short(tokens.expected)} if answers are complete ones, ${short(tokens.most)} at most`,
    ...(memory === null ? [] : ["", ...localLines(memory)]),
    ...(server === null ? [] : ["", ...serverLines(server)]),
    ...(cost === null
      ? []
      : [
          "",
          `cost at the prices given: ${cost.expected.toFixed(2)} if answers are complete ones, ${cost.most.toFixed(2)} at most`,
        ]),
  ];
}

async function planRun(path: string, options: PlanCommandOptions, { print }: CliContext): Promise<void> {
  const { loadRecipe } = await import("../runs/recipe.js");
  const { planRecipe } = await import("../runs/plan-recipe.js");
  const loaded = await loadRecipe(path, { set: [...(options.set ?? [])] });
  const { pricePrompt, priceResponse, priceTrain } = options;
  const priced = [pricePrompt, priceResponse, priceTrain].some((price) => price !== undefined);
  const plan = await planRecipe(loaded, {
    images: options.images,
    gpus: options.gpus,
    ...(priced && {
      prices: { prompt: pricePrompt ?? 0, response: priceResponse ?? 0, train: priceTrain ?? 0 },
    }),
  });
  if (options.json === true) await print(JSON.stringify(plan));
  else for (const line of planLines(plan, loaded.recipe.data.labels)) await print(line);
}

/** The command. */
export function planCommand(context: CliContext): Command {
  const price = (name: string) => numberOption(name, { min: 0 });
  return new Command("plan")
    .description(
      "what a recipe will take in images, rollouts, tokens, memory and money, before anything runs",
    )
    .argument("<recipe>", "YAML file")
    .option("--set <key=value>", "change a key of the recipe (repeatable)", collect)
    .option(
      "--images <n>",
      "training images to look at",
      numberOption("--images", { min: 1, integer: true }),
      64,
    )
    .option(
      "--gpus <n>",
      "GPUs of the server, for engine.kind tinker",
      numberOption("--gpus", { min: 1, integer: true }),
      1,
    )
    .option("--price-prompt <p>", "price of a million prompt tokens", price("--price-prompt"))
    .option("--price-response <p>", "price of a million response tokens", price("--price-response"))
    .option("--price-train <p>", "price of a million tokens trained on or scored", price("--price-train"))
    .option("--json", "one JSON object on stdout, nothing else")
    .action((path: string, options: PlanCommandOptions) => planRun(path, options, context));
}
