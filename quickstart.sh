#!/usr/bin/env bash
# Sets up a Debian 12 or Ubuntu 24.04 machine, builds, and
#   ./quickstart.sh         reviews seven racks for the shipped workload: out/quickstart/report.html
#   ./quickstart.sh test    builds and passes the tests
# Safe to run again: does only what is missing.
set -euo pipefail
cd "$(dirname "$0")"

mode=${1:-review}
case $mode in
  review | test) ;;
  -h | --help) sed -n '2,5s/^# \?//p' "$0"; exit 0 ;;
  *) echo "quickstart.sh: unknown argument \"$mode\"; use no argument, or: test" >&2; exit 2 ;;
esac

say() { printf '\n== %s\n' "$*"; }
warn() { printf 'quickstart.sh: warning: %s\n' "$*" >&2; }

packages=(g++ cmake ninja-build nlohmann-json3-dev libcli11-dev libfmt-dev libeigen3-dev
  libsqlite3-dev libsimdjson-dev zlib1g-dev libopenblas-dev libtbb-dev libthrust-dev libbenchmark-dev libgtest-dev libgmock-dev)
optional=(openmpi-bin libopenmpi-dev)
[ "$mode" = test ] && optional+=(protobuf-compiler)  # an independent reader of exported traces
# The charts of the report are bundled by npm. Without it the report has tables and drawings only.
command -v npm >/dev/null || optional+=(nodejs npm)

missing() { # the arguments that are not installed, one a line
  local package
  for package in "$@"; do
    dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' || echo "$package"
  done
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

install_packages() {
  command -v apt-get >/dev/null || {
    warn "no apt-get here; these packages must be there already: ${packages[*]}"
    return
  }
  local need want
  mapfile -t need < <(missing "${packages[@]}")
  mapfile -t want < <(missing "${optional[@]}")
  [ ${#need[@]} -eq 0 ] && [ ${#want[@]} -eq 0 ] && return
  say "Installing with apt: ${need[*]} ${want[*]}"
  export DEBIAN_FRONTEND=noninteractive
  as_root apt-get update -q >/dev/null || warn "apt-get update failed; trying with the lists here"
  if [ ${#need[@]} -gt 0 ]; then
    as_root apt-get install -y -q --no-install-recommends "${need[@]}" >/dev/null
  fi
  if [ ${#want[@]} -gt 0 ]; then
    as_root apt-get install -y -q --no-install-recommends "${want[@]}" >/dev/null ||
      warn "not installed: ${want[*]}; without npm the report has no interactive charts, without Open MPI there are no ranks on several nodes"
  fi
}

build() { # build ON|OFF: with or without the tests
  local nvcc cuda=OFF
  nvcc=$(command -v nvcc || ls /usr/local/cuda/bin/nvcc 2>/dev/null || true)
  [ -n "$nvcc" ] && cuda=AUTO
  say "Building (tests $1, CUDA ${nvcc:-not found})"
  cmake -S . -B build/quickstart -G Ninja -DCMAKE_BUILD_TYPE=Release -DRACKWRIGHT_TESTS="$1" \
    -DRACKWRIGHT_UNITY=ON -DRACKWRIGHT_CUDA="$cuda" ${nvcc:+-DCMAKE_CUDA_COMPILER="$nvcc"} --log-level=NOTICE
  cmake --build build/quickstart
}

start=$SECONDS
install_packages
if [ "$mode" = test ]; then
  build ON
  say "Testing"
  ctest --test-dir build/quickstart --output-on-failure --no-tests=error -LE gpu -j "$(nproc)"
  say "Tests passed, $((SECONDS - start)) s"
else
  # Keep a build that has the tests as it is.
  tests=OFF
  grep -qs 'RACKWRIGHT_TESTS:BOOL=ON' build/quickstart/CMakeCache.txt && tests=ON
  build $tests
  say "Reviewing seven racks for workloads/llama-3.1-70b-code.json"
  build/quickstart/bin/rackwright review workloads/llama-3.1-70b-code.json --racks all \
    --out out/quickstart
  say "Done in $((SECONDS - start)) s. Open $PWD/out/quickstart/report.html"
fi
