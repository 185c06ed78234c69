"""The peer of `npm run bench -- grpo`: TRL's GRPOTrainer on the model folder and pictures that the bench wrote.

python trl_grpo.py MODEL_FOLDER --image A.png --image B.png [--steps 6]

Prints one JSON line: medians over the steps after the first.
"""
import argparse
import json
import os
import statistics
import tempfile
import time

os.environ["HF_HUB_OFFLINE"] = "1"

import torch
import transformers
import trl
from datasets import Dataset
from PIL import Image
from transformers import AutoTokenizer, Qwen2_5_VLForConditionalGeneration, Qwen2_5_VLProcessor
from transformers import Qwen2VLImageProcessor, Qwen2VLVideoProcessor

GROUP, TOKENS = 8, 256

parser = argparse.ArgumentParser()
parser.add_argument("folder")
parser.add_argument("--image", action="append", required=True)
parser.add_argument("--steps", type=int, default=6)
args = parser.parse_args()
torch.set_num_threads(os.cpu_count() or 1)

tokenizer = AutoTokenizer.from_pretrained(args.folder, padding_side="left")
processor = Qwen2_5_VLProcessor(
    image_processor=Qwen2VLImageProcessor.from_pretrained(args.folder),
    tokenizer=tokenizer,
    video_processor=Qwen2VLVideoProcessor(),
    chat_template=tokenizer.chat_template,
)
model = Qwen2_5_VLForConditionalGeneration.from_pretrained(
    args.folder, attn_implementation="sdpa", dtype=torch.float32
)

pictures = [Image.open(path).convert("RGB") for path in args.image]
rows = [
    {"prompt": [{"role": "user", "content": "Detect every person"}], "index": index}
    for _ in range(args.steps)
    for index in range(len(pictures))
]
dataset = Dataset.from_list(rows).map(lambda row: {"image": pictures[row["index"]]}, load_from_cache_file=False)


def count_digits(completions, **_):
    """A reward that differs between responses and costs nothing."""
    return [float(sum(c.isdigit() for c in completion[0]["content"])) for completion in completions]


generation_seconds = []
generate = type(model).generate


def timed_generate(self, *positional, **named):
    started = time.perf_counter()
    try:
        return generate(self, *positional, **named)
    finally:
        generation_seconds.append(time.perf_counter() - started)


type(model).generate = timed_generate


class Clock(transformers.TrainerCallback):
    """Seconds from the end of one step to the end of the next."""

    def __init__(self):
        self.ends = []

    def on_train_begin(self, *_, **__):
        self.ends.append(time.perf_counter())

    def on_step_end(self, *_, **__):
        self.ends.append(time.perf_counter())


clock = Clock()
config = trl.GRPOConfig(
    output_dir=tempfile.mkdtemp(),
    use_cpu=True,
    bf16=False,
    fp16=False,
    seed=0,
    report_to=[],
    save_strategy="no",
    logging_steps=1,
    disable_tqdm=True,
    per_device_train_batch_size=GROUP * len(pictures),
    gradient_accumulation_steps=1,
    steps_per_generation=1,
    num_generations=GROUP,
    max_completion_length=TOKENS,
    generation_kwargs={"min_new_tokens": TOKENS},
    temperature=1.0,
    top_k=0,
    top_p=1.0,
    beta=0.0,
    learning_rate=1e-6,
    gradient_checkpointing=False,
    max_steps=args.steps,
    dataloader_num_workers=0,
    loss_type="grpo",
)
trainer = trl.GRPOTrainer(
    model=model,
    processing_class=processor,
    reward_funcs=count_digits,
    args=config,
    train_dataset=dataset,
    callbacks=[clock],
)
trainer.train()
steps = [after - before for before, after in zip(clock.ends, clock.ends[1:])]
with open("/proc/self/status") as status:
    peak = next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmHWM"))
print(
    json.dumps(
        {
            "step_s": statistics.median(steps[1:]),
            "generate_s": statistics.median(generation_seconds[1:]),
            "peak_mb": peak,
            "versions": {"torch": torch.__version__, "transformers": transformers.__version__, "trl": trl.__version__},
        }
    )
)
