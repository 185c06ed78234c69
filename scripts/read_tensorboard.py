"""Reads a folder of event files with the real TensorBoard and prints what it found as one JSON object."""

import hashlib
import json
import sys

from tensorboard import version
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2
from tensorboard.util import tensor_util

everything = {"scalars": 0, "images": 0, "tensors": 0}
events = EventAccumulator(sys.argv[1], size_guidance=everything).Reload()
tags = events.Tags()


def hparams(tag):
    metadata = events.SummaryMetadata(tag)
    assert metadata.plugin_data.plugin_name == "hparams", metadata
    return plugin_data_pb2.HParamsPluginData.FromString(metadata.plugin_data.content)


def plain(value):
    return getattr(value, value.WhichOneof("kind"))


texts = [tag for tag in tags["tensors"] if not tag.startswith("_hparams_/")]
for tag in texts:
    assert events.SummaryMetadata(tag).plugin_data.plugin_name == "text", tag
start = hparams("_hparams_/session_start_info").session_start_info
end = "_hparams_/session_end_info"
json.dump(
    {
        "version": version.VERSION,
        "scalars": {
            tag: [[e.step, e.wall_time, e.value] for e in events.Scalars(tag)] for tag in tags["scalars"]
        },
        "texts": {
            tag: [
                [e.step, tensor_util.make_ndarray(e.tensor_proto).item().decode()] for e in events.Tensors(tag)
            ]
            for tag in texts
        },
        "images": {
            tag: [
                [e.step, e.width, e.height, hashlib.sha256(e.encoded_image_string).hexdigest()]
                for e in events.Images(tag)
            ]
            for tag in tags["images"]
        },
        "hparams": {name: plain(value) for name, value in start.hparams.items()},
        "started": start.start_time_secs,
        "status": hparams(end).session_end_info.status if end in tags["tensors"] else None,
    },
    sys.stdout,
)
