"""The peer of `npm run bench -- rewards`: a detection reward as VLM-R1 makes it, mAP by pycocotools for each completion.

python vlm_r1_reward.py GROUPS.json [--seconds 10]

For each completion: the boxes out of the text, a COCO data set of one picture, COCOeval with all scores 1. Prints one JSON line:
groups scored, seconds, and seconds of each group.
"""
import argparse
import contextlib
import io
import json
import re
import time

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

parser = argparse.ArgumentParser()
parser.add_argument("groups")
parser.add_argument("--seconds", type=float, default=10)
args = parser.parse_args()
with open(args.groups) as file:
    groups = json.load(file)

ANSWER = re.compile(r"<answer>(.*)</answer>", re.DOTALL)
FORM = re.compile(r"\s*<think>.*?</think>\s*<look>.*?</look>\s*<answer>.*?</answer>\s*", re.DOTALL)


def xywh(box):
    return [box[0], box[1], box[2] - box[0], box[3] - box[1]]


def mean_average_precision(group, text):
    truth = COCO()
    truth.dataset = {
        "images": [{"id": 1, "width": group["width"], "height": group["height"]}],
        "categories": [{"id": 1, "name": "person"}],
        "annotations": [
            {"id": i + 1, "image_id": 1, "category_id": 1, "iscrowd": 0, "bbox": xywh(o["bbox"]), "area": xywh(o["bbox"])[2] * xywh(o["bbox"])[3]}
            for i, o in enumerate(group["objects"])
        ],
    }
    truth.createIndex()
    found = ANSWER.search(text)
    try:
        boxes = json.loads(found.group(1)) if found else []
    except ValueError:
        boxes = []
    if not boxes:
        return 0.0
    said = truth.loadRes([{"image_id": 1, "category_id": 1, "bbox": xywh(one["bbox_2d"]), "score": 1.0} for one in boxes])
    evaluation = COCOeval(truth, said, "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return float(evaluation.stats[0])


def score(group):
    with contextlib.redirect_stdout(io.StringIO()):
        return [
            (mean_average_precision(group, text), 1.0 if FORM.fullmatch(text) else 0.0) for text in group["responses"]
        ]


score(groups[0])
times = []
started = time.perf_counter()
while time.perf_counter() - started < args.seconds:
    began = time.perf_counter()
    score(groups[len(times) % len(groups)])
    times.append(time.perf_counter() - began)
print(json.dumps({"groups": len(times), "seconds": time.perf_counter() - started, "times": times}))
