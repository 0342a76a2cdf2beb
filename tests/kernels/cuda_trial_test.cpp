#include "kernels/cuda_trial.hpp"

#include <cmath>
#include <cstring>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/input_error.hpp"
#include "common/random.hpp"
#include "kernels/cuda/shuffled.hpp"
#include "kernels/own/number_formats.hpp"

/* The comparison by a stand-in module: what it hands over is worked out by hand or in float, and
   one element is planted. */

namespace rackwright::kernels {
namespace {

using ::testing::HasSubstr;

struct Part {
  int role;
  std::vector<unsigned char> bytes;
};
std::function<std::vector<Part>(const RackwrightCudaOperator&)> computes;
RackwrightCudaOperator prepared_op;
std::vector<int> prepared_rows;

CudaModule stand_in() {
  CudaModule module;
  module.prepare = [](int, const RackwrightCudaOperator* op, int, RackwrightCudaStep** out, char*) {
    prepared_op = *op;
    if (op->expert_rows != nullptr) {
      prepared_rows.assign(op->expert_rows, op->expert_rows + op->experts);
    }
    *out = reinterpret_cast<RackwrightCudaStep*>(&prepared_op);
    return 0;
  };
  module.choice = [](RackwrightCudaStep*, int, char* text, char*) {
    std::strcpy(text, "stand-in");
    return 0;
  };
  module.release = [](RackwrightCudaStep*) {};
  module.trial = [](RackwrightCudaStep*, int, unsigned, RackwrightCudaSink sink, void* context,
                    char*) {
    for (const Part& part : computes(prepared_op)) {
      sink(context, part.role, part.bytes.data(), part.bytes.size());
    }
    return 0;
  };
  return module;
}

template <class T>
Part part(int role, const std::vector<T>& values) {
  Part out{role, std::vector<unsigned char>(values.size() * sizeof(T))};
  std::memcpy(out.bytes.data(), values.data(), out.bytes.size());
  return out;
}
std::vector<own::Bf16> bf16(const std::vector<float>& values) {
  std::vector<own::Bf16> out;
  for (const float value : values) out.push_back(own::to_bf16(value));
  return out;
}

workloads::Operator product(int m, int n, int k, workloads::DataType type) {
  return {"gemm", workloads::OperatorClass::gemm, workloads::Lane::compute, 1,
          workloads::GemmShape{double(m), double(n), double(k), type}};
}

/// Random bf16 operands and their product in float; `error` is added to element `at`.
std::vector<Part> bf16_product(std::size_t m, std::size_t n, std::size_t k, std::size_t at,
                               float error) {
  RandomSource random(3);
  std::vector<float> left(m * k), right(n * k), out(m * n);
  for (float& x : left) x = own::to_float(own::to_bf16(float(2 * random.uniform() - 1)));
  for (float& x : right) x = own::to_float(own::to_bf16(float(2 * random.uniform() - 1)));
  for (std::size_t i = 0; i < m * n; ++i) {
    for (std::size_t j = 0; j < k; ++j) out[i] += left[i / n * k + j] * right[i % n * k + j];
  }
  out[at] += error;
  return {part(RACKWRIGHT_CUDA_LEFT, bf16(left)), part(RACKWRIGHT_CUDA_RIGHT, bf16(right)),
          part(RACKWRIGHT_CUDA_OUTPUT, bf16(out))};
}

TEST(CudaTrial, ARightProductPassesAndAPlantedElementFails) {
  const auto op = product(5, 48, 320, workloads::DataType::bf16);
  computes = [](const auto&) { return bf16_product(5, 48, 320, 0, 0); };
  const auto right = compare_with_host(stand_in(), 0, op, 1);
  EXPECT_TRUE(right.right()) << right.first_wrong;
  EXPECT_EQ(right.elements, 5U * 48);
  EXPECT_GT(right.largest, 0);
  EXPECT_EQ(right.choice, "stand-in");
  computes = [](const auto&) { return bf16_product(5, 48, 320, 77, 1.0F); };
  const auto wrong = compare_with_host(stand_in(), 0, op, 1);
  EXPECT_EQ(wrong.wrong, 1U);
  EXPECT_THAT(wrong.first_wrong, HasSubstr("element 77"));
  computes = [](const auto&) { return bf16_product(5, 48, 320, 3, NAN); };
  EXPECT_FALSE(compare_with_host(stand_in(), 0, op, 1).right());
}

// 1.5 (E4M3 0x3c) x -2 (0xc0), 16 of them: -48.
TEST(CudaTrial, Fp8IsE4m3) {
  const auto op = product(1, 16, 16, workloads::DataType::fp8);
  float result = -48;
  computes = [&](const auto&) {
    return std::vector<Part>{part(RACKWRIGHT_CUDA_LEFT, std::vector<unsigned char>(16, 0x3c)),
                             part(RACKWRIGHT_CUDA_RIGHT, std::vector<unsigned char>(256, 0xc0)),
                             part(RACKWRIGHT_CUDA_OUTPUT, bf16(std::vector<float>(16, result)))};
  };
  EXPECT_TRUE(compare_with_host(stand_in(), 0, op, 1).right());
  result = -46;
  EXPECT_EQ(compare_with_host(stand_in(), 0, op, 1).wrong, 16U);
}

// E2M1 code 7 is 6, code 2 is 1 (OCP MX 1.0, table 5): low half first. 32 x 6 x 1 = 192; one code 9
// (-0.5) for a 2 lacks 9 of it.
TEST(CudaTrial, Nvfp4IsE2m1) {
  const auto op = product(1, 16, 32, workloads::DataType::nvfp4);
  computes = [](const auto&) {
    std::vector<unsigned char> right(256, 0x22);
    right[0] = 0x29;
    std::vector<float> out(16, 192);
    out[0] = 183;
    return std::vector<Part>{part(RACKWRIGHT_CUDA_LEFT, std::vector<unsigned char>(16, 0x77)),
                             part(RACKWRIGHT_CUDA_RIGHT, right),
                             part(RACKWRIGHT_CUDA_OUTPUT, bf16(out))};
  };
  const auto result = compare_with_host(stand_in(), 0, op, 1);
  EXPECT_TRUE(result.right()) << result.first_wrong;
}

// Weights of 1 with bf16 activations where the module hands over scales: 32 x 0.5.
TEST(CudaTrial, Mxfp4WeightsMultiplyBf16) {
  const auto op = product(2, 16, 32, workloads::DataType::mxfp4);
  computes = [](const auto&) {
    return std::vector<Part>{part(RACKWRIGHT_CUDA_LEFT, bf16(std::vector<float>(64, 0.5F))),
                             part(RACKWRIGHT_CUDA_RIGHT, std::vector<unsigned char>(256, 0x22)),
                             part(RACKWRIGHT_CUDA_SCALE, std::vector<unsigned char>(16, 127)),
                             part(RACKWRIGHT_CUDA_OUTPUT, bf16(std::vector<float>(32, 16)))};
  };
  EXPECT_TRUE(compare_with_host(stand_in(), 0, op, 1).right());
}

// -3 x 5 x 16 = -240 exactly: one off is wrong.
TEST(CudaTrial, Int8IsExact) {
  const auto op = product(1, 16, 16, workloads::DataType::int8);
  std::vector<std::int32_t> out(16, -240);
  computes = [&](const auto&) {
    return std::vector<Part>{part(RACKWRIGHT_CUDA_LEFT, std::vector<std::int8_t>(16, -3)),
                             part(RACKWRIGHT_CUDA_RIGHT, std::vector<std::int8_t>(256, 5)),
                             part(RACKWRIGHT_CUDA_OUTPUT, out)};
  };
  EXPECT_TRUE(compare_with_host(stand_in(), 0, op, 1).right());
  out[15] = -239;
  EXPECT_EQ(compare_with_host(stand_in(), 0, op, 1).wrong, 1U);
}

workloads::AttentionShape attention(bool prefill, double sequences, double tokens, double keys) {
  workloads::AttentionShape shape;
  shape.prefill = prefill, shape.sequences = sequences;
  shape.query_tokens = sequences * tokens, shape.kv_tokens = sequences * keys;
  shape.pairs = sequences * tokens * (keys - tokens + (tokens + 1) / 2);
  shape.heads = 4, shape.kv_heads = 2, shape.head_dim = 64;
  return shape;
}
workloads::Operator as_operator(const workloads::OperatorShape& shape) {
  return {"attention", workloads::OperatorClass::attention_prefill, workloads::Lane::compute, 1,
          shape};
}

/// Keys of zero: all keys that a query sees weigh alike. The value of key j is j, so that query i
/// of 8 on 12 keys averages 0 … i + 4, or the last `window` of them; a sink of logit 0.5 weighs
/// e^0.5 keys of value 0.
std::vector<Part> averages(int window, bool sinks, float error) {
  std::vector<float> query(8 * 4 * 64, 0.25F), key(12 * 2 * 64, 0), value, out;
  for (int j = 0; j < 12; ++j) value.insert(value.end(), 2 * 64, float(j));
  for (int i = 0; i < 8; ++i) {
    const int last = i + 4, first = window > 0 ? std::max(0, last - window + 1) : 0;
    float sum = 0;
    for (int j = first; j <= last; ++j) sum += float(j);
    const float weight = float(last - first + 1) + (sinks ? std::exp(0.5F) : 0);
    out.insert(out.end(), 4 * 64, sum / weight);
  }
  out[300] += error;
  return {part(RACKWRIGHT_CUDA_QUERY, bf16(query)), part(RACKWRIGHT_CUDA_KEY, bf16(key)),
          part(RACKWRIGHT_CUDA_VALUE, bf16(value)), part(RACKWRIGHT_CUDA_OUTPUT, bf16(out))};
}

TEST(CudaTrial, PrefillIsCausalWithWindowAndSinks) {
  for (const int window : {0, 3}) {
    for (const bool sinks : {false, true}) {
      auto shape = attention(true, 1, 8, 12);
      shape.window = window, shape.sinks = sinks;
      computes = [&](const auto&) { return averages(window, sinks, 0); };
      const auto right = compare_with_host(stand_in(), 0, as_operator(shape), 1);
      EXPECT_TRUE(right.right()) << window << sinks << right.first_wrong;
      EXPECT_EQ(right.elements, 8U * 4 * 64);
      computes = [&](const auto&) { return averages(window, sinks, 0.25F); };
      EXPECT_EQ(compare_with_host(stand_in(), 0, as_operator(shape), 1).wrong, 1U);
    }
  }
}

// Two sequences of 70 keys in pages of 64, of values 1 and 3; what lies behind the 70th is not a
// number. In FP8 1 is 0x38, 3 is 0x44, NaN 0x7f. Attention to equal values is that value.
TEST(CudaTrial, DecodeReadsThePagesOfEachSequence) {
  constexpr std::size_t kPageElements = 64 * 2 * 64;
  const auto pages = cuda::shuffled_pages(2, 2);
  for (const bool fp8 : {false, true}) {
    auto shape = attention(false, 2, 1, 70);
    if (fp8) shape.kv_type = workloads::DataType::fp8;
    std::vector<float> value(4 * kPageElements, NAN);
    for (std::size_t s = 0; s < 2; ++s) {
      for (std::size_t j = 0; j < 70; ++j) {
        for (std::size_t head = 0; head < 2; ++head) {
          const auto page = static_cast<std::size_t>(pages[2 * s + j / 64]);
          const auto at = value.begin() + static_cast<std::ptrdiff_t>(page * kPageElements +
                                                                      (head * 64 + j % 64) * 64);
          std::fill(at, at + 64, s == 0 ? 1.0F : 3.0F);
        }
      }
    }
    std::vector<unsigned char> codes;
    for (const float x : value) codes.push_back(std::isnan(x) ? 0x7f : x > 2 ? 0x44 : 0x38);
    std::vector<float> out(4 * 64, 1);
    out.resize(2 * 4 * 64, 3);
    computes = [&](const auto&) {
      const Part values =
          fp8 ? part(RACKWRIGHT_CUDA_VALUE, codes) : part(RACKWRIGHT_CUDA_VALUE, bf16(value));
      return std::vector<Part>{
          part(RACKWRIGHT_CUDA_QUERY, bf16(std::vector<float>(2 * 4 * 64, 0.5F))),
          Part{RACKWRIGHT_CUDA_KEY, values.bytes}, values, part(RACKWRIGHT_CUDA_OUTPUT, bf16(out))};
    };
    const auto right = compare_with_host(stand_in(), 0, as_operator(shape), 1);
    EXPECT_TRUE(right.right()) << right.first_wrong;
    std::swap(out[0], out[2 * 4 * 64 - 1]);
    EXPECT_EQ(compare_with_host(stand_in(), 0, as_operator(shape), 1).wrong, 2U);
  }
}

// MLA: 16 heads handed over as the 64 of the own kernel, values the first 512 of the keys' 576.
TEST(CudaTrial, LatentDecodeTakesValuesFromKeys) {
  workloads::LatentAttentionShape shape;
  shape.sequences = 1, shape.query_tokens = 1, shape.kv_tokens = 64, shape.pairs = 64;
  shape.heads = 16, shape.latent = 512, shape.rope = 64, shape.nope = 128, shape.v = 128;
  std::vector<float> out(64 * 512, 2);
  computes = [&](const auto&) {
    std::vector<float> key;
    for (int j = 0; j < 64; ++j) {
      key.insert(key.end(), 512, 2);
      key.insert(key.end(), 64, float(j));
    }
    return std::vector<Part>{
        part(RACKWRIGHT_CUDA_QUERY, bf16(std::vector<float>(64 * 576, 0.125F))),
        part(RACKWRIGHT_CUDA_KEY, bf16(key)), part(RACKWRIGHT_CUDA_OUTPUT, bf16(out))};
  };
  const auto right = compare_with_host(stand_in(), 0, as_operator(shape), 1);
  EXPECT_TRUE(right.right()) << right.first_wrong;
  EXPECT_EQ(right.elements, 64U * 512);
  out[9] = 2.5F;
  EXPECT_EQ(compare_with_host(stand_in(), 0, as_operator(shape), 1).wrong, 1U);
}

/// Ones times the number of the expert, 1 and 2, in one launch for both or one for each (in tiles
/// of 16 rows): hidden 32, intermediate 16, gated.
std::vector<Part> expert_launches(bool grouped, float error) {
  std::vector<Part> parts;
  for (const auto& [n, k] : {std::pair{32, 32}, std::pair{32, 16}}) {
    const auto add = [&, n = n, k = k](const std::vector<std::pair<int, float>>& groups) {
      std::vector<float> left, right, out;
      for (const auto& [rows, weight] : groups) {
        left.insert(left.end(), static_cast<std::size_t>(rows * k), 1);
        right.insert(right.end(), static_cast<std::size_t>(n * k), weight);
        out.insert(out.end(), static_cast<std::size_t>(rows * n), float(k) * weight);
      }
      out.back() += error;
      parts.push_back(part(RACKWRIGHT_CUDA_LEFT, bf16(left)));
      parts.push_back(part(RACKWRIGHT_CUDA_RIGHT, bf16(right)));
      parts.push_back(part(RACKWRIGHT_CUDA_OUTPUT, bf16(out)));
    };
    if (grouped) {
      add({{prepared_rows[0], 1.0F}, {prepared_rows[1], 2.0F}});
    } else {
      add({{16, 1.0F}});
      add({{16, 2.0F}});
    }
  }
  return parts;
}

TEST(CudaTrial, ExpertsHaveWeightsOfTheirOwn) {
  workloads::ExpertShape shape;
  shape.tokens = 8, shape.rank_tokens = 7, shape.touched_experts = 2;
  shape.experts = 2, shape.top_k = 1, shape.local_experts = 2, shape.skew = 1;
  shape.hidden = 32, shape.intermediate = 16;
  for (const bool grouped : {true, false}) {
    computes = [&](const auto&) { return expert_launches(grouped, 0); };
    const auto right = compare_with_host(stand_in(), 0, as_operator(shape), 1);
    EXPECT_TRUE(right.right()) << right.first_wrong;
    EXPECT_EQ(right.elements, (grouped ? 7U : 32U) * 64);
    computes = [&](const auto&) { return expert_launches(grouped, 2); };
    EXPECT_EQ(compare_with_host(stand_in(), 0, as_operator(shape), 1).wrong, grouped ? 2U : 4U);
  }
  EXPECT_THAT(prepared_rows, ::testing::ElementsAre(4, 3));  // 1 + 5 x 2/3, 1 + 5 x 1/3
}

TEST(CudaTrial, AModuleThatHandsOverNothingIsNotRight) {
  computes = [](const auto&) { return std::vector<Part>(); };
  EXPECT_THROW(
      (void)compare_with_host(stand_in(), 0, product(1, 16, 16, workloads::DataType::bf16), 1),
      BackendUnavailable);
}

// A prompt of 8192 tokens becomes one of 150 and stays causal.
TEST(CudaTrial, SmallOperatorsKeepTheirKind) {
  const auto small = to_cuda(small_for_host(as_operator(attention(true, 1, 8192, 8192))));
  EXPECT_EQ(small.query_tokens, 150);
  EXPECT_EQ(small.keys, 500);
  EXPECT_EQ(small.full, 0);
  EXPECT_EQ(small.head_dim, 64);
  const auto gemm = to_cuda(small_for_host(product(8192, 8192, 8192, workloads::DataType::fp8)));
  EXPECT_EQ(gemm.m, 96);
  EXPECT_EQ(gemm.type, RACKWRIGHT_CUDA_FP8);
}

}  // namespace
}  // namespace rackwright::kernels
