"""TRL's side of `npm run test:trl`: GRPOTrainer with the rewards of a running server, by the shim that ships.

python trl_rewards.py MODEL_FOLDER SAMPLES.jsonl OUT [--steps 3] [--group 4] [--tokens 96]

SAMPLES.jsonl is what `dip-r1 data convert --to trl` writes. Prints one JSON line: what TRL logged at each step, its table of
completions as it wrote it to OUT/completions, and the versions.
"""
import argparse
import json
import os
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "integrations"))

import datasets
import pandas
import torch
import transformers
import trl
from dip_r1_trl import dip_r1
from transformers import AutoTokenizer, Qwen2_5_VLForConditionalGeneration, Qwen2_5_VLProcessor
from transformers import Qwen2VLImageProcessor, Qwen2VLVideoProcessor

parser = argparse.ArgumentParser()
parser.add_argument("model")
parser.add_argument("samples")
parser.add_argument("out")
parser.add_argument("--steps", type=int, default=3)
parser.add_argument("--group", type=int, default=4)
parser.add_argument("--tokens", type=int, default=96)
args = parser.parse_args()

tokenizer = AutoTokenizer.from_pretrained(args.model, padding_side="left")
processor = Qwen2_5_VLProcessor(
    image_processor=Qwen2VLImageProcessor.from_pretrained(args.model),
    tokenizer=tokenizer,
    video_processor=Qwen2VLVideoProcessor(),
    chat_template=tokenizer.chat_template,
)
model = Qwen2_5_VLForConditionalGeneration.from_pretrained(args.model, attn_implementation="sdpa", dtype=torch.float32)
samples = datasets.load_dataset("json", data_files=args.samples, split="train", cache_dir=os.path.join(args.out, "cache"))
samples = samples.cast_column("image", datasets.Image())


class Logs(transformers.TrainerCallback):
    """Everything that the trainer logs."""

    entries = []

    def on_log(self, arguments, state, control, logs=None, **_):
        self.entries.append({"step": state.global_step, **logs})


config = trl.GRPOConfig(
    output_dir=args.out,
    use_cpu=True,
    bf16=False,
    fp16=False,
    seed=0,
    report_to=[],
    save_strategy="no",
    logging_steps=1,
    log_completions=True,
    num_completions_to_print=0,
    disable_tqdm=True,
    per_device_train_batch_size=2 * args.group,
    gradient_accumulation_steps=1,
    steps_per_generation=1,
    num_generations=args.group,
    max_completion_length=args.tokens,
    temperature=1.0,
    top_k=0,
    top_p=1.0,
    beta=0.0,
    learning_rate=1e-5,
    gradient_checkpointing=False,
    max_steps=args.steps,
    dataloader_num_workers=0,
)
trainer = trl.GRPOTrainer(
    model=model,
    processing_class=processor,
    reward_funcs=dip_r1,
    args=config,
    train_dataset=samples,
    callbacks=[Logs()],
)
trainer.train()

tables = [pandas.read_parquet(path) for path in sorted(Path(args.out, "completions").glob("*.parquet"))]


def text_of(completion):
    """Completions of chats are logged as messages."""
    return completion if isinstance(completion, str) else completion[-1]["content"]


rows = [
    {
        **{key: row[key] for key in ("step", "id", "grade", "dip_r1", "advantage")},
        "completion": text_of(row["completion"]),
    }
    for table in tables
    for row in table.to_dict("records")
]
print(
    json.dumps(
        {
            "rows": rows,
            "logs": [entry for entry in Logs.entries if "reward" in entry],
            "versions": {
                "python": sys.version.split()[0],
                "torch": torch.__version__,
                "transformers": transformers.__version__,
                "trl": trl.__version__,
            },
        },
        default=float,
    )
)
