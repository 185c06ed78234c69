import { cp, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fixture, fixtureImage, fixtureJson } from "../../test/qwen-fixture.js";
import { createChatTemplate, loadChatTemplate, type ChatMessage } from "./chat-template.js";
import { copyProcessorFiles, loadProcessor, type EncodedChunk, type QwenProcessor } from "./processor.js";
import { openSafetensors } from "./safetensors.js";

let processor: QwenProcessor;
let folder = "";
beforeAll(async () => {
  processor = await loadProcessor(fixture("model"));
  folder = await mkdtemp(join(tmpdir(), "processor-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Ids with each picture as so many placeholders. */
const expand = (chunks: readonly EncodedChunk[]) =>
  chunks.flatMap((chunk) =>
    chunk.kind === "text" ? [...chunk.tokens] : Array<number>(chunk.tokens).fill(processor.tokens.image),
  );

describe("chat template", () => {
  interface Case {
    messages: ChatMessage[];
    add_generation_prompt: boolean;
    add_vision_id: boolean;
    text: string;
  }
  it.each(fixtureJson<Case[]>("golden/chat_cases.json"))("renders case %# as transformers", (value) => {
    const options = { addGenerationPrompt: value.add_generation_prompt, addVisionId: value.add_vision_id };
    expect(processor.template(value.messages, options)).toBe(value.text);
  });

  it("is found in every file that may hold it", async () => {
    const own = await mkdtemp(join(folder, "t-"));
    await expect(loadChatTemplate(own)).rejects.toThrow("has no chat template");
    const message: ChatMessage = { role: "user", content: "x" };
    await writeFile(
      join(own, "tokenizer_config.json"),
      JSON.stringify({ chat_template: [{ name: "default", template: "C" }] }),
    );
    expect((await loadChatTemplate(own))([message])).toBe("C");
    await writeFile(join(own, "chat_template.json"), '{"chat_template": "B"}');
    expect((await loadChatTemplate(own))([message])).toBe("B");
    await writeFile(join(own, "chat_template.jinja"), "A{{ messages[0].content }}");
    expect((await loadChatTemplate(own))([message])).toBe("Ax");
  });

  it("reports a template that does not parse or refuses", () => {
    expect(() => createChatTemplate("{% if %}", "t.jinja")).toThrow("t.jinja");
    expect(() => createChatTemplate("{{ raise_exception('no system') }}", "t.jinja")([])).toThrow(
      "no system",
    );
  });
});

describe("encodePrompt", () => {
  const text = "Please detect every person in the image.";
  it.each(["a", "b", "c"] as const)("gives transformers' ids for picture %s", async (name) => {
    const golden = await openSafetensors(fixture("golden/text.safetensors"));
    const { scalars } = fixtureJson<{ scalars: Record<string, number> }>("golden/manifest.json");
    const chunks = processor.encodePrompt({ text, images: [await fixtureImage(name)] });
    const ids = await golden.readInt32(`${name}.input_ids`);
    expect(expand(chunks)).toEqual([...ids.subarray(0, scalars[`${name}.prompt_length`])]);
    expect(chunks.map(({ kind }) => kind)).toEqual(["text", "image", "text"]);
  });

  it("takes several pictures, none, and a system message", async () => {
    const picture = await fixtureImage("a");
    const kinds = (chunks: EncodedChunk[]) => chunks.map(({ kind }) => kind);
    expect(kinds(processor.encodePrompt({ text, images: [picture, picture] }))).toEqual([
      "text",
      "image",
      "text",
      "image",
      "text",
    ]);
    const [only, ...rest] = processor.encodePrompt({ text: "hi", system: "Be brief." });
    expect(rest).toEqual([]);
    expect(processor.tokenizer.decode((only as { tokens: Int32Array }).tokens)).toBe(
      "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n",
    );
  });

  it("refuses text that pretends to be a picture", async () => {
    const images = [await fixtureImage("a")];
    expect(() => processor.encodePrompt({ text: "<|image_pad|>", images })).toThrow("places for 2 pictures");
    expect(() => processor.encodePrompt({ text: "<|video_pad|>", images })).toThrow("a video");
    expect(() => processor.encodeMessages([{ role: "user", content: "x" }], images)).toThrow("places for 0");
  });
});

describe("loadProcessor", () => {
  it("refuses files that contradict each other", async () => {
    const config = fixtureJson<Record<string, object>>("model/config_hub_style.json");
    const with_ = async (change: object) => {
      const own = await mkdtemp(join(folder, "p-"));
      await copyProcessorFiles(fixture("model"), own);
      await writeFile(join(own, "config.json"), JSON.stringify({ ...config, ...change }));
      return loadProcessor(own);
    };
    await expect(with_({})).resolves.toBeDefined();
    await expect(with_({ vision_config: { ...config.vision_config, patch_size: 7 } })).rejects.toThrow(
      "patchSize is 14",
    );
    await expect(with_({ vocab_size: 1023 })).rejects.toThrow("1024 tokens");
    await expect(with_({ image_token_id: 1019 })).rejects.toThrow("<|image_pad|> is 1020");
  });

  it("copies what a fine-tuned model needs, and nothing else", async () => {
    const own = await mkdtemp(join(folder, "c-"));
    await copyProcessorFiles(fixture("model"), own);
    const files = await readdir(own);
    expect(files).toContain("tokenizer.json");
    expect(files.some((name) => name.endsWith(".safetensors") || name === "config.json")).toBe(false);
    await cp(fixture("model/config.json"), join(own, "config.json"));
    await expect(loadProcessor(own)).resolves.toBeDefined();
  });

  it("takes another budget of pixels, which a copy then has under every name", async () => {
    const { image } = await loadProcessor(fixture("model"));
    const maxPixels = image.maxPixels * 2;
    const larger = await loadProcessor(fixture("model"), { maxPixels });
    expect(larger.image).toEqual({ ...image, maxPixels });
    const picture = { width: 900, height: 300, data: new Uint8Array(900 * 300 * 3) };
    const tokens = (processor: QwenProcessor) =>
      processor
        .encodePrompt({ text: "?", images: [picture] })
        .map((chunk) => chunk.kind === "image" && chunk.tokens);
    expect(Math.max(...tokens(larger).map(Number))).toBeGreaterThan((1.5 * image.maxPixels) / 784);
    const own = await mkdtemp(join(folder, "c-"));
    await copyProcessorFiles(fixture("model"), own, { maxPixels });
    await cp(fixture("model/config.json"), join(own, "config.json"));
    expect((await loadProcessor(own)).image).toEqual(larger.image);
    // Either file alone says so too: transformers 5 reads the one, older ones the other.
    await rm(join(own, "processor_config.json"));
    expect((await loadProcessor(own)).image).toEqual(larger.image);
    await expect(loadProcessor(own, { maxPixels: image.minPixels - 1 })).rejects.toThrow("min_pixels");
  });
});
