"""DIP-R1 rewards for TRL's GRPOTrainer, from a running `dip-r1 serve rewards`. Standard library only.

    from dip_r1_trl import dip_r1
    trainer = GRPOTrainer(reward_funcs=dip_r1, ...)                      # the weighted sum, its parts as metrics
    trainer = GRPOTrainer(reward_funcs=[dip_r1_format, dip_r1_look, dip_r1_accuracy],
                          args=GRPOConfig(reward_weights=[0.5, 0.5, 1.0], ...), ...)

The dataset's columns are those that `dip-r1 data convert --to trl` writes, or `id` alone where the server has the dataset
(--data). Rows of the same id are a group. Where a group is spread over several processes (per_device_train_batch_size is
no multiple of num_generations), set DIP_R1_GROUP_SIZE to num_generations.

Environment: DIP_R1_URL (http://127.0.0.1:8420), DIP_R1_TOKEN (none), DIP_R1_GROUP_SIZE (see below), DIP_R1_TIMEOUT (180,
seconds for one answer), DIP_R1_PATIENCE (300, seconds to go on trying while the server is busy or away).
"""

import json
import os
import random
import time
import urllib.error
import urllib.parse
import urllib.request

URL = os.environ.get("DIP_R1_URL", "http://127.0.0.1:8420")
TOKEN = os.environ.get("DIP_R1_TOKEN", "")
GROUP_SIZE = os.environ.get("DIP_R1_GROUP_SIZE", "")
TIMEOUT = float(os.environ.get("DIP_R1_TIMEOUT", "180"))
PATIENCE = float(os.environ.get("DIP_R1_PATIENCE", "300"))
# A server on this machine or in this cluster is not behind a proxy.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def post(path, body, **query):
    """POSTs JSON and returns the parsed answer. Waits and tries again, for DIP_R1_PATIENCE seconds, while the server is
    busy (429), stopping (503), waiting for a group in vain (504) or cannot be reached; any other refusal raises with the
    server's words."""
    query = {key: value for key, value in query.items() if value not in (None, "")}
    url = URL.rstrip("/") + path + ("?" + urllib.parse.urlencode(query) if query else "")
    headers = {"Content-Type": "application/json"}
    if TOKEN:
        headers["Authorization"] = "Bearer " + TOKEN
    data = json.dumps(body, allow_nan=False).encode()
    until = time.monotonic() + PATIENCE
    pause = 0.25
    while True:
        wait = pause
        try:
            request = urllib.request.Request(url, data=data, headers=headers)
            with _OPENER.open(request, timeout=TIMEOUT) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            said = error.read().decode("utf-8", "replace")
            if error.code not in (429, 503, 504) or time.monotonic() > until:
                raise RuntimeError("dip-r1 reward server: %d %s" % (error.code, said.strip())) from None
            wait = max(pause, float(error.headers.get("Retry-After") or 0))
        except OSError as error:  # URLError, a reset connection, a timeout
            if time.monotonic() > until:
                raise RuntimeError("dip-r1 reward server at %s: %s" % (URL, error)) from error
        # Not all at once again.
        time.sleep(wait * (0.5 + random.random()))
        pause = min(2 * pause, 8)

# What the server reads; pictures and the trainer's own objects stay here.
COLUMNS = (
    "id", "sample_id", "group_id", "solution", "objects", "ignore",
    "width", "height", "frame", "model_width", "model_height", "label",
)


def _body(completions, columns):
    body = {"completions": completions}
    body.update((name, columns[name]) for name in COLUMNS if columns.get(name) is not None)
    state = columns.get("trainer_state")
    if GROUP_SIZE and "group_id" not in body and ("id" in body or "sample_id" in body):
        # Parts of a group come from several processes; the same picture in another step is another group.
        step = getattr(state, "global_step", 0)
        body["group_id"] = ["%s/%s" % (step, one) for one in body.get("id") or body["sample_id"]]
    return body


_last = {}


def _ask(completions, columns):
    """The server's answer; several reward functions of one batch ask once."""
    body = _body(completions, columns)
    key = json.dumps(body, sort_keys=True)
    if _last.get("key") != key:
        _last.update(key=key, answer=post("/v1/trl", body, group_size=GROUP_SIZE))
    return _last["answer"]


def dip_r1(prompts, completions, **columns):
    """The weighted sum of the three rewards; format, look, accuracy and the share of strict responses as metrics."""
    answer = _ask(completions, columns)
    log_metric, log_extra = columns.get("log_metric"), columns.get("log_extra")
    if log_metric:
        for part in ("format", "look", "accuracy"):
            values = [value for value in answer[part] if value is not None]
            if values:
                log_metric("dip_r1/" + part, sum(values) / len(values))
        log_metric("dip_r1/strict", answer["grades"].count("strict") / len(answer["grades"]))
        log_metric("dip_r1/failed", sum(error is not None for error in answer["errors"]) / len(answer["errors"]))
    if log_extra:
        log_extra("grade", answer["grades"])
        if columns.get("id") is not None:
            log_extra("id", list(columns["id"]))
    return answer["rewards"]


def dip_r1_format(prompts, completions, **columns):
    """1 for a well formed response, else 0."""
    return _ask(completions, columns)["format"]


def dip_r1_look(prompts, completions, **columns):
    """How well the response looks where its group disagrees, 0 to 1."""
    return _ask(completions, columns)["look"]


def dip_r1_accuracy(prompts, completions, **columns):
    """Weighted precision and recall (or F-beta) of the boxes, 0 to 1."""
    return _ask(completions, columns)["accuracy"]
