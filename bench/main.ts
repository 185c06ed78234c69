/**
 * @file Speed beside the peers, as ratios within one run on one machine:
 *
 *     npm run bench -- grpo [--python PATH] [--steps N]
 *     npm run bench -- rewards [--runs N] [--python PATH] [--seconds N]
 *     npm run bench -- metrics [--python PATH] [--crowdhuman CHECKOUT] [--citypersons CHECKOUT]
 *     npm run bench -- studio [--rollouts N] [--points N]
 *
 * Without a Python that has the peers (grpo: `pip install torch torchvision transformers trl datasets accelerate`, rewards
 * and metrics: `pip install numpy pycocotools faster-coco-eval tqdm`), only our side runs. Run it on an idle machine: PyTorch suffers
 * most from neighbours.
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
program
  .command("metrics")
  .description(
    "the official metrics, files to numbers: COCO beside pycocotools and faster-coco-eval, CrowdHuman and CityPersons beside their own evaluators",
  )
  .option("--python <path>", "a Python with numpy, pycocotools, faster-coco-eval and tqdm")
  .option("--crowdhuman <folder>", "a checkout of Purkialo/CrowdDet, whose evaluator runs beside ours")
  .option("--citypersons <folder>", "a checkout of cvgroup-njust/CityPersons, likewise")
  .option("--repeat <n>", "runs of each side, of which the median counts", "3")
  .option("--images <n>", "images of the COCO set", "5000")
  .action(
    async (options: {
      python?: string;
      crowdhuman?: string;
      citypersons?: string;
      repeat: string;
      images: string;
    }) => {
      const { benchMetrics } = await import("./metrics.js");
      await benchMetrics({ ...options, repeat: Number(options.repeat), images: Number(options.images) });
    },
  );
program
  .command("rewards")
  .description(
    "a group of 8 x 100 boxes against 100, the parser's megabytes a second and its growth on hostile text; then the reward server under load, beside VLM-R1's way (pycocotools' mAP for each completion)",
  )
  .option("--runs <n>", "runs of each case, after as many to warm up", "50")
  .option("--python <path>", "a Python with pycocotools")
  .option("--seconds <n>", "of each measurement of the server", "10")
  .option("--clients <n...>", "clients of the server at once", ["1", "8", "64"])
  .action(async (options: { runs: string; python?: string; seconds: string; clients: string[] }) => {
    const { benchRewards } = await import("./rewards.js");
    benchRewards({ runs: Number(options.runs) });
    const { benchRewardsServer } = await import("./rewards-server.js");
    await benchRewardsServer({
      python: options.python,
      seconds: Number(options.seconds),
      clients: options.clients.map(Number),
    });
  });
program
  .command("studio")
  .description(
    "opening a run of 100,000 rollouts, and the frames a second of curves of 10,000 points in chromium",
  )
  .option("--rollouts <n>", "rollouts of the run that is opened", "100000")
  .option("--points <n>", "points of each curve", "10000")
  .option("--frames <n>", "frames to look at", "300")
  .action(async (options: { rollouts: string; points: string; frames: string }) => {
    const { benchStudio } = await import("./studio.js");
    await benchStudio({
      rollouts: Number(options.rollouts),
      points: Number(options.points),
      frames: Number(options.frames),
    });
  });
await program.parseAsync();
