#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>

/* What a kernel body may use on the device and on the host alike: number formats, 16-byte words,
   views of global memory, the launch description. A body is a template over its thread; see
   host_executor.hpp and cuda_thread.hpp for the two threads. */

#if defined(__CUDACC__)
#define RW_DEVICE __device__ __forceinline__
#define RW_BOTH __host__ __device__ inline
#define RW_UNROLL _Pragma("unroll")
#define RW_ROLLED _Pragma("unroll 1")
#else
#define RW_DEVICE inline
#define RW_BOTH inline
#define RW_UNROLL
#define RW_ROLLED
#endif

namespace rackwright::kernels::own {

inline constexpr int kWarp = 32;  ///< lanes of a warp

/// bfloat16 as stored.
struct Bf16 {
  std::uint16_t bits;
};

/// 16 bytes: the widest global load of one thread.
struct alignas(16) Word16 {
  std::uint32_t word[4];
};

RW_BOTH std::uint32_t bits_of(float value) {
#if defined(__CUDA_ARCH__)
  return __float_as_uint(value);
#else
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
#endif
}

RW_BOTH float float_of(std::uint32_t bits) {
#if defined(__CUDA_ARCH__)
  return __uint_as_float(bits);
#else
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
#endif
}

RW_BOTH float to_float(Bf16 value) {
  return float_of(static_cast<std::uint32_t>(value.bits) << 16);
}

/// Rounds to nearest, ties to even; a NaN stays one.
RW_BOTH Bf16 to_bf16(float value) {
  const std::uint32_t bits = bits_of(value);
  if ((bits & 0x7fffffffU) > 0x7f800000U) return Bf16{0x7fff};
  return Bf16{static_cast<std::uint16_t>((bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16)};
}

/// Two bf16 in a register, `low` at the lower address.
RW_BOTH std::uint32_t pack_bf16(float low, float high) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  std::uint32_t packed;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(packed) : "f"(high), "f"(low));
  return packed;
#else
  return static_cast<std::uint32_t>(to_bf16(low).bits) |
         static_cast<std::uint32_t>(to_bf16(high).bits) << 16;
#endif
}
RW_BOTH float low_bf16(std::uint32_t packed) {
  return float_of(packed << 16);
}
RW_BOTH float high_bf16(std::uint32_t packed) {
  return float_of(packed & 0xffff0000U);
}

/// Byte i of the result is byte (selector >> 4 i) & 7 of `low` (0 to 3) and `high` (4 to 7).
RW_BOTH std::uint32_t permute_bytes(std::uint32_t low, std::uint32_t high, std::uint32_t selector) {
#if defined(__CUDA_ARCH__)
  return __byte_perm(low, high, selector);
#else
  const std::uint64_t both = static_cast<std::uint64_t>(high) << 32 | low;
  std::uint32_t out = 0;
  for (int i = 0; i < 4; ++i) {
    const std::uint32_t from = selector >> (4 * i) & 7U;
    out |= static_cast<std::uint32_t>(both >> (8 * from) & 255U) << (8 * i);
  }
  return out;
#endif
}

RW_BOTH int count_bits(std::uint32_t bits) {
#if defined(__CUDA_ARCH__)
  return __popc(bits);
#else
  return __builtin_popcount(bits);
#endif
}

/// Products of two pairs of bf16, each rounded to bf16.
RW_BOTH std::uint32_t multiply_bf16(std::uint32_t a, std::uint32_t b) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
  std::uint32_t product;
  asm("fma.rn.bf16x2 %0, %1, %2, %3;" : "=r"(product) : "r"(a), "r"(b), "r"(0x80008000U));
  return product;
#else
  return pack_bf16(low_bf16(a) * low_bf16(b), high_bf16(a) * high_bf16(b));
#endif
}

/// 2^x; the device's approximation is within 2 units in the last place (PTX ISA, ex2.approx).
RW_BOTH float exp2_of(float x) {
#if defined(__CUDA_ARCH__)
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
#else
  return std::exp2(x);
#endif
}
inline constexpr float kLog2E = 1.4426950408889634F;
RW_BOTH float exp_of(float x) {
  return exp2_of(x * kLog2E);
}

RW_BOTH float larger(float a, float b) {
  return a > b ? a : b;
}
RW_BOTH int smaller(int a, int b) {
  return a < b ? a : b;
}
RW_BOTH int larger(int a, int b) {
  return a > b ? a : b;
}
RW_BOTH constexpr int ceil_div(int a, int b) {
  return (a + b - 1) / b;
}

/// `count` elements of global memory. The host checks every access against it.
template <class T>
struct View {
  T* data = nullptr;
  std::int64_t count = 0;
};

/// Blocks and threads of one launch. Pure functions of the arguments give it.
struct Launch {
  int grid_x = 1, grid_y = 1, grid_z = 1;
  int block = kWarp;     ///< threads; whole warps
  int shared_bytes = 0;  ///< dynamic
};

}  // namespace rackwright::kernels::own
