"""DIP-R1 rewards for OpenRLHF, from a running `dip-r1 serve rewards`. Standard library only.

OpenRLHF speaks to the server without this file, where the server asks for no token:

    --reward.remote_url "http://127.0.0.1:8420/v1/openrlhf?group_size=8"        (before 0.10: --remote_rm_url)

With a token, or to go on while the server is away, give this file in the URL's place and set DIP_R1_GROUP_SIZE:

    --reward.remote_url integrations/dip_r1_openrlhf.py

OpenRLHF asks for one response at a time, all of a step at once; the server puts the group together, so group_size
(the number of samples for a prompt) must be told. Labels (--data.label_key) are a line of `dip-r1 data convert --to jsonl`,
or the id of a sample where the server has the dataset (--data).

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

try:
    import torch
except ImportError:
    torch = None

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


def reward_func(queries, prompts, labels, **kwargs):
    """rewards: the totals; scores: accuracy, for dynamic filtering; extra_logs: the parts."""
    body = {"query": list(queries), "prompts": list(prompts), "labels": list(labels)}
    answer = post("/v1/openrlhf", body, group_size=GROUP_SIZE)
    make = torch.tensor if torch is not None else list
    return {
        "rewards": make(answer["rewards"]),
        "scores": make(answer["scores"]),
        "extra_logs": {key: make(values) for key, values in answer["extra_logs"].items()},
    }
