#!/usr/bin/env bash
# tests/coverage.sh [BUILD]: line coverage of what kernels/ compiles for the host, by its own tests.
# Needs gcovr. BUILD: build/coverage. What runs on a GPU only (kernels/cuda but for its logic) is
# compiled by nvcc and is not counted.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${1:-build/coverage}
command -v gcovr >/dev/null || { echo "coverage.sh: gcovr is missing: apt install gcovr" >&2; exit 2; }
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG="-O0 --coverage" \
  -DRACKWRIGHT_UNITY=ON -DCMAKE_UNITY_BUILD=ON -DRACKWRIGHT_CUDA=OFF -DRACKWRIGHT_MPI=OFF -DRACKWRIGHT_WEB=OFF \
  "-DRACKWRIGHT_FOLDERS=common;workloads;kernels" --log-level=WARNING
programs=(kernels_tests cuda_backend_tests measured_backend_tests host_kernels_tests own_kernels_tests bench_tests)
cmake --build "$build" --target "${programs[@]}"
find "$build" -name '*.gcda' -delete
for program in "${programs[@]}"; do
  "$(find "$build/tests/kernels" -name "$program" -type f)" --gtest_brief=1
done
gcovr --root . --object-directory "$build" --filter 'kernels/' --exclude-throw-branches --sort-uncovered \
  --print-summary --fail-under-line 85 "$build"
