/** @file `dip-r1 score --explain`: why responses earned what they did, as text, JSON and pictures. */
import { join } from "node:path";
import type { ExplainedScores, ResponseGroup } from "../runs/score-responses.js";
import type { RewardConfig } from "../rewards/index.js";
import type { AdvantageKind } from "../rl/advantage.js";
import type { CliContext } from "./context.js";

/** What of the groups is explained, and how. */
export interface ExplainOptions {
  /** Groups of these ids only. */
  readonly id?: readonly string[];
  /** Responses at these places of their group only. */
  readonly response?: readonly number[];
  readonly json?: boolean;
  /** Folder for a picture of each group. */
  readonly pictures?: string;
}

/** What is printed as JSON: the variance map in thousandths is plenty, and a tenth of the bytes. */
function jsonOf({ image: _image, ...group }: ExplainedScores): string {
  const { disagreement } = group;
  return JSON.stringify({
    ...group,
    ...(disagreement && {
      disagreement: {
        ...disagreement,
        values: Array.from(disagreement.values, (value) => Math.round(1000 * value) / 1000),
      },
    }),
  });
}

async function writePicture(
  group: ExplainedScores,
  number: number,
  folder: string,
  { only, logger }: { readonly only?: readonly number[]; readonly logger: CliContext["logger"] },
): Promise<string> {
  const { writeFileAtomic, toError } = await import("../base/index.js");
  const { loadPixels } = await import("../datasets/index.js");
  const { explainedPicture } = await import("../study/explain-picture.js");
  const { id, image: source, truth } = group;
  const pixels = async () => {
    if (source === undefined) return undefined;
    try {
      return await loadPixels({ id, image: source, ...truth.size, objects: [], ignore: [] });
    } catch (error) {
      // Boxes on grey still tell what happened.
      logger.warn(`${id}: drawn without its picture: ${toError(error).message}`);
      return undefined;
    }
  };
  const image = await pixels();
  const png = await explainedPicture(group, { ...(image && { image }), ...(only && { only }) });
  const path = join(
    folder,
    `${String(number).padStart(3, "0")}-${id.replaceAll(/[^\w.-]+/g, "_").slice(-100)}.png`,
  );
  await writeFileAtomic(path, png);
  return path;
}

/**
 * Prints the explanations.
 * @throws InputError for an id or a response that is not there.
 */
export async function explainScores(
  groups: readonly ResponseGroup[],
  rewards: RewardConfig,
  advantage: AdvantageKind,
  options: ExplainOptions,
  { print, logger }: CliContext,
): Promise<void> {
  const { InputError } = await import("../base/index.js");
  const { explainResponses } = await import("../runs/score-responses.js");
  const strange = options.id?.find((id) => !groups.some((group) => group.id === id));
  if (strange !== undefined) throw new InputError(`--id ${strange}: no group of responses has this id`);
  // All groups are scored: advantages of the kind `batch` hang on them.
  const explained = explainResponses(groups, rewards, { advantage }).filter(
    ({ id }) => options.id?.includes(id) ?? true,
  );
  const { response: only } = options;
  const beyond = only?.find((index) => explained.every(({ responses }) => index >= responses.length));
  if (beyond !== undefined)
    throw new InputError(`--response ${beyond}: no group has so many`, {
      hint: "Responses are counted from 0.",
    });
  const { explainedGroupText, explainedResponseText } = await import("../study/explain-text.js");
  for (const [number, group] of explained.entries()) {
    const responses = group.responses.filter(({ index }) => only?.includes(index) ?? true);
    if (options.json === true) await print(jsonOf({ ...group, responses }));
    else {
      await print(`${number > 0 ? "\n" : ""}${explainedGroupText(group, group.id)}`);
      for (const response of responses) await print(`\n${explainedResponseText(response)}`);
    }
    if (options.pictures !== undefined) {
      const path = await writePicture(group, number + 1, options.pictures, { ...(only && { only }), logger });
      logger.info(path);
    }
  }
}
