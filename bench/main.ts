/**
 * @file Speed beside the peers, as ratios within one run on one machine:
 *
 *     npm run bench -- grpo [--python PATH] [--steps N]
 *
 * Without a Python that has TRL (`pip install torch torchvision transformers trl datasets accelerate`), only our side
 * runs. Run it on an idle machine: PyTorch suffers most from neighbours.
 */
import { Command } from "commander";

const program = new Command("bench").description("Speed beside the peers, as ratios within one run.");
program
  .command("grpo")
  .description(
    "one GRPO step: 2 images x 8 responses of 256 tokens on a Qwen2.5-VL of 9.5 M parameters, beside TRL",
  )
  .option("--python <path>", "a Python with TRL")
  .option("--steps <n>", "steps to time, after one to warm up", "5")
  .action(async (options: { python?: string; steps: string }) => {
    const { benchGrpo } = await import("./grpo.js");
    await benchGrpo({ python: options.python, steps: Number(options.steps) });
  });
await program.parseAsync();
