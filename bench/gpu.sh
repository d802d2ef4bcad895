#!/usr/bin/env bash
# What only a GPU can show, in under nine minutes: bash bench/gpu.sh OUT [WHEELS]
#
# For a bare Linux machine with CUDA, a Python of 3.11 or newer that has its own torch, and no network.
# WHEELS is a folder of wheels to install first, for what that Python lacks (not torch).
# SEFA_DEFAULT_MODEL names the default model's file, if it was brought along.
# SEFA_GPU_TINY=1 does the same with small networks on a CPU: this is how the script is tested.
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(mkdir -p "$1" && cd "$1" && pwd)
python=${PYTHON:-python3}
export PYTHONUNBUFFERED=1 SEFA_OFFLINE=1
if [ -n "${2:-}" ]; then
  "$python" -m pip install --quiet --no-index --no-deps --no-compile --target "$out/.site" "$2"/*.whl
  export PYTHONPATH="$out/.site"
fi
export PYTHONPATH="$PWD${PYTHONPATH:+:$PYTHONPATH}"
side=1024 width=512 options=() tests=tests
if [ -n "${SEFA_GPU_TINY:-}" ]; then
  side=64 width=16 options=(--tiny --device cpu) tests=tests/families/test_build.py
else
  nvidia-smi | tee "$out/nvidia-smi.txt"
fi
work=$(mktemp -d)
trap 'rm -rf "$work" "$out/.site"' EXIT
"$python" bench/random_stylegan2.py "$side" "$work/random.pth" "$width"
if [ -n "${SEFA_DEFAULT_MODEL:-}" ]; then options+=(--default-model "$SEFA_DEFAULT_MODEL"); fi
status=0
"$python" bench/gpu.py "$out" --model "$work/random.pth" "${options[@]}" || status=$?
if "$python" -c 'import pytest' 2>/dev/null; then
  "$python" -m pytest "$tests" -m gpu -p no:cacheprovider 2>&1 | tee "$out/pytest.txt" || status=1
else
  echo "pytest is missing: the GPU tests were not run" | tee "$out/pytest.txt"
fi
exit "$status"
