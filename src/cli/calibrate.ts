/** @file `dip-r1 calibrate`: which frame, scale and order a served model really answers in, measured with rectangles. */
import { Command } from "commander";
import { InputError, UnavailableError } from "../base/errors.js";
import type { Calibration, CalibrationAnswer, ReadingFit } from "../engines/openai/calibration/measure.js";
import type { OpenAiProfile, ProfileFile } from "../engines/openai/index.js";
import type { Dialect, DialectName } from "../response/index.js";
import { numberOption, type CliContext } from "./context.js";
import { addServerOptions, type OpenAiOptions } from "./openai-options.js";

interface CalibrateOptions extends OpenAiOptions {
  readonly model: string;
  readonly pictures: number;
  readonly maxTokens: number;
  readonly out?: string;
}

const scaleWords: Readonly<Record<ReadingFit["scale"], string>> = {
  model: "pixels of the picture sent",
  norm1000: "thousandths of the picture",
  norm1: "shares of the picture from 0 to 1",
  own: "pixels of a canvas of the server's own",
};
const layoutWords: Readonly<Record<ReadingFit["layout"], string>> = {
  xyxy: "x1, y1, x2, y2",
  xywh: "x, y, width, height",
  cxcywh: "centre x, centre y, width, height",
  yxyx: "y1, x1, y2, x2",
};
const words = ({ scale, layout }: ReadingFit): string => `${scaleWords[scale]} (${layoutWords[layout]})`;

/** Asks about every picture, at temperature 0. */
async function ask(profile: OpenAiProfile, options: CalibrateOptions, { logger }: CliContext) {
  const { openOpenAiModel } = await import("../engines/openai/index.js");
  const { fitPicture } = await import("../engines/openai/picture.js");
  const { calibrationLabels, calibrationScenes } = await import("../engines/openai/calibration/scene.js");
  const { convertBox } = await import("../geometry/index.js");
  const { dialectPrompt, formsSeen } = await import("../response/index.js");
  const { writtenBoxes } = await import("../rl/index.js");
  const baseUrl = options.baseUrl ?? profile.server.baseUrl;
  if (baseUrl === undefined) throw new InputError(`--base-url is missing: where is ${profile.server.title}?`);
  const model = await openOpenAiModel({
    baseUrl,
    model: options.model,
    profile,
    apiKeyEnv: options.apiKeyEnv,
    ...(options.concurrency !== undefined && { concurrency: options.concurrency }),
    ...(options.stream !== undefined && { stream: options.stream }),
    ...(options.timeout !== undefined && { idleTimeout: 1000 * options.timeout }),
    logprobs: false,
    logger,
  });
  try {
    const text = dialectPrompt(profile.dialect, calibrationLabels);
    const scenes = calibrationScenes(options.pictures).map(({ image, objects }) => {
      const sent = fitPicture(image, profile.picture);
      const sizes = { image, model: { width: sent.width, height: sent.height } };
      return { sent, truth: objects.map(({ box }) => convertBox(box, "image", "model", sizes)) };
    });
    const params = {
      n: 1,
      temperature: 0,
      maxTokens: options.maxTokens,
      maxBoxRepeats: 8,
      seed: 0,
      stop: [],
    };
    const rollouts = await model.sampler.sampleBatch(
      scenes.map(({ sent }) => ({ chunks: model.encodePrompt({ text, images: [sent] }) })),
      scenes.map(() => params),
    );
    const texts = rollouts.map(([rollout]) => {
      const said = model.codec.decode(rollout!.tokens);
      return said.slice(said.lastIndexOf("</think>") + 1);
    });
    const answers = scenes.map(({ sent, truth }, i): CalibrationAnswer => ({
      written: writtenBoxes(texts[i]!),
      truth,
      sent: { width: sent.width, height: sent.height },
    }));
    return { answers, texts, forms: texts.flatMap((said) => formsSeen(said)) };
  } finally {
    await model.close();
  }
}

/** The dialect that is spoken: the one that was asked in, or one of the form that most answers have. */
async function spokenDialect(asked: Dialect, forms: readonly string[], best: ReadingFit): Promise<Dialect> {
  const { dialectNames, dialectOf } = await import("../response/index.js");
  const count = (form: string): number => forms.filter((one) => one === form).length;
  const [form] = [...new Set(forms)].sort((a, b) => count(b) - count(a));
  // Bare JSON is how Think-Look-Answer comes out of a model that was not trained to it.
  if (form === undefined || form === asked.form || asked.form === "think-look-answer") return asked;
  const same = dialectNames.map((name) => dialectOf(name)).filter((one) => one.form === form);
  const scale = (one: Dialect) => (one.reading.scale === "norm999" ? "norm1000" : one.reading.scale);
  return (
    same.find((one) => scale(one) === best.scale && one.reading.layout === best.layout) ?? same[0] ?? asked
  );
}

/** Where a server brings pictures to sizes of its own: as many pixels as it leaves alone, if that is what it does. */
function ownPixels({ best }: Calibration, answers: readonly CalibrationAnswer[]): number | undefined {
  const known = (best.canvases ?? []).flatMap((canvas, i) =>
    canvas === undefined ? [] : [{ canvas, sent: answers[i]!.sent }],
  );
  const kept = known.every(
    ({ canvas, sent }) => Math.abs((canvas.width * sent.height) / (canvas.height * sent.width) - 1) < 0.04,
  );
  const smaller = known.filter(({ canvas, sent }) => canvas.width < 0.98 * sent.width);
  if (!kept || smaller.length === 0) return undefined;
  return Math.min(...smaller.map(({ canvas }) => canvas.width * canvas.height));
}

function table({ best, second, boxes }: Calibration): string[] {
  const line = (name: string, fit: ReadingFit) =>
    `  ${name} ${fit.fit.toFixed(3)}  ${words(fit)}: ${fit.found} of ${fit.of} found, mean IoU ${fit.meanIou.toFixed(3)}`;
  const axis = (name: string, { slope, offset }: ReadingFit["x"]) =>
    `${name} = ${offset.toFixed(4)} + ${slope.toFixed(4)} x true`;
  return [
    `${boxes} boxes written`,
    line("best  ", best),
    ...(second === undefined ? [] : [line("second", second)]),
    `  edges, in shares of a side: ${axis("x", best.x)}, ${axis("y", best.y)}`,
  ];
}

async function calibrate(options: CalibrateOptions, context: CliContext): Promise<void> {
  const { print, logger } = context;
  const { loadProfile } = await import("../engines/openai/index.js");
  const { measureFrame } = await import("../engines/openai/calibration/measure.js");
  const { stringify } = await import("yaml");
  const { writeFileAtomic } = await import("../base/index.js");
  if (options.server === undefined)
    throw new InputError(
      "--server is missing: vllm, sglang, llama.cpp, ollama, transformers, hosted or a file",
    );
  let profile = await loadProfile({
    profile: options.server,
    dialect: options.dialect,
    maxPixels: options.maxPixels,
  });
  let { answers, texts, forms } = await ask(profile, options, context);
  let measured = measureFrame(answers);
  for (const line of table(measured)) logger.info(line);
  if (measured.clear && measured.best.scale === "own") {
    const pixels = ownPixels(measured, answers);
    if (pixels !== undefined) {
      logger.info(
        `the server shrinks pictures to about ${pixels} pixels; asked again with pictures within that`,
      );
      const { factor, minPixels } = profile.picture ?? { factor: 28, minPixels: 28 * 28 };
      const picture = { factor, minPixels: Math.min(minPixels, pixels), maxPixels: pixels };
      profile = { ...profile, picture };
      ({ answers, texts, forms } = await ask(profile, options, context));
      measured = measureFrame(answers);
      for (const line of table(measured)) logger.info(line);
    }
  }
  const { best, clear, reason } = measured;
  if (!clear || best.scale === "own") {
    const canvases = (best.canvases ?? []).map((canvas) =>
      canvas ? `${canvas.width} x ${canvas.height}` : "?",
    );
    throw new UnavailableError(
      clear
        ? `the numbers are pixels of canvases of the server's own (${canvases.join(", ")}), which no profile can say`
        : `cannot tell what the numbers are: ${reason}`,
      {
        hint: `The first answer was: ${JSON.stringify(texts[0]?.slice(0, 160) ?? "")}. Ask in another dialect (--dialect), best one in thousandths.`,
      },
    );
  }
  const dialect = await spokenDialect(profile.dialect, forms, best);
  if (dialect.name !== profile.dialect.name)
    logger.warn(`asked in ${profile.dialect.name}, answered in the form of ${dialect.name}`);
  const declared = dialect.reading.scale === "norm999" ? "norm1000" : dialect.reading.scale;
  const other = declared !== best.scale || dialect.reading.layout !== best.layout;
  if (other) logger.warn(`${dialect.name} is not what the server speaks: the numbers are ${words(best)}`);
  const round = (value: number): number => Number(value.toFixed(4));
  const file: ProfileFile = {
    kind: "openai-profile",
    server: profile.server.name as ProfileFile["server"],
    dialect: dialect.name as DialectName,
    ...(other && { reading: { scale: best.scale, layout: best.layout } }),
    // What was sent is what was measured.
    picture: profile.picture ?? null,
    ...(profile.extra !== undefined && { extra: { ...profile.extra } }),
    measured: {
      model: options.model,
      date: new Date().toISOString().slice(0, 10),
      numbers: words(best),
      fit: round(best.fit),
      second: measured.second === undefined ? null : round(measured.second.fit),
      found: `${best.found} of ${best.of}`,
      meanIou: round(best.meanIou),
      x: { slope: round(best.x.slope), offset: round(best.x.offset) },
      y: { slope: round(best.y.slope), offset: round(best.y.offset) },
    },
  };
  const yaml = stringify(file);
  if (options.out === undefined) await print(yaml.trimEnd());
  else {
    await writeFileAtomic(options.out, yaml);
    logger.info(`profile in ${options.out}; use it by --server ${options.out}`);
    await print(`${dialect.name}: ${words(best)}, mean IoU ${best.meanIou.toFixed(3)}`);
  }
}

/** The command. */
export function calibrateCommand(context: CliContext): Command {
  const command = new Command("calibrate")
    .description(
      "measure with drawn rectangles which numbers a served model really writes, and write its profile",
    )
    .requiredOption("--model <name>", "the model's name as the server lists it");
  return addServerOptions(command)
    .option(
      "--pictures <n>",
      "pictures to ask about",
      numberOption("--pictures", { min: 2, max: 6, integer: true }),
      6,
    )
    .option(
      "--max-tokens <n>",
      "longest answer, tokens",
      numberOption("--max-tokens", { min: 1, integer: true }),
      1024,
    )
    .option("--out <file>", "write the profile (YAML) here (default: to stdout)")
    .action((options: CalibrateOptions) => calibrate(options, context));
}
