#!/usr/bin/env bash
# Makes a Python environment, outside the project, that holds the SkyRL server with its JAX backend on a CPU: what
# `npm run test:skyrl` talks to. About a minute and 1 GB. The server itself is unmodified; torch and peft, of which this
# backend uses a name and one class that writes a JSON file, are stubs (the full set is "skyrl[tinker,jax]", 6.6 GB).
# usage: setup-skyrl.sh [FOLDER]     PYTHON names an interpreter, 3.12 or newer
set -euo pipefail
folder=${1:-${SKYRL_VENV:-$HOME/.cache/dip-r1/skyrl}}
if [ -x "$folder/bin/python" ] && "$folder/bin/python" -c 'import skyrl.tinker.api' >/dev/null 2>&1; then
  echo "$folder"
  exit 0
fi

new_enough() { "$1" -c 'import sys; raise SystemExit(sys.version_info < (3, 12))' >/dev/null 2>&1; }
python=""
for candidate in ${PYTHON:-} python3 python3.13 python3.12 "$HOME"/.pyenv/versions/3.1[2-9]*/bin/python; do
  if new_enough "$candidate"; then
    python=$candidate
    break
  fi
done
if [ -z "$python" ]; then
  echo "SkyRL needs Python 3.12 or newer; set PYTHON to one" >&2
  exit 2
fi

"$python" -m venv "$folder"
pip() { "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "$@"; }
pip "jax<1.0" "flax>=0.12.10" "optax>=0.2.5" "transformers<=5.16.1" "tokenizers>=0.23.1" safetensors "cloudpathlib>=0.23.0" \
  zstandard rich typer "tinker~=0.25.0" fastapi uvicorn sqlmodel "sqlalchemy[asyncio]" aiosqlite psutil aiohttp pillow xxhash
pip --no-deps skyrl==0.4.0

packages=$("$folder/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
mkdir -p "$packages/torch" "$packages/peft"
echo 'class Tensor: pass' >"$packages/torch/__init__.py"
cat >"$packages/peft/__init__.py" <<'PY'
import json
import pathlib


class LoraConfig:
    """Only what saving a sampler's weights asks for."""

    def __init__(self, **settings):
        self.settings = settings

    def save_pretrained(self, folder):
        path = pathlib.Path(folder)
        path.mkdir(parents=True, exist_ok=True)
        plain = {key: sorted(value) if isinstance(value, set) else value for key, value in self.settings.items()}
        (path / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", **plain}, default=str))
PY
echo "$folder"
