#!/usr/bin/env bash
# docs/make_accuracy.sh DATA_DIR [OUT_DIR]: runs `rackwright validate` over every measured table of
# DATA_DIR and writes OUT_DIR/accuracy.md with a figure per format (predicted against measured).
# RACKWRIGHT names the program; OUT_DIR is this folder unless given.
set -euo pipefail
data=${1:?usage: make_accuracy.sh DATA_DIR [OUT_DIR]}
out=${2:-$(dirname "$0")}
program=${RACKWRIGHT:-rackwright}
mkdir -p "$out/accuracy"
rows=$(mktemp)
trap 'rm -f "$rows"' EXIT

# format | quantity | options | tables | bar: MAPE in per cent
list() {
  cat <<'LIST'
aicfg-gemm|time||aiconfigurator-ops/gemm_a100*.csv|7.0 unseen m
aicfg-gemm|time||aiconfigurator-ops/gemm_h100*.csv|3.8 bf16, 2.3 fp8, unseen m
aicfg-gemm|time||aiconfigurator-ops/gemm_power_h200*.csv|3.3 unseen m
aicfg-gemm|power||aiconfigurator-ops/gemm_power_h200*.csv|3 from 100 us
aicfg-gemm|time|--source h100-sxm|aiconfigurator-ops/gemm_power_h200*.csv|14 next generation
aicfg-gemm|time|--source a100-sxm|aiconfigurator-ops/gemm_h100*.csv|14 next generation
aicfg-attention|time||aiconfigurator-ops/attn_*.csv|11 prefill, 10 decode
aicfg-attention|time|--source a100-sxm|aiconfigurator-ops/attn_*_h100*.csv|17 prefill, 22 decode
aicfg-mla|time||aiconfigurator-ops/mla_*.csv|6
aicfg-moe|time||aiconfigurator-ops/moe_*.csv|14, median 7
aicfg-attention|time|--source h100-sxm|aiconfigurator-ops/attn_*_a100*.csv|17 prefill, 22 decode
aicfg-moe|time|--source h100-sxm|aiconfigurator-ops/moe_a100*.csv|33
aicfg-moe|time|--source a100-sxm|aiconfigurator-ops/moe_h100*.csv|33
aicfg-nccl|time||aiconfigurator-ops/nccl_*.csv|5
aicfg-nccl|time|--source h100-sxm|aiconfigurator-ops/nccl_gb200*.csv|7 next generation
aicfg-allreduce|time||aiconfigurator-ops/custom_allreduce_*.csv|6 H100, 9 A100
aicfg-deepep|time||aiconfigurator-ops/deepep_*.csv|8 low latency, 35 normal
vidur-mlp|time||vidur-kernels/mlp_*.csv|3.5 A100, 6 H100
vidur-net|time||vidur-kernels/net_*.csv|14
nccl-tests|time||nccl-cluster-h100-ib/nccl_N*.csv validation/nccl_bandwidth.csv|4-10 from 256 MiB
splitwise|time||splitwise-perf/*.csv|10 prefill, 6 decode
aicfg-e2e|time||aiconfigurator-e2e/*.csv|14 / 12
vllm-replay|time||llmservingsim-vllm/*_requests.jsonl|10
ml-energy|power||ml-energy-llm/*.csv|8
mlperf-power|power||mlperf-node-power/*.csv|4
ml-energy|energy||ml-energy-llm/*.csv|20
zeus|time||zeus-power-limits/*.csv|6 points
gpu-power-timelines|power|--device h100-sxm|gpu-power-timelines/h100*.csv|KS 0.2
gpu-power-timelines|power|--device v100-sxm|gpu-power-timelines/v100*.csv|KS 0.2
gpu-power-timelines|data-sheet|--device v100-sxm|gpu-power-timelines/v100*.csv|KS 0.2
biohpc-thermal|temperature||biohpc-gpu-thermal/*.csv|2.7 degC
biohpc-thermal|tracked||biohpc-gpu-thermal/*.csv|1.6 degC
fabric-counts|count||validation/fabric_counts.csv|exact
cable-bom|count||validation/cable_bom.csv|exact
thermal-points|value||validation/thermal.csv|
power-points|value||validation/power.csv|
LIST
}

# profile | class (regular expression) | bar of groups the fit never saw, MAPE in per cent
held_out_bars() {
  cat <<'LIST'
a100-sxm|gemm bf16|7.0
h100-sxm|gemm bf16|3.8
h100-sxm|gemm fp8|2.3
h200-sxm|gemm bf16|3.3
*|^attention_prefill|11
*|^attention_decode|10
*|^mla|6
*|^experts|14, median 7
h100-sxm|all_reduce engine|6
a100-sxm|all_reduce engine|9
*|nccl|5
*|expert_exchange|8
*|normal_exchange|35
*|power gemm|3
LIST
}

# The classes of the shipped profiles that were fitted on the profile's own device.
held_out() {
  held_out_bars | awk -v files="$*" '
    function value(line) { sub(/^[^:]*: /, "", line); gsub(/"|,$/, "", line); return line }
    function show(  i, bar, name) {
      name = operation (variant == "" ? "" : " " variant) (ranks == "" ? "" : " " ranks " GPUs")
      for (i = n; i >= 1; i--) if ((device[i] == "*" || device[i] == of) && name ~ class[i]) bar = bars[i]
      if (origin == "measured") printf "| %s | %s | %d | %s | %.1f | %.1f | %.1f | %.1f | %s |\n", of, name, q["rows"], q["held_out_group"], 100 * q["fit_mean"], 100 * q["held_out_mean"], 100 * q["held_out_median"], 100 * q["held_out_p90"], bar
    }
    { split($0, part, "|"); n++; device[n] = part[1]; class[n] = part[2]; bars[n] = part[3] }
    END { count = split(files, file, " ")
      for (f = 1; f <= count; f++) {
        of = file[f]; sub(/.*\//, "", of); sub(/\.json$/, "", of)
        while ((getline line < file[f]) > 0) {
          if (line ~ /^   "operation"/) { operation = value(line); variant = ranks = "" }
          if (line ~ /^   "variant"/) variant = value(line)
          if (line ~ /^   "ranks"/) ranks = value(line)
          if (line ~ /^    "origin"/) origin = value(line)
          if (line ~ /^    "(rows|fit_mean|held_out)/) { key = line; sub(/^ *"/, "", key); sub(/".*/, "", key); q[key] = value(line) }
          if (line ~ /^   "parameters"/) show()
        }
      } }'
}

# A log-log cloud of at most 300 points.
figure() {
  awk -F, -v title="$1" '
    NR > 1 && $2 > 0 && $3 > 0 { n++; x[n] = log($2); y[n] = log($3)
      if (n == 1) { lo = hi = x[n] }
      if (x[n] < lo) lo = x[n]; if (x[n] > hi) hi = x[n]
      if (y[n] < lo) lo = y[n]; if (y[n] > hi) hi = y[n] }
    END { if (n == 0 || hi <= lo) exit
      step = int(n / 300) + 1; scale = 300 / (hi - lo)
      print "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"340\" height=\"360\" font-family=\"sans-serif\" font-size=\"11\">"
      printf "<text x=\"20\" y=\"14\">%s: predicted (up) against measured (right), %d rows, log scales</text>\n", title, n
      print "<rect x=\"20\" y=\"30\" width=\"300\" height=\"300\" fill=\"none\" stroke=\"#888\"/>"
      print "<line x1=\"20\" y1=\"330\" x2=\"320\" y2=\"30\" stroke=\"#888\"/>"
      for (i = 1; i <= n; i += step)
        printf "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"1.2\" fill=\"#1f6f8b\" fill-opacity=\"0.4\"/>\n", 20 + (x[i] - lo) * scale, 330 - (y[i] - lo) * scale
      printf "<text x=\"20\" y=\"346\">%.3g</text><text x=\"280\" y=\"346\">%.3g</text></svg>\n", exp(lo), exp(hi) }' "$rows"
}

{
  echo "# Accuracy of the predictions"
  echo
  echo "Written by \`docs/make_accuracy.sh\`."
  echo
  echo "## Groups the fit never saw"
  echo
  echo "What to expect of a new model, size or plan on a calibrated card: whole groups of rows are left"
  echo "out, the rest is fitted, the group predicted. MAPE in per cent, from the shipped profiles."
  echo
  echo "| profile | class | rows | left out together | fit | held out | median | p90 | bar |"
  echo "|---|---|--:|---|--:|--:|--:|--:|---|"
  root=$(cd "$(dirname "$0")/.." && pwd)
  held_out "$root"/kernels/devices/profiles/*.json "$root"/profiler/serving_profiles/*.json
  echo
  echo "## Every table as \`validate\` sees it"
  echo
  echo "Rows of the tables a device was calibrated on are fitted rows: the section above says how far"
  echo "they speak for others. \`--source\` predicts from another device's calibration only."
  echo
  echo "| format | quantity | tables | group | n | MAPE % | p50 | p90 | bias | rank corr. | baseline % | extrapolated % | in 90 % interval % | half-width % | mean error | p95 error | KS | bar |"
  echo "|---|---|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|"
  while IFS='|' read -r format quantity options tables bar; do
    files=()
    for pattern in $tables; do
      for file in "$data"/$pattern; do [ -e "$file" ] && files+=("$file"); done
    done
    [ ${#files[@]} -gt 0 ] || continue
    # shellcheck disable=SC2086
    text=$("$program" validate "$format" "${files[@]}" --quantity "$quantity" $options --rows "$rows") || continue
    printf '%s\n' "$text" | awk -v head="| $format | $quantity | \`${tables}\` ${options} |" -v bar="$bar" '
      /^---/ { body = 1; next }
      /^$/ { body = 0 }
      body { gsub(/  +/, " | "); print head " " $0 " | " bar " |" }'
    figure "$format $quantity $options" > "$out/accuracy/$format-$quantity${options// /}.svg"
    find "$out/accuracy" -name '*.svg' -empty -delete  # one point or none: no figure
  done < <(list)
  echo
  for svg in "$out"/accuracy/*.svg; do echo "![$(basename "$svg" .svg)](accuracy/$(basename "$svg"))"; done
} > "$out/accuracy.md"
