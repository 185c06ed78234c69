"""Starts SkyRL's Tinker server with this interpreter. SkyRL starts its engine by `uv run`; here it is `python -m`."""

import argparse
import sys

import uvicorn
from skyrl.tinker import api
from skyrl.tinker.config import EngineConfig, add_model, config_to_argv

api._build_uv_run_cmd_engine = lambda _command, config: [
    sys.executable,
    "-m",
    "skyrl.tinker.engine",
    *config_to_argv(config),
]

parser = argparse.ArgumentParser()
add_model(parser, EngineConfig)
parser.add_argument("--port", type=int, required=True)
options = vars(parser.parse_args())
port = options.pop("port")
fields = {key: value for key, value in options.items() if key in EngineConfig.model_fields}
api.app.state.engine_config = EngineConfig.model_validate(fields)
uvicorn.run(api.app, host="127.0.0.1", port=port, log_level="info")
