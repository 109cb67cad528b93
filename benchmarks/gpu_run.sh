#!/usr/bin/env bash
# All that a GPU is wanted for, in MINUTES of it: does it restore as a processor does, how long does a photo take, and
# then training to the last minute, going on from the newest state in runs/gpu.
#
#   benchmarks/gpu_run.sh MINUTES OUT [key=value ...]
#
# CHECKS=0 leaves out the first two. Packs to train on lie in the folders that configs/gpu.toml names. OUT gets the
# log, the weights, and the state in pieces of at most 15 MiB: cat OUT/state.* > runs/gpu/state.safetensors
set -uo pipefail
started=$SECONDS
minutes=$1 out=$2
shift 2
python=${PYTHON:-python3}
config=${CONFIG:-configs/gpu.toml}
run=${RUN:-runs/gpu}
mkdir -p "$out"
if [ "${CHECKS:-1}" = 1 ]; then
  timeout 60 "$python" -m pytest -x -q tests/gpu 2>&1 | tail -5
  timeout 30 "$python" -m benchmarks.gpu_times ${DEVICE:+--device "$DEVICE"}
fi
left=$("$python" -c "print(max(0.05, $minutes - ($SECONDS - $started) / 60))")
"$python" -m opir train "$config" "output=$run" "stop_after_minutes=$left" "$@" 2>&1 | tr '\r' '\n' | tail -4
grep validation "$run/log.jsonl" | tail -4
cp "$run/model.safetensors" "$run/log.jsonl" "$out/"
split -b 15m "$run/state.safetensors" "$out/state."
