#!/usr/bin/env bash
# docs/make_profiles.sh DATA_DIR [BUILD_DIR]: fits every shipped profile anew from the measured
# tables of DATA_DIR: kernels/devices/profiles, then profiler/serving_profiles on top of them.
# About a minute; same tables, same bytes. BUILD_DIR is build unless given.
set -euo pipefail
data=$(cd "${1:?usage: make_profiles.sh DATA_DIR [BUILD_DIR]}" && pwd)
source=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "${2:-$source/build}" && pwd)
export RACKWRIGHT_DATA=$source
cmake --build "$build" --target rackwright_calibrate_profiles rackwright_calibrate_serving
"$build/kernels/rackwright_calibrate_profiles" "$data" "$source/kernels/devices/profiles"
"$build/results/rackwright_calibrate_serving" "$data" "$source/profiler/serving_profiles"
