#!/usr/bin/env bash
# tests/gpu/check_node.sh BUILD [OUT]: the kernel part of the check of a GPU node. BUILD is a build
# with RACKWRIGHT_CUDA=ON. Writes OUT/tests.xml (own kernels against double precision) and OUT/node.json, OUT/node.txt: each operator's time with its 95 % interval, cold, its
# share of a copy or GEMM measured in the same run against the aim of docs/kernels.md, graph against
# eager (us of one of ten), results against double precision on the host ("ok", with the largest error over the
# tolerance of kernels/cuda_trial.hpp, or "WRONG": the check fails), and the library and algorithm taken; what a
# launch and a KV transfer cost. OUT: out/node.
# Changes no clock and no limit. `rackwright bench kernels --backend cuda --json FILE` keeps all samples.
set -euo pipefail
build=${1:?usage: tests/gpu/check_node.sh BUILD [OUT]}
out=${2:-out/node}
mkdir -p "$out"
out=$(cd "$out" && pwd)
cmake --build "$build" --target rackwright_cuda own_kernels_gpu_tests node_check
status=0
"$build"/tests/gpu/node_check "$build"/lib/rackwright/rackwright_cuda.so "$(dirname "$0")/../.." \
  > "$out/node.json" 2> "$out/node.txt" || status=$?
cat "$out/node.txt"
[ $status -eq 77 ] && exit 77
ctest --test-dir "$build" -L gpu --output-junit "$out/tests.xml" --output-on-failure || status=1
echo "written: $out/node.json, $out/node.txt, $out/tests.xml"
exit $status
