#!/usr/bin/env bash
# Installs to a prefix, moves it, and works from an empty folder: the program with its data, and a
# program that uses the installed package.
#   moved_prefix.sh BUILD_DIR SOURCE_DIR
set -euo pipefail
build=$(cd "$1" && pwd) source=$(cd "$2" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

cmake --install "$build" --prefix "$scratch/first" >/dev/null
mv "$scratch/first" "$scratch/second"
mkdir "$scratch/empty"
cd "$scratch/empty"

# Nothing may come from the source tree: the strongest proof is a look at what is opened.
unset RACKWRIGHT_DATA
program=$scratch/second/bin/rackwright
"$program" catalog list racks | grep -q gb300-nvl72
"$program" review llama-3.1-8b-chat --racks dgx-h100-air --out "$scratch/out" \
  --set traffic.duration_s=20 >/dev/null || [ $? -eq 1 ]
test -s "$scratch/out/report.html"
test -z "$(ls -A "$scratch/empty")"

# With the generator of the build: a machine may have Ninja and no make.
generator=$(sed -n 's/^CMAKE_GENERATOR:INTERNAL=//p' "$build/CMakeCache.txt")
cmake -S "$source/tests/install/consumer" -B "$scratch/consumer" -G "$generator" \
  -DCMAKE_PREFIX_PATH="$scratch/second" >/dev/null
cmake --build "$scratch/consumer" >/dev/null
"$scratch/consumer/consumer" "$scratch/second/share/rackwright"
