#!/usr/bin/env bash
# Makes a Python environment, outside the project, that holds TensorBoard: what the export is read back with. Half a minute.
# usage: setup-tensorboard.sh [FOLDER]     PYTHON names an interpreter; prints the environment's own
set -euo pipefail
folder=${1:-${TENSORBOARD_VENV:-$HOME/.cache/dip-r1/tensorboard}}
python=$folder/bin/python
if ! { [ -x "$python" ] && "$python" -c 'import tensorboard' >/dev/null 2>&1; }; then
  "${PYTHON:-python3}" -m venv "$folder"
  "$python" -m pip install --quiet --disable-pip-version-check "tensorboard>=2.20,<3" >&2
fi
echo "$python"
