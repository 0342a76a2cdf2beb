#!/usr/bin/env bash
# docs/make_cudnn_plans.sh BUILD_DIR: writes docs/cudnn_plans.md with the plans that cuDNN's support
# check takes for each chip, on a machine without a GPU. CUDA_HOME names the toolkit.
set -euo pipefail
build=$(realpath "${1:?docs/make_cudnn_plans.sh BUILD_DIR}")
cd "$(dirname "$0")/.."
home=${CUDA_HOME:-/usr/local/cuda}
ninja -C "$build" cudnn_plan_page
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
ln -s "$home/lib64/stubs/libcuda.so" "$folder/libcuda.so.1"
LD_LIBRARY_PATH="$folder:$home/lib64" "$build/tests/kernels/cudnn/cudnn_plan_page" > "$folder/table"
{
  cat <<'END'
# Plans of cuDNN by chip

Written by `docs/make_cudnn_plans.sh`. Plans that cuDNN's support check takes, of those that its
heuristics propose (8 at most), for a device that cuDNN is only told of. **This is a weak filter: no plan has run
on a GPU, results and speed are unknown**, and a plan that passes here may still fail where its code
is loaded. On a real GPU the module asks again, times what passes there, and falls back to own
kernels where nothing does. "none": the heuristics propose nothing.

END
  cat "$folder/table"
} > "$folder/page"
cp "$folder/page" docs/cudnn_plans.md
