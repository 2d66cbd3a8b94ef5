#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

#include "runtime/cpu.h"
#include "spec/half.h"
#include "spec/logarithm.h"
#include "spec/mass.h"
#include "spec/order.h"
#include "spec/philox.h"
#include "test/isa_units.h"

namespace crossthink {
namespace {

constexpr uint32_t kStride = 1021;  // Every 1021st float32, of all signs and exponents: 4.2 million arguments.

std::vector<const test::IsaUnit*> WideUnits() {
  std::vector<const test::IsaUnit*> units;
#if defined(__x86_64__)
  for (const Isa isa : SupportedIsas()) {
    if (isa == Isa::kAvx2) units.push_back(&test::kAvx2Unit);
    if (isa == Isa::kAvx512) units.push_back(&test::kAvx512Unit);
    if (isa == Isa::kAvx512Bf16) units.push_back(&test::kAvx512Bf16Unit);
  }
#elif defined(__aarch64__)
  units.push_back(&test::kNeonUnit);
#endif
  return units;
}

std::vector<float> Arguments() {
  std::vector<float> x;
  for (uint64_t bits = 0; bits < (uint64_t{1} << 32); bits += kStride) {
    x.push_back(spec::BitCast<float>(static_cast<uint32_t>(bits)));
  }
  for (const float special : {0.0F, -0.0F, 1.0F, -1.0F, 126.0F, -126.0F, 127.0F, 128.0F, INFINITY, -INFINITY, NAN}) {
    x.push_back(special);
  }
  while (x.size() % 16 != 0) x.push_back(0);
  return x;
}

bool SameValue(float a, float b) { return (std::isnan(a) && std::isnan(b)) || std::memcmp(&a, &b, 4) == 0; }

long double Expm1MinusXReference(long double x) {
  if (std::fabs(x) > 0.1L) return std::expm1(x) - x;
  long double sum = 0;
  for (int k = 20; k >= 2; --k) sum = (sum * x + 1 / std::tgamma(static_cast<long double>(k + 1)));
  return sum * x * x;
}

TEST(Spec, EveryInstructionSetReturnsTheSameBits) {
  const std::vector<float> x = Arguments();
  std::vector<float> expected(x.size());
  std::vector<float> actual(x.size());
  for (size_t f = 0; f < test::kElementary; ++f) {
    test::kScalarUnit.functions[f].run(x.data(), expected.data(), x.size());
    for (const test::IsaUnit* unit : WideUnits()) {
      unit->functions[f].run(x.data(), actual.data(), x.size());
      size_t different = 0;
      for (size_t i = 0; i < x.size(); ++i) different += SameValue(expected[i], actual[i]) ? 0 : 1;
      EXPECT_EQ(different, 0U) << unit->isa << " " << unit->functions[f].name;
    }
  }
}

// What ties the scalar code of one architecture to that of another: FNV-1a over the results, one NaN.
TEST(Spec, EveryArchitectureReturnsTheSameBits) {
  constexpr uint64_t kGolden[test::kElementary] = {0x0d693ab5f6a93947, 0xd31fc1693809b2ed, 0xa2e206d17666203b,
                                                   0x43fcc1d932569319, 0x065bc49d8db69045, 0xc52c29d0d9f4ea66,
                                                   0xce574b7690d526da, 0x2da0c380aae25a6d, 0x292caa167eefad08};
  const std::vector<float> x = Arguments();
  std::vector<float> y(x.size());
  for (size_t f = 0; f < test::kElementary; ++f) {
    test::kScalarUnit.functions[f].run(x.data(), y.data(), x.size());
    uint64_t hash = 0xcbf29ce484222325U;
    for (const float v : y) {
      hash = (hash ^ spec::BitCast<uint32_t>(spec::CanonicalNan(v))) * 0x100000001b3U;
    }
    EXPECT_EQ(hash, kGolden[f]) << test::kScalarUnit.functions[f].name << std::hex << " 0x" << hash;
  }
}

TEST(Spec, ElementaryFunctionsAreAccurate) {
  struct Case {
    long double (*reference)(long double);
    double limit;  // Largest relative error.
  };
  const Case cases[test::kElementary] = {
      {[](long double v) { return std::exp2(v); }, 1.6e-7},
      {[](long double v) { return std::exp(v); }, 1.7e-7},
      {[](long double v) { return std::expm1(v); }, 1.7e-7},
      {Expm1MinusXReference, 1e-6},
      {[](long double v) { return std::tanh(v); }, 2.6e-7},
      {[](long double v) { return 1 / (1 + std::exp(-v)); }, 2.5e-7},
      {[](long double v) { return std::log(v); }, 2e-7},
      {[](long double v) { return std::log2(v); }, 2e-7},
      {[](long double v) { return std::log1p(v); }, 2e-7},
  };
  const std::vector<float> x = Arguments();
  std::vector<float> y(x.size());
  for (size_t f = 0; f < test::kElementary; ++f) {
    test::kScalarUnit.functions[f].run(x.data(), y.data(), x.size());
    double worst = 0;
    for (size_t i = 0; i < x.size(); i += 7) {
      const bool logarithm = f == 6 || f == 7;
      if (logarithm && std::fabs(x[i]) < std::numeric_limits<float>::min()) continue;  // Subnormals count as 0.
      const long double expected = cases[f].reference(x[i]);
      EXPECT_EQ(std::isnan(y[i]), std::isnan(expected)) << test::kScalarUnit.functions[f].name << " of " << x[i];
      const auto rounded = static_cast<float>(expected);
      if (std::isnan(expected) || std::fabs(rounded) < 1.2e-38F) continue;
      if (std::isinf(rounded)) {
        EXPECT_EQ(y[i], rounded) << test::kScalarUnit.functions[f].name << " of " << x[i];
        continue;
      }
      // Logarithms near 1 are relative to 1: their argument is what is uncertain there.
      const long double scale = logarithm ? std::fmax(std::fabs(expected), 1.0L) : std::fabs(expected);
      worst = std::fmax(worst, static_cast<double>(std::fabs(y[i] - expected) / scale));
    }
    EXPECT_LE(worst, cases[f].limit) << test::kScalarUnit.functions[f].name;
  }
}

TEST(Spec, Exp2IsExactForIntegersAndZeroBelowTheNormalRange) {
  std::vector<float> x(288);
  for (size_t i = 0; i < x.size(); ++i) x[i] = static_cast<float>(static_cast<int>(i) - 144);
  std::vector<float> y(x.size());
  test::kScalarUnit.functions[0].run(x.data(), y.data(), x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    EXPECT_EQ(y[i], x[i] < -126 ? 0.0F : x[i] >= 128 ? INFINITY : std::ldexp(1.0F, static_cast<int>(x[i])));
  }
}

TEST(Spec, Log2InFloat64) {
  for (int i = -2000000; i <= 2000000; ++i) {
    const double x = std::exp2(i * 1e-4) * (1 + i * 1e-9);
    const double error = std::fabs(static_cast<double>(spec::Log2Double(x) - std::log2(static_cast<long double>(x))));
    ASSERT_LE(error, 2.3e-16 * (1 + std::fabs(std::log2(x)))) << x;
  }
  EXPECT_EQ(spec::Log2Double(1.0), 0.0);
  EXPECT_EQ(spec::Log2Double(1024.0), 10.0);
}

// Known answers of Random123 (kat_vectors).
TEST(Spec, PhiloxKnownAnswers) {
  const auto zero = spec::Philox4x32({{0, 0, 0, 0}}, 0, 0);
  EXPECT_EQ(zero.w[0], 0x6627e8d5U);
  EXPECT_EQ(zero.w[3], 0x9b00dbd8U);
  const auto ones = spec::Philox4x32({{~0U, ~0U, ~0U, ~0U}}, ~0U, ~0U);
  EXPECT_EQ(ones.w[0], 0x408f276dU);
  EXPECT_EQ(ones.w[3], 0x6d5451fdU);
  const auto pi = spec::Philox4x32({{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}}, 0xa4093822, 0x299f31d0);
  EXPECT_EQ(pi.w[0], 0xd16cfe09U);
  EXPECT_EQ(pi.w[3], 0x24126ea1U);
}

TEST(Spec, HalvesRoundToNearestEvenOnEveryInstructionSet) {
  const std::vector<float> x = Arguments();
  std::vector<uint16_t> expected(x.size());
  std::vector<uint16_t> actual(x.size());
  for (const test::IsaUnit* unit : WideUnits()) {
    test::kScalarUnit.to_bfloat16(x.data(), expected.data(), x.size());
    unit->to_bfloat16(x.data(), actual.data(), x.size());
    EXPECT_EQ(expected, actual) << unit->isa << " bfloat16";
    test::kScalarUnit.to_float16(x.data(), expected.data(), x.size());
    unit->to_float16(x.data(), actual.data(), x.size());
    EXPECT_EQ(expected, actual) << unit->isa << " float16";
  }
  for (uint32_t h = 0; h < 0x10000; ++h) {
    const auto half = static_cast<uint16_t>(h);
    const float f16 = spec::FromFloat16(half);
    if (!std::isnan(f16)) EXPECT_EQ(spec::ToFloat16(f16), half);
    const float b16 = spec::FromBfloat16(half);
    if (!std::isnan(b16) && (std::fpclassify(b16) != FP_SUBNORMAL)) EXPECT_EQ(spec::ToBfloat16(b16), half);
  }
}

TEST(Spec, OrderIsValueDescendingThenTokenAscending) {
  EXPECT_GT(spec::OrderKey(1.0F, 7), spec::OrderKey(0.5F, 1));
  EXPECT_GT(spec::OrderKey(1.0F, 1), spec::OrderKey(1.0F, 7));
  EXPECT_GT(spec::OrderKey(-1.0F, 9), spec::OrderKey(-INFINITY, 0));
  EXPECT_GT(spec::OrderKey(-0.0F, 1), spec::OrderKey(0.0F, 2));
  EXPECT_EQ(spec::KeyToken(spec::OrderKey(-3.5F, 42)), 42U);
  EXPECT_EQ(spec::KeyValue(spec::OrderKey(-3.5F, 42)), -3.5F);
}

TEST(Spec, DrawBelowIsTheHighHalfOfTheProduct) {
  uint64_t a = 0x9E3779B97F4A7C15U;
  for (int i = 0; i < 1000; ++i) {
    const uint64_t b = a * 0xD1342543DE82EF95U + 1;
    __extension__ using Wide = unsigned __int128;
    EXPECT_EQ(spec::DrawBelow(a, b), static_cast<uint64_t>((static_cast<Wide>(a) * b) >> 64));
    a = b ^ (a >> 7);
  }
}

}  // namespace
}  // namespace crossthink
