/**
 * @file `npm run test:serve`: a real `transformers serve` with the tiny Qwen2.5-VL of the fixtures, asked over HTTP through
 * this project's own client; its greedy answers must be those of the local engine on the same checkpoint, character by
 * character. Needs a Python with `transformers[serving]`, torch and torchvision, named by SERVE_PYTHON.
 */
import { execFileSync, spawn } from "node:child_process";
import { createServer, type AddressInfo } from "node:net";
import { parseArgs } from "node:util";
import { decodeImage } from "../src/datasets/index.js";
import { openLocalModel } from "../src/engines/index.js";
import { openOpenAiModel, profileFrom } from "../src/engines/openai/index.js";
import { fitPicture } from "../src/engines/openai/picture.js";
import { promptText } from "../src/response/index.js";
import { fixture } from "../test/qwen-fixture.js";

const { values } = parseArgs({ options: { tokens: { type: "string", default: "48" } } });
const python = process.env["SERVE_PYTHON"] ?? "python3";
const modelDir = fixture("model");
const maxTokens = Number(values.tokens);

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** What the Python has, in a line; a word and the end where it lacks something. */
function versionsOf(code: string): string {
  try {
    return execFileSync(python, ["-c", code], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }).trim();
  } catch (error) {
    const { stderr = String(error) } = error as { stderr?: string };
    console.error(`error: ${python}: ${stderr.trim().split("\n").at(-1)}`);
    console.error(
      "hint: SERVE_PYTHON names a Python with `pip install transformers[serving] torch torchvision`.",
    );
    process.exit(2);
  }
}

const versions = versionsOf(
  "import sys, torch, torchvision, transformers, fastapi, uvicorn\n" +
    "print(f'python {sys.version.split()[0]}, torch {torch.__version__}, torchvision {torchvision.__version__}, " +
    "transformers {transformers.__version__}, fastapi {fastapi.__version__}, uvicorn {uvicorn.__version__}')",
);
console.log(`node ${process.version}, ${versions}`);

const port = await freePort();
const log: string[] = [];
const server = spawn(
  python,
  [
    "-m",
    "transformers.cli.transformers",
    "serve",
    modelDir,
    "--host",
    "127.0.0.1",
    "--port",
    String(port),
    "--device",
    "cpu",
    "--dtype",
    "float32",
  ],
  { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, HF_HUB_OFFLINE: "1", OMP_NUM_THREADS: "1" } },
);
for (const stream of [server.stdout, server.stderr])
  stream.on("data", (data: Buffer) => log.push(data.toString("utf8")));
let ended = false;
server.on("exit", () => (ended = true));

async function ready(): Promise<void> {
  for (let tries = 0; tries < 600 && !ended; tries++) {
    const health = await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined);
    if (health?.ok === true) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error(`the server did not start:\n${log.join("")}`);
}

let failed = 0;
try {
  await ready();
  const local = await openLocalModel({ modelDir });
  const { minPixels, maxPixels, patchSize, mergeSize } = local.processor.image;
  const picture = { factor: patchSize * mergeSize, minPixels, maxPixels };
  // The local engine never samples placeholders of pictures nor the rows of the vocabulary that no token stands for.
  const { image: imageId, video, visionStart, visionEnd } = local.config.tokens;
  const { vocabSize, idOf } = local.processor.tokenizer;
  const unused = Array.from({ length: local.config.text.vocabSize - vocabSize }, (_, i) => vocabSize + i);
  const pad = idOf.call(local.processor.tokenizer, "<|vision_pad|>");
  const banned = [imageId, video, visionStart, visionEnd, ...(pad === undefined ? [] : [pad]), ...unused];
  // Not whole numbers: the server wants floats, and JSON made here tells 1000 and 1000.0 not apart.
  const extra = { logit_bias: Object.fromEntries(banned.map((id) => [id, -1000.5])) };
  const profile = profileFrom({
    kind: "openai-profile",
    server: "transformers",
    dialect: "dip-r1",
    picture,
    extra,
  });
  // The server may leave special tokens out of its text, strips white space where it answers whole, and holds back a
  // character that is not complete.
  const plain = (text: string): string =>
    text
      .replace(/<\|[^|]*\|>/g, "")
      .trim()
      .replace(/\uFFFD+$/, "");
  for (const stream of [true, false]) {
    const served = await openOpenAiModel({
      baseUrl: `http://127.0.0.1:${port}/v1`,
      model: modelDir,
      profile,
      stream,
      concurrency: 1,
    });
    for (const name of ["a", "b", "c"]) {
      const image = await decodeImage(fixture(`images/${name}.png`));
      for (const text of [promptText("dip-r1-short"), "Detect every person and dog in this image."]) {
        const params = { n: 1, maxTokens, temperature: 0, seed: 0, stop: [...local.config.tokens.eos] };
        const chunks = served.encodePrompt({ text, images: [fitPicture(image, picture)] });
        const [remote] = await served.sampler.sample({ chunks }, params);
        const own = { chunks: local.processor.encodePrompt({ text, images: [image] }) };
        const [here] = await local.sampler.sample(own, params);
        const theirs = served.codec.decode(remote!.tokens);
        const ours = local.processor.tokenizer.decode(here!.tokens);
        const same = plain(theirs) === plain(ours) && remote!.stopReason === here!.stopReason;
        if (!same) failed++;
        console.log(
          `${same ? "equal" : "DIFFERENT"}  image ${name}, ${stream ? "streamed" : "whole"}, ${here!.tokens.length} tokens here, ` +
            `${remote!.tokens.length} told by the server, ends by ${remote!.stopReason}: ${JSON.stringify(theirs.slice(0, 48))}`,
        );
        if (!same)
          console.log(
            `  here:   ${JSON.stringify(ours)} (${here!.stopReason})\n  served: ${JSON.stringify(theirs)}`,
          );
      }
    }
    await served.close();
  }
  await local.close();
} finally {
  server.kill("SIGTERM");
  if (failed > 0 || ended) console.log(log.join("").split("\n").slice(-40).join("\n"));
}
console.log(failed === 0 ? "all answers are equal" : `${failed} answers differ`);
process.exitCode = failed === 0 ? 0 : 1;
