"""DIP-R1 rewards for EasyR1, from a running `dip-r1 serve rewards`. Standard library only.

    worker.reward.reward_function=integrations/dip_r1_easyr1.py:compute_score

The dataset's answer column (data.answer_key) is a line of `dip-r1 data convert --to jsonl`, or the id of a sample where
the server has the dataset (--data). Rows of the same answer are a group. Validation with one response to a picture has no
group: there the look reward is left out and the total lacks its term.

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


REWARD_NAME = "dip_r1"
REWARD_TYPE = "batch"


def compute_score(reward_inputs, **kwargs):
    """Scores of a batch: overall, format, accuracy, look, precision, recall, strict, failed."""
    if isinstance(reward_inputs, dict):
        raise ValueError("the look reward needs whole groups: leave REWARD_TYPE at batch")
    body = [
        {
            "response": one["response"],
            "response_length": one.get("response_length", 0),
            "ground_truth": one["ground_truth"],
        }
        for one in reward_inputs
    ]
    truths = [one if isinstance(one, str) else json.dumps(one, sort_keys=True) for one in (b["ground_truth"] for b in body)]
    alone = len(set(truths)) == len(truths)
    scores = post("/v1/easyr1", body, without_look=1 if alone else None, group_size=None if alone else GROUP_SIZE)
    for score in scores:
        score.setdefault("look", 0.0)
    return scores
