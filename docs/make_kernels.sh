#!/usr/bin/env bash
# docs/make_kernels.sh: writes docs/kernels.md from what ptxas says of kernels/cuda/own_*.cu.
# Needs nvcc; NVCC names another.
set -euo pipefail
cd "$(dirname "$0")/.."
nvcc=${NVCC:-$(command -v nvcc || echo /usr/local/cuda/bin/nvcc)}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
architectures="80 90 100"
"$nvcc" --list-gpu-arch | grep -q compute_100 || architectures="80 90"

for architecture in $architectures; do
  for source in kernels/cuda/own_*.cu; do
    "$nvcc" -std=c++20 -O2 -I. -cubin -arch=sm_"$architecture" -Xptxas -v -o "$folder/cubin" "$source" 2>&1
  done | awk -v a="$architecture" '
    /Function properties for/ { name = $NF }
    /Used [0-9]+ registers/ { match($0, /Used [0-9]+/); print name, a, substr($0, RSTART + 5, RLENGTH - 5) }'
done > "$folder/registers"

# kernel | dynamic shared memory, bytes | shape | bytes of HBM | FLOP | bound
cat > "$folder/work" <<'END'
rw_stream_copy|0|1 GiB|2 x size = 2.15 GB|0|HBM
rw_fill_random|0|1 GiB|size = 1.07 GB|0|HBM
rw_rms_norm_1|32|8192 x 2048|4 x rows x hidden x 2 = 134 MB|4 x rows x hidden|HBM
rw_rms_norm_2|32|8192 x 4096|as above = 268 MB|as above|HBM
rw_rms_norm_4|32|8192 x 8192|as above = 537 MB|as above|HBM
rw_rms_norm_8|32|8192 x 16384|as above = 1.07 GB|as above|HBM
rw_rms_norm_narrow|0|8192 tokens, 32 + 8 heads of 128|2 x rows x dim x 2 = 168 MB|as above|HBM
rw_silu_mul|0|8192 x 14336|3 x rows x width x 2 = 705 MB|4 x rows x width|HBM
rw_rotary_append|0|8192 tokens, 32 + 8 heads of 128|tokens x (2 heads + 4 kv_heads) x dim x 2 = 201 MB|6 x tokens x (heads + kv_heads) x dim / 2|HBM
rw_quantise_rows_1|32|8192 x 4096|3 x rows x width = 101 MB|2 x rows x width|HBM
rw_quantise_rows_4|32|8192 x 16384|as above = 403 MB|as above|HBM
rw_quantise_fp8_group|0|8192 x 7168|(3 + 4/128) x rows x width = 178 MB|2 x rows x width|HBM
rw_quantise_mxfp8|0|8192 x 7168|(3 + 1/32) x rows x width = 178 MB|as above|HBM
rw_quantise_mxfp4|0|8192 x 7168|(2.5 + 1/32) x rows x width = 149 MB|as above|HBM
rw_quantise_nvfp4|0|8192 x 7168|(2.5 + 1/16) x rows x width = 150 MB|as above|HBM
rw_route|32 x experts = 8192|8192 tokens, top 8 of 256|tokens x (8 experts + 8 top_k) = 17 MB|small|HBM and latency
rw_permute_count|32 x experts = 8192|65536 pairs, 256 experts|4 x pairs|0|latency
rw_permute_offsets|4 x experts = 1024|256 chunks|8 x chunks x experts|0|latency
rw_permute_place|32 x experts = 8192|65536 pairs|8 x pairs|0|latency
rw_permute_rows|0|8192 tokens, top 8, 7168 wide|(1 + top_k) x tokens x hidden x 2 = 1.06 GB|0|HBM
rw_unpermute_rows|0|as above|(1 + top_k) x tokens x hidden x 2 = 1.06 GB|2 x top_k x tokens x hidden|HBM
rw_prefill_64|40960|8192 tokens, 32 heads of 64, causal|small|2 x heads x tokens^2 x dim = 275 GFLOP|tensor
rw_prefill_128|81920|8192 tokens, 32 heads of 128, causal|small|as above = 550 GFLOP|tensor
rw_prefill_192|106496|8192 tokens, 16 heads of 192/128, causal|small|heads x tokens^2 x (192 + 128) = 344 GFLOP|tensor
rw_decode_64|35328|64 sequences of 8192, 64 on 8 heads of 64|4 x sequences x keys x kv_heads x dim = 1.07 GB|4 x sequences x heads x keys x dim|HBM
rw_decode_128|70144|64 sequences of 8192, 32 on 8 heads of 128|as above = 2.15 GB|as above|HBM
rw_decode_64_fp8|35328|64 sequences of 8192, 64 on 8 heads of 64|2 x sequences x keys x kv_heads x dim = 537 MB|as of rw_decode_64|HBM
rw_decode_128_fp8|70144|64 sequences of 8192, 32 on 8 heads of 128|as above = 1.07 GB|as of rw_decode_128|HBM
rw_latent_decode|156160|64 sequences of 8192, 128 heads|2 x sequences x keys x 576 = 604 MB|2 x sequences x heads x keys x (576 + 512) = 146 GFLOP|tensor and HBM: about 242 FLOP a byte
rw_latent_decode_fp8|156160|64 sequences of 8192, 128 heads, E4M3 with a scale a tensor|sequences x keys x 576 = 302 MB|as of rw_latent_decode|tensor
rw_merge_attention|0|2048 rows of 128, 8 parts|4 x rows x parts x dim = 8.4 MB|2 x rows x parts x dim|latency
rw_mxfp4_gemm_16|9216|16 x 5760 x 2880|n x k x (1/2 + 1/32) = 8.8 MB|2 m n k = 0.53 GFLOP|HBM
rw_mxfp4_gemm_64|36864|4096 x 5760 x 2880|small|2 m n k = 136 GFLOP|tensor
rw_index_largest|1064|64 rows of 131072, 2048 kept|5 passes x 4 x scores, most from the L2|0|L2 and latency
rw_sample|9264|64 rows of 128256, top 50|5 passes x 4 x logits, most from the L2|small|L2 and latency
rw_copy_pages|0|pages of 1 MiB|2 x size|0|HBM, or the link to a peer
rw_one_shot_all_reduce_bf16|0|16 KiB of 8 ranks|ranks x size from peers, size to HBM = 147 kB|ranks x values|latency of the link
rw_one_shot_all_reduce_f32|0|as above|as above|ranks x values|latency of the link
rw_two_shot_all_reduce_bf16|0|512 KiB of 8 ranks|3 x size, most from and to peers = 1.57 MB|ranks x values / ranks|latency and rate of the link
rw_two_shot_all_reduce_f32|0|as above|as above|as above|latency and rate of the link
rw_launch_probe|0|nothing|0|0|launch
rw_hold_stream|0|until let go, 100 ms at most|0|0|launch
rw_burn|0|a given time|0|as many as go|tensor
END

{
  cat <<'END'
# Own kernels

Written by `docs/make_kernels.sh`. Registers a thread are what ptxas reports for each target; no
kernel spills (a test fails where one does). Bytes and FLOPs are formulas at the stated shape, cold.
**No kernel has run on a GPU: every time and share of a bound is not yet measured on a GPU.** Registers and
PTX say nothing of how the machine code (SASS) is scheduled.

| aim | of |
|---|---|
| at least 85 % of the copy rate that `rw_stream_copy` measures | kernels that HBM bounds |
| at least 35 % of the dense BF16 tensor rate on an H100 | portable attention (mma.sync, of the class of FlashAttention-2) |
| at least 70 % of the tensor rate at the observed clock | products by cuBLASLt |
| none | kernels that latency or the L2 bounds: time is reported |

END
  printf '| kernel |'
  for architecture in $architectures; do printf ' sm_%s registers |' "$architecture"; done
  printf ' shared memory, bytes | shape | HBM bytes | FLOP | bound | attained |\n|---|'
  for architecture in $architectures; do printf -- '---|'; done
  printf -- '---|---|---|---|---|---|\n'
  while IFS='|' read -r name shared shape bytes flops bound; do
    printf '| `%s` |' "$name"
    for architecture in $architectures; do
      registers=$(awk -v n="$name" -v a="$architecture" '$1 == n && $2 == a { print $3 }' "$folder/registers")
      [ -n "$registers" ] || { echo "docs/make_kernels.sh: no kernel $name for sm_$architecture" >&2; exit 1; }
      printf ' %s |' "$registers"
    done
    printf ' %s | %s | %s | %s | %s | not yet measured on a GPU |\n' "$shared" "$shape" "$bytes" "$flops" "$bound"
  done < "$folder/work"
} > "$folder/page"
unlisted=$(cut -d' ' -f1 "$folder/registers" | sort -u | grep -vxF -f <(cut -d'|' -f1 "$folder/work") || true)
[ -z "$unlisted" ] || { echo "docs/make_kernels.sh: kernels without a line: $unlisted" >&2; exit 1; }
cp "$folder/page" docs/kernels.md
