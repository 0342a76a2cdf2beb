#!/usr/bin/env bash
# tests/coverage.sh [kernels|profiler]: line coverage of what the folder compiles for the host, by its
# own tests; fails under 85 %. Needs gcovr; builds in build/coverage. What runs on a GPU only
# (kernels/cuda but for its logic) is compiled by nvcc and is not counted.
set -euo pipefail
cd "$(dirname "$0")/.."
folder=${1:-kernels}
case $folder in
  kernels) layers="common;workloads;kernels" ;;
  profiler) layers="common;workloads;kernels;profiler" ;;
  *) echo "coverage.sh: \"$folder\": kernels or profiler" >&2; exit 2 ;;
esac
build=build/coverage
command -v gcovr >/dev/null || { echo "coverage.sh: gcovr is missing: apt install gcovr" >&2; exit 2; }
cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG="-O0 --coverage -fprofile-update=atomic" \
  -DRACKWRIGHT_UNITY=ON -DRACKWRIGHT_CUDA=OFF -DRACKWRIGHT_MPI=OFF \
  -DRACKWRIGHT_WEB=OFF "-DRACKWRIGHT_FOLDERS=$layers" --log-level=WARNING
cmake --build "$build" --target "tests/$folder/all"
find "$build" -name '*.gcda' -delete
ctest --test-dir "$build/tests/$folder" -LE gpu -j "$(nproc)" --output-on-failure --no-tests=error |
  tail -n 5
gcovr --root . --object-directory "$build" --filter "$folder/" --exclude-throw-branches --gcov-ignore-parse-errors \
  --sort-uncovered --print-summary --fail-under-line 85 "$build"
