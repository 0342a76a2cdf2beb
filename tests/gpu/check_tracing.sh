#!/bin/bash
# Checks on a real node that power, link counters and collectives can be trusted. Not yet run on one. Needs a GPU,
# the CUDA toolkit and (for the collectives) the nccl-tests; a check whose tool is absent is skipped
# with the reason. Changes nothing on the node: no clock, no limit, no mode.
#
#   tests/gpu/check_tracing.sh [BUILD_DIR]
#
# Exit code: 0 all that ran passed, 1 a check failed, 3 no GPU.
set -u -o pipefail

build=${1:-build}
rackwright=$build/bin/rackwright
failed=0

result() { printf '%-8s%s\n' "$1" "$2"; }
pass() { result pass "$1"; }
fail() { result FAIL "$1"; failed=1; }
skip() { result skip "$1"; }
have() { command -v "$1" >/dev/null; }

# within VALUE EXPECTED SHARE: |VALUE - EXPECTED| <= SHARE x EXPECTED
within() { awk -v v="$1" -v e="$2" -v s="$3" 'BEGIN { d = v - e; if (d < 0) d = -d; exit !(d <= s * e) }'; }

check_devices() {
  "$rackwright" doctor --require-gpu >/dev/null 2>&1 || {
    "$rackwright" doctor
    echo "no usable GPU: nothing was checked"
    exit 3
  }
  pass "a GPU can be used"
  "$rackwright" doctor | grep -A1 '^found   NVML'
}

# Mean of 10 s of instantaneous readings against the driver's own average over 1 s: two sources that
# must agree at steady load. The first second is dropped.
check_power() {
  have nvidia-smi || { skip "power: no nvidia-smi"; return; }
  local readings average
  readings=$(timeout 12 nvidia-smi --id=0 --loop-ms=20 --format=csv,noheader,nounits \
    --query-gpu=power.draw.instant 2>/dev/null | awk 'NR > 50 { n++; w += $1 } END { if (n) print w / n }')
  average=$(nvidia-smi --id=0 --query-gpu=power.draw.average --format=csv,noheader,nounits 2>/dev/null)
  if [ -z "$readings" ] || ! [[ $average =~ ^[0-9.]+$ ]]; then
    skip "power: this driver does not give both an instantaneous and an average value"
  elif within "$readings" "$average" 0.05; then
    pass "power: mean of readings $readings W, average $average W"
  else
    fail "power: mean of readings $readings W, average $average W: over 5 % apart; was the load steady?"
  fi
}

# Link counters against known bytes is for nvbandwidth, which says how much it moved.
check_links() {
  have nvbandwidth || { skip "NVLink counters: no nvbandwidth"; return; }
  local before after
  before=$(nvidia-smi nvlink -gt d -i 0 | awk '/Tx/ { s += $(NF-1) } END { print s }')
  nvbandwidth -t device_to_device_memcpy_write_ce -i 1 -b 1024 >/dev/null || { fail "nvbandwidth ends with an error"; return; }
  after=$(nvidia-smi nvlink -gt d -i 0 | awk '/Tx/ { s += $(NF-1) } END { print s }')
  if awk -v a="$after" -v b="$before" 'BEGIN { exit !(a - b >= 1048576) }'; then
    pass "NVLink counters moved by $((after - before)) KiB in copies of 1 GiB"
  else
    fail "NVLink counters moved by $((after - before)) KiB in copies of 1 GiB"
  fi
}

# Right results at 2, 4 and 8 ranks: nccl-tests compares with its own reference (-c 1).
check_collectives() {
  have all_reduce_perf || { skip "NCCL: no nccl-tests on PATH"; return; }
  local gpus ranks
  gpus=$(nvidia-smi --list-gpus | wc -l)
  for ranks in 2 4 8; do
    if [ "$ranks" -gt "$gpus" ]; then skip "NCCL at $ranks ranks: $gpus GPUs here"; continue; fi
    if all_reduce_perf -g "$ranks" -b 8 -e 256M -f 8 -c 1 2>&1 | grep -q 'Out of bounds values : 0 OK'; then
      pass "NCCL all-reduce at $ranks ranks is right"
    else
      fail "NCCL all-reduce at $ranks ranks"
    fi
  done
}

# One rank killed in the middle: the others must end, with an error, within 10 s.
check_abort() {
  { have all_reduce_perf && have mpirun; } || { skip "abort: needs nccl-tests with MPI and mpirun"; return; }
  mpirun -n 2 all_reduce_perf -g 1 -b 1G -e 1G -n 100000 >/dev/null 2>&1 &
  local launcher=$! victim
  sleep 20
  victim=$(pgrep -P "$launcher" -f all_reduce_perf | head -1)
  [ -n "$victim" ] || { kill "$launcher" 2>/dev/null; skip "abort: the ranks did not start in 20 s"; return; }
  kill -KILL "$victim"
  local waited=0
  while kill -0 "$launcher" 2>/dev/null && [ "$waited" -lt 10 ]; do
    sleep 1
    waited=$((waited + 1))
  done
  if kill -0 "$launcher" 2>/dev/null; then
    kill "$launcher"
    fail "abort: ranks still run 10 s after one was killed"
  elif wait "$launcher"; then
    fail "abort: exit code 0 after a rank was killed"
  else
    pass "abort: all ranks ended within $waited s of a killed one"
  fi
}

check_devices
check_power
check_links
check_collectives
check_abort
skip "kernel trace against CUDA events, counters against known bytes: this version has no kernel trace"
skip "energy counter against the integral of power: no command of this version reads the counter"
exit $failed
