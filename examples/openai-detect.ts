/**
 * @file People in a picture by a model behind an OpenAI-compatible server, as boxes in the picture's own pixels. Outside of
 * this repository the imports are `dip-r1`, `dip-r1/geometry`, `dip-r1/openai` and `dip-r1/response`.
 *
 * To run it on a server of one's own:
 *   node --import tsx examples/openai-detect.ts http://127.0.0.1:8000/v1 Qwen/Qwen2.5-VL-3B-Instruct vllm qwen2.5-vl street.jpg
 */
import { fileURLToPath } from "node:url";
import type { RgbImage } from "../src/base/index.js";
import { decodeImage } from "../src/datasets/index.js";
import { fitPicture, loadProfile, openOpenAiModel } from "../src/engines/openai/index.js";
import { convertBox, coordinateProfiles, type Box } from "../src/geometry/index.js";
import { dialectPrompt, profileOf, readDialect } from "../src/response/index.js";

/** Where to ask, whom, and how it writes boxes. */
export interface Served {
  /** As `http://127.0.0.1:8000/v1`. */
  readonly baseUrl: string;
  readonly model: string;
  /** Kind of server, or the file that `dip-r1 calibrate` wrote. */
  readonly server: string;
  /** How the model writes boxes: declared, never guessed. */
  readonly dialect: string;
}

/** Boxes of everyone the model finds. @throws Error where the answer is not in the dialect that was declared */
export async function findPeople(
  image: RgbImage,
  { baseUrl, model, server, dialect }: Served,
): Promise<Box<"image">[]> {
  const profile = await loadProfile({ profile: server, dialect });
  const served = await openOpenAiModel({ baseUrl, model, profile });
  try {
    // At a size that the server's own resize leaves alone, so that its pixels are ours.
    const sent = fitPicture(image, profile.picture);
    const text = dialectPrompt(profile.dialect, ["person"]);
    const chunks = served.encodePrompt({ text, images: [sent] });
    const [rollout] = await served.sampler.sample(
      { chunks },
      { n: 1, maxTokens: 2048, temperature: 0, seed: 0, stop: [], maxBoxRepeats: 4 },
    );
    const said = served.codec.decode(rollout!.tokens);
    const { answer, mismatch } = readDialect(said, { ...profile.dialect, reading: profile.reading }, sent);
    if (mismatch !== undefined) throw new Error(mismatch);
    const frame = coordinateProfiles[profileOf(profile.reading)];
    return (answer?.boxes ?? []).map(({ box }) =>
      convertBox(box, frame, "image", { image: { width: image.width, height: image.height }, model: sent }),
    );
  } finally {
    await served.close();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [, , baseUrl, model, server, dialect, file] = process.argv;
  if (file === undefined) throw new Error("usage: openai-detect.ts URL MODEL SERVER DIALECT PICTURE");
  const boxes = await findPeople(await decodeImage(file), {
    baseUrl: baseUrl!,
    model: model!,
    server: server!,
    dialect: dialect!,
  });
  console.log(JSON.stringify(boxes));
}
