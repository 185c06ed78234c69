/** @file Pretraining of a small base model: SFT whose vision tower is also taught directly, by an auxiliary dense loss. */
import type { RgbImage } from "../base/rgb-image.js";
import type { Engine } from "../engines/contract.js";
import type { LocalEngine } from "../engines/local/engine.js";
import type { Box, FrameSize } from "../geometry/box.js";
import type { AnswerFrame } from "../geometry/profiles.js";
import type { SampleEncoder } from "./text.js";

/** A box of the answers' canvas in pixels of the picture shown: the dense loss knows nothing of profiles. */
function inPixels(
  box: Box<AnswerFrame>,
  canvas: FrameSize<AnswerFrame>,
  { width, height }: RgbImage,
): Box<"model"> {
  const [x, y] = [width / canvas.width, height / canvas.height];
  return { x1: box.x1 * x, y1: box.y1 * y, x2: box.x2 * x, y2: box.y2 * y };
}

/** An engine and an encoder for {@link sft} that together add the dense loss. */
export interface Pretraining<S> {
  readonly engine: Engine;
  readonly encode: SampleEncoder<S>;
}

/**
 * Wraps both ends of the loop: what the encoder learns of an image's boxes goes along when the engine sees it.
 *
 * @param engine made with `denseHead: true`.
 * @param weight multiplies the dense loss, which is a mean over cells and edges.
 */
export function withDenseLoss<S>(
  engine: LocalEngine,
  encode: SampleEncoder<S>,
  weight: number,
): Pretraining<S> {
  const instances = new Map<RgbImage, readonly Box<"model">[]>();
  return {
    async encode(sample) {
      const encoded = await encode(sample);
      for (const chunk of encoded.prompt.chunks) {
        if (chunk.kind === "image")
          instances.set(
            chunk.image,
            encoded.truth.objects.map(({ box }) => inPixels(box, encoded.truth.size, chunk.image)),
          );
      }
      return encoded;
    },
    engine: {
      capabilities: engine.capabilities,
      sampler: () => engine.sampler(),
      reference: () => engine.reference(),
      // A copy: where calls overlap, the step's end must not empty what a waiting call still has to read.
      forwardBackward: (batch, loss) =>
        engine.forwardBackward(batch, loss, { instances: new Map(instances), weight }),
      optimStep(params) {
        // A picture is seen once: what is kept of it ends with its step.
        instances.clear();
        return engine.optimStep(params);
      },
      save: (path) => engine.save(path),
      load: (checkpoint) => engine.load(checkpoint),
      close: () => engine.close(),
    },
  };
}
