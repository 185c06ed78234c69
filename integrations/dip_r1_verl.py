"""DIP-R1 rewards for verl, from a running `dip-r1 serve rewards`. Standard library only.

Whole batches, so that groups are seen whole (reward manager `batch`):

    custom_reward_function.path=integrations/dip_r1_verl.py custom_reward_function.name=compute_score_batch
    reward_model.reward_manager=batch

One sample at a time, all samples of a step at once (verl's reward loop): the server puts the group together. Training
only; group_size is the number of rollouts (actor_rollout_ref.rollout.n):

    custom_reward_function.path=integrations/dip_r1_verl.py custom_reward_function.name=compute_score_async
    +custom_reward_function.reward_kwargs.group_size=8

One sample at a time, one after the other (reward manager `naive` of the trainer): there is no group to look at, so the
look reward is left out:

    custom_reward_function.path=integrations/dip_r1_verl.py custom_reward_function.name=compute_score

reward_model.ground_truth is a line of `dip-r1 data convert --to jsonl`, or the id of a sample where the server has the
dataset (--data). Samples whose extra_info says another split than train are scored without the look reward, because
validation samples one response to a picture; DIP_R1_GROUP_SIZE is group_size where that is not given.

Environment: DIP_R1_URL (http://127.0.0.1:8420), DIP_R1_TOKEN (none), DIP_R1_GROUP_SIZE (see below), DIP_R1_TIMEOUT (180,
seconds for one answer), DIP_R1_PATIENCE (300, seconds to go on trying while the server is busy or away).
"""

import asyncio
import concurrent.futures
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


# A waiting part of a group holds a thread: as many as a step may have samples in flight.
_THREADS = concurrent.futures.ThreadPoolExecutor(int(os.environ.get("DIP_R1_THREADS", "1024")))


def _extra(extra_info):
    """What of extra_info the server reads."""
    group = (extra_info or {}).get("group_id")
    return {} if group is None else {"group_id": str(group)}


def _is_training(extra_info):
    return (extra_info or {}).get("split", "train") == "train"


def _one(data_source, solution_str, ground_truth, extra_info, **query):
    body = {
        "data_source": str(data_source),
        "solution_str": solution_str,
        "ground_truth": ground_truth,
        "extra_info": _extra(extra_info),
    }
    return post("/v1/verl", body, **query)


def compute_score(data_source, solution_str, ground_truth, extra_info=None, **kwargs):
    """Format and accuracy of one sample."""
    return _one(data_source, solution_str, ground_truth, extra_info, without_look=1)


async def compute_score_async(data_source, solution_str, ground_truth, extra_info=None, group_size=None, **kwargs):
    """All three rewards of one sample, once the rest of its group has come too."""
    size = group_size or GROUP_SIZE
    look = {"group_size": size} if size and _is_training(extra_info) else {"without_look": 1}
    loop = asyncio.get_running_loop()
    score = await loop.run_in_executor(
        _THREADS, lambda: _one(data_source, solution_str, ground_truth, extra_info, **look)
    )
    # verl makes a column of each key, so every sample has all of them.
    score.setdefault("look", 0.0)
    return score


def compute_score_batch(data_sources, solution_strs, ground_truths, extra_infos=None, **kwargs):
    """All three rewards of a batch of whole groups."""
    extra_infos = [None] * len(solution_strs) if extra_infos is None else list(extra_infos)
    training = all(_is_training(extra_info) for extra_info in extra_infos)
    body = {
        "data_sources": [str(source) for source in data_sources],
        "solution_strs": list(solution_strs),
        "ground_truths": list(ground_truths),
        "extra_infos": [_extra(extra_info) for extra_info in extra_infos],
    }
    scores = post("/v1/verl", body, without_look=None if training else 1)
    for score in scores:
        score.setdefault("look", 0.0)
    return scores
