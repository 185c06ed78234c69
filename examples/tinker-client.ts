/**
 * @file The Tinker client alone, without the rest of the library: a few steps of reinforcement learning of a text model,
 * whose reward is the share of even token ids. `dip-r1/tinker` is what the import is called outside of this repository.
 *
 * To run it on a server of one's own:  node --import tsx examples/tinker-client.ts http://127.0.0.1:8000
 */
import {
  TinkerClient,
  type ModelInputChunk,
  type WireDatum,
  type WireTensor,
} from "../src/engines/tinker/index.js";

const client = await TinkerClient.connect({ baseUrl: process.argv[2] });
const baseModel = client.models[0]!.name;
const model = await client.createModel({ baseModel, rank: 8, seed: 7 });

const prompt = Int32Array.of(1, 30, 40, 50);
const chunk = (tokens: Int32Array): ModelInputChunk => ({ type: "encoded_text", tokens });
const floats = (values: readonly number[]): WireTensor => ({
  dtype: "float32",
  data: Float32Array.from(values),
  shape: [values.length],
});

for (let step = 0; step < 5; step++) {
  // Weights are saved for sampling anew after each step: some servers would else sample from newer ones.
  const sampler = await model.sampler();
  const { sequences } = await sampler.sample([chunk(prompt)], {
    numSamples: 16,
    maxTokens: 16,
    seed: 100 * step,
    stop: [2],
  });
  const rewards = sequences.map(({ tokens }) => tokens.filter((id) => id % 2 === 0).length / tokens.length);
  const mean = rewards.reduce((a, b) => a + b, 0) / rewards.length;

  const data = sequences.map(({ tokens, logprobs }, i): WireDatum => {
    // Targets are the input shifted by one; what belongs to the prompt has no advantage.
    const whole = Int32Array.of(...prompt, ...tokens);
    const before = Array.from({ length: prompt.length - 1 }, () => 0);
    const length = whole.length - 1;
    return {
      modelInput: [chunk(whole.subarray(0, -1))],
      lossFnInputs: {
        target_tokens: { dtype: "int64", data: whole.slice(1), shape: [length] },
        logprobs: floats([...before, ...logprobs!]),
        advantages: floats([...before, ...Array.from(tokens, () => rewards[i]! - mean)]),
      },
    };
  });
  // Both are sent at once, in this order; the optimiser step does not wait for the pass's answer to come back.
  const [, metrics] = await Promise.all([
    model.forwardBackward(data, {
      name: "ppo",
      config: { clip_low_threshold: 0.8, clip_high_threshold: 1.2 },
    }),
    model.optimStep({
      learningRate: 0.02,
      beta1: 0.9,
      beta2: 0.95,
      eps: 1e-12,
      weightDecay: 0,
      gradClipNorm: 0,
    }),
  ]);
  console.log(`step ${step + 1}: mean reward ${mean.toFixed(3)}`, metrics);
}

const path = await model.saveWeights("example");
console.log(`to go on: client.loadModel("${path}", { baseModel: "${baseModel}", rank: 8 })`);
await model.unload();
client.close();
