/** @file Routes of Detect: the models that are there, and a picture asked of one, its answer sent line by line as it comes. */
import { z } from "zod";
import { decodeImage } from "../../datasets/image-file.js";
import type { Sample } from "../../datasets/sample.js";
import { HttpError } from "../http-error.js";
import type { DetectEvent } from "./api.js";
import { json, type StudioRoute } from "./route.js";
import type { Studio } from "./studio.js";

const requestSchema = z.strictObject({
  model: z.string().min(1),
  image: z.union([
    z.strictObject({ base64: z.base64().min(1) }),
    z.strictObject({ run: z.string().min(1), set: z.string().min(1), sample: z.string().min(1) }),
  ]),
  samples: z.int().min(1).max(32).default(1),
  temperature: z.number().min(0).max(2).optional(),
  maxTokens: z.int().min(1).max(4096).default(256),
  seed: z
    .int()
    .min(0)
    .max(2 ** 31 - 1)
    .default(0),
  labels: z.array(z.string().min(1).max(100)).min(1).max(20).optional(),
});

/** A photo of 24 megapixels as JPEG has some 15 MB; base64 makes it a third larger. */
const BODY_BYTES = 48 * 2 ** 20;

async function sampleOf(
  image: z.output<typeof requestSchema>["image"],
  { store, pictures }: Studio,
): Promise<Sample> {
  if ("run" in image) return pictures.sample(await store.get(image.run), image.set, image.sample);
  const pixels = await decodeImage(Buffer.from(image.base64, "base64"), { name: "the picture" });
  const { width, height } = pixels;
  return {
    id: "picture",
    image: { kind: "pixels", image: pixels },
    width,
    height,
    objects: [],
    ignore: [],
  };
}

/** The routes. */
export const detectRoutes: readonly StudioRoute[] = [
  {
    method: "GET",
    path: "/api/models",
    handle: async (_call, { detector }) => json(await detector.models()),
  },
  {
    method: "POST",
    path: "/api/detect",
    bodyBytes: BODY_BYTES,
    async handle({ body, signal }, studio) {
      const parsed = requestSchema.safeParse(body);
      if (!parsed.success) {
        const issue = parsed.error.issues[0]!;
        const field = issue.path.map(String).join(".");
        throw new HttpError("bad-request", `${field === "" ? "body" : `"${field}"`}: ${issue.message}`);
      }
      const { image, temperature, ...rest } = parsed.data;
      const detection = {
        ...rest,
        temperature: temperature ?? (rest.samples > 1 ? 1 : 0),
        sample: await sampleOf(image, studio),
      };
      // A model that is not there, and a queue that is full, are answers of their own, not lines of this one.
      await studio.detector.check(detection.model);
      return {
        kind: "stream",
        type: "application/x-ndjson; charset=utf-8",
        run: (write) =>
          studio.detector.detect(detection, signal, (event: DetectEvent) =>
            write(JSON.stringify(event) + "\n"),
          ),
      };
    },
  },
];
