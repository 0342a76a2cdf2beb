#!/bin/bash
# Checks on a real node that power, kernel times, counters and collectives can be trusted. Not yet run on one. Needs a GPU,
# the CUDA toolkit; a check whose tool is absent (nccl-tests, nvbandwidth, sqlite3) is skipped
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

# busbw of the largest size, GB/s, of a table as nccl-tests prints it (out of place).
busbw() { awk '$1 ~ /^[0-9]+$/ { b = $8 } END { print b }' "$1"; }

# Right results at 2, 4 and 8 ranks, compared element by element. Where nccl-tests are on PATH they
# run too. Both time the same NCCL call, 20 times, on the same GPUs: busbw of the largest size, where launches
# no longer count, must agree within 5 %, which is what repeated runs of either spread by.
check_collectives() {
  local gpus ranks ours theirs
  ours=$(mktemp) theirs=$(mktemp)
  gpus=$(nvidia-smi --list-gpus | wc -l)
  for ranks in 2 4 8; do
    if [ "$ranks" -gt "$gpus" ]; then skip "NCCL at $ranks ranks: $gpus GPUs here"; continue; fi
    if "$rackwright" bench collectives --backend cuda --gpus "$ranks" -b 8 -e 256M -f 8 -c 1 >"$ours" 2>&1; then
      pass "NCCL all-reduce at $ranks ranks is right: $(busbw "$ours") GB/s of bus"
    else
      fail "NCCL all-reduce at $ranks ranks: $(tail -1 "$ours")"
      continue
    fi
    have all_reduce_perf || { skip "the same by nccl-tests: not on PATH"; continue; }
    if ! all_reduce_perf -g "$ranks" -b 8 -e 256M -f 8 -c 1 >"$theirs" 2>&1; then
      fail "nccl-tests at $ranks ranks: $(tail -1 "$theirs")"
    elif within "$(busbw "$ours")" "$(busbw "$theirs")" 0.05; then
      pass "nccl-tests at $ranks ranks agree: $(busbw "$theirs") GB/s"
    else
      fail "nccl-tests at $ranks ranks: $(busbw "$theirs") GB/s, over 5 % apart"
    fi
  done
  rm -f "$ours" "$theirs"
}

# The own all-reduce of engines over peer memory, compared element by element.
check_engine_all_reduce() {
  local gpus ranks table
  table=$(mktemp)
  gpus=$(nvidia-smi --list-gpus | wc -l)
  for ranks in 2 4 8; do
    if [ "$ranks" -gt "$gpus" ]; then skip "engines' all-reduce at $ranks ranks: $gpus GPUs here"; continue; fi
    for graph in "" --graph; do
      if "$rackwright" bench collectives --backend cuda --gpus "$ranks" --buffers engine $graph -b 8 -e 1M -c 1 >"$table" 2>&1; then
        pass "engines' all-reduce at $ranks ranks${graph:+, CUDA graph} is right: 16 KiB in $(awk '$1 == 16384 { print $6 }' "$table") us"
      else
        fail "engines' all-reduce at $ranks ranks${graph:+, CUDA graph}: $(tail -1 "$table")"
      fi
    done
  done
  rm -f "$table"
}

# killed_rank NAME COMMAND...: starts ranks, kills one of them after 20 s; the others must end, with
# an error, within 10 s.
killed_rank() {
  local name=$1
  shift
  "$@" >/dev/null 2>&1 &
  local launcher=$! victim waited=0
  sleep 20
  victim=$(pgrep -P "$launcher" | tail -1)
  [ -n "$victim" ] || { kill "$launcher" 2>/dev/null; skip "abort, $name: the ranks did not start in 20 s"; return; }
  kill -KILL "$victim"
  while kill -0 "$launcher" 2>/dev/null && [ "$waited" -lt 10 ]; do
    sleep 1
    waited=$((waited + 1))
  done
  if kill -0 "$launcher" 2>/dev/null; then
    kill "$launcher"
    fail "abort, $name: ranks still run 10 s after one was killed"
  elif wait "$launcher"; then
    fail "abort, $name: exit code 0 after a rank was killed"
  else
    pass "abort, $name: all ranks ended within $waited s of a killed one"
  fi
}

# two_gpu_workload FILE SECONDS: the chat workload at TP 2, with so much traffic.
two_gpu_workload() {
  sed -e 's/"tp": *[^]]*]/"tp": 2/' -e "s/\"duration_s\": *[0-9.]*/\"duration_s\": $2/" \
    "$(dirname "$0")/../../workloads/llama-3.1-8b-chat.json" >"$1"
}

# The ranks of a replica are traced together: NCCL's kernels, or the own all-reduce, in each file.
check_replica_trace() {
  [ "$(nvidia-smi --list-gpus | wc -l)" -ge 2 ] || { skip "trace of a replica: needs 2 GPUs"; return; }
  have sqlite3 || { skip "trace of a replica: no sqlite3"; return; }
  local folder rank
  folder=$(mktemp -d)
  two_gpu_workload "$folder/work.json" 60
  if ! "$rackwright" profile "$folder/work.json" --backend cuda --gpus 2 -o "$folder/ranks" >"$folder/log" 2>&1; then
    fail "trace of a replica: $(tail -1 "$folder/log")"
  else
    for rank in 0 1; do
      if [ "$(sqlite3 "$folder/ranks/rank-000$rank.rw" "SELECT count(*) FROM events e JOIN names n ON n.id = e.name WHERE n.name LIKE 'nccl%' OR n.name LIKE 'rw_%shot%'")" -gt 0 ]; then
        pass "trace of a replica: collectives of rank $rank"
      else
        fail "trace of a replica: no collective of rank $rank"
      fi
    done
  fi
  rm -rf "$folder"
}

check_abort() {
  [ "$(nvidia-smi --list-gpus | wc -l)" -ge 2 ] || { skip "abort of a killed rank: needs 2 GPUs"; return; }
  killed_rank "bench collectives" "$rackwright" bench collectives --backend cuda --gpus 2 -b 1G -e 1G -n 100000 -c 0
  killed_rank "engines' all-reduce" "$rackwright" bench collectives --backend cuda --gpus 2 --buffers engine -b 1M -e 1M -n 10000000 -c 0
  local folder
  folder=$(mktemp -d)
  two_gpu_workload "$folder/work.json" 1e6
  killed_rank profile "$rackwright" profile "$folder/work.json" --backend cuda --gpus 2 -o "$folder/ranks"
  "$rackwright" merge "$folder/ranks" >/dev/null 2>&1
  if [ $? -ne 4 ]; then
    fail "merge after a killed rank: not 4"
  elif have sqlite3 && [ "$(sqlite3 "$folder/ranks/run.rw" "SELECT count(*) FROM rank_slices WHERE rank = 1")" -eq 0 ]; then
    fail "merge after a killed rank: it lost what it had recorded"
  else
    pass "merge after a killed rank: an incomplete run"
  fi
  rm -rf "$folder"
  if have all_reduce_perf && have mpirun; then
    killed_rank nccl-tests mpirun -n 2 all_reduce_perf -g 1 -b 1G -e 1G -n 100000
  else
    skip "abort, nccl-tests: needs them with MPI, and mpirun"
  fi
}

# A replay on the GPU with its collectors: kernels must be traced whole, and the energy counter must
# agree with the integral of the readings (the program states no power where they are 5 % apart).
check_replay() {
  have sqlite3 || { skip "replay: no sqlite3 to read the run file"; return; }
  local run
  run=$(mktemp -u --suffix=.rw)
  if ! "$rackwright" profile llama-3.1-8b-chat --backend cuda -o "$run" 2>"$run.err"; then
    skip "replay: $(tail -1 "$run.err")"
    rm -f "$run" "$run.err"
    return
  fi
  ask() { sqlite3 "$run" "$1"; }
  if [ "$(ask "SELECT count(*) FROM events WHERE kind IN ('kernel', 'collective')")" -gt 0 ]; then
    pass "kernel trace: $(ask "SELECT text FROM notes WHERE text LIKE '%steps traced%'")"
  else
    fail "kernel trace: none; $(grep '^CUPTI' "$run.err")"
  fi
  if [ -z "$(ask "SELECT 1 FROM notes WHERE text LIKE 'the kernel trace lacks%'")" ]; then
    pass "kernel trace: no record was dropped, cut or without a time"
  else
    fail "$(ask "SELECT text FROM notes WHERE text LIKE 'the kernel trace lacks%'")"
  fi
  local counter readings
  counter=$(ask "SELECT max(value) - min(value) FROM counters WHERE name = 'energy' AND gpu = 0")
  readings=$(ask "WITH p AS (SELECT start_s t, value w, lag(start_s) OVER (ORDER BY start_s) t0, lag(value) OVER (ORDER BY start_s) w0 FROM counters WHERE name = 'power_instant' AND gpu = 0) SELECT sum((t - t0) * (w + w0) / 2) FROM p")
  if [ -z "$counter" ] || [ -z "$readings" ]; then
    skip "energy: this GPU gives no counter or no instantaneous power"
  elif within "$readings" "$counter" 0.05; then
    pass "energy: readings $readings J, counter $counter J"
  else
    fail "energy: readings $readings J, counter $counter J: over 5 % apart"
  fi
  rm -f "$run" "$run.err"
}

# 1 GiB copied ten times on the GPU: kernel times against CUDA events, DRAM counters against the
# bytes. Tolerances and their reasons: tests/gpu/trace_check.cpp.
check_copies() {
  local lines code
  [ -x "$build/tests/gpu/trace_check" ] || { skip "copies: build the target trace_check (RACKWRIGHT_CUDA=ON)"; return; }
  lines=$("$build/tests/gpu/trace_check" "$build/lib/rackwright/rackwright_cuda.so" \
    "$build/lib/rackwright/rackwright_cupti.so" "$(dirname "$0")/../../profiler/cupti/metric_plans.json")
  code=$?
  [ -z "$lines" ] || echo "$lines"
  [ $code -eq 0 ] || [ $code -eq 77 ] || failed=1
}

check_devices
check_power
check_replay
check_copies
check_links
check_collectives
check_engine_all_reduce
check_replica_trace
check_abort
exit $failed
