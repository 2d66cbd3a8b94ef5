#ifndef CROSSTHINK_TEST_GPU_RUNNER_H_
#define CROSSTHINK_TEST_GPU_RUNNER_H_

#include <cuda_runtime.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "kernels/elements.h"
#include "kernels/logits.h"
#include "simd/scalar.h"

// What the parts of the runner share: device memory, comparison of bits, random logits.
namespace crossthink::gpu {

// Ends the program: after a failed call nothing that follows means anything.
inline void Check(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  std::printf("not ok  %s: %s (%s)\n", what, cudaGetErrorString(error), cudaGetErrorName(error));
  std::exit(2);
}

template <class T>
class DeviceArray {
 public:
  explicit DeviceArray(size_t size) : size_(size) {
    void* data = nullptr;
    Check(cudaMalloc(&data, size * sizeof(T) + 1), "cudaMalloc");
    data_ = static_cast<T*>(data);
  }
  explicit DeviceArray(const std::vector<T>& host) : DeviceArray(host.size()) {
    Check(cudaMemcpy(data_, host.data(), size_ * sizeof(T), cudaMemcpyHostToDevice), "copy to the device");
  }
  ~DeviceArray() { cudaFree(data_); }
  DeviceArray(const DeviceArray&) = delete;
  DeviceArray& operator=(const DeviceArray&) = delete;

  T* get() const { return data_; }
  std::vector<T> ToHost() const {
    std::vector<T> host(size_);
    Check(cudaMemcpy(host.data(), data_, size_ * sizeof(T), cudaMemcpyDeviceToHost), "copy to the host");
    return host;
  }

 private:
  T* data_ = nullptr;
  size_t size_;
};

// Counts of one run.
struct Tally {
  size_t compared = 0;  // Numbers.
  size_t cases = 0;
  size_t failures = 0;

  // Compares bits; the first difference of a case is printed.
  template <class T>
  void Same(const std::string& what, const std::vector<T>& expected, const std::vector<T>& actual) {
    compared += expected.size();
    for (size_t i = 0; i < expected.size(); ++i) {
      if (std::memcmp(&expected[i], &actual[i], sizeof(T)) == 0) continue;
      ++failures;
      std::printf("not ok  %s: element %zu of %zu is %.9g on the device, %.9g on the CPU\n", what.c_str(), i,
                  expected.size(), static_cast<double>(actual[i]), static_cast<double>(expected[i]));
      return;
    }
  }
};

// How the logits of a case are distributed.
enum class Kind { kNormal, kPeaked, kRising, kTies, kBad };
constexpr Kind kKinds[] = {Kind::kNormal, Kind::kPeaked, Kind::kRising, Kind::kTies, Kind::kBad};

struct Shape {
  size_t rows, vocab, stride;
};

template <class E>
std::vector<typename E::T> RandomLogits(const Shape& shape, Kind kind, std::mt19937* random) {
  std::normal_distribution<float> normal(0, kind == Kind::kPeaked ? 15.0F : 2.0F);
  std::vector<typename E::T> x(shape.rows * shape.stride);
  for (size_t i = 0; i < x.size(); ++i) {
    float v = normal(*random);
    if (kind == Kind::kTies) v = static_cast<float>((*random)() % 5);
    if (kind == Kind::kRising) v = 500.0F * static_cast<float>(i % shape.stride) / static_cast<float>(shape.vocab);
    if ((*random)() % 16 == 0) v = -INFINITY;
    E::Write(&x[i], v);
  }
  if (kind == Kind::kBad) {
    E::Write(&x[shape.vocab / 2], NAN);
    if (shape.rows > 1) E::Write(&x[shape.stride + shape.vocab / 2], INFINITY);
    for (size_t j = 0; shape.rows > 2 && j < shape.vocab; ++j) E::Write(&x[2 * shape.stride + j], -INFINITY);
  }
  return x;
}

std::string Name(const char* operation, DType type, const Shape& shape, Kind kind);

// The parts. `large` adds shapes of real vocabularies, which the interpreter takes long for.
void CheckLogprobs(bool large, Tally* tally);
void CheckSampling(bool large, Tally* tally);
void CheckWideSampling(bool large, Tally* tally);
void CheckAdvantages(bool large, Tally* tally);
void CheckTokenAdvantages(bool large, Tally* tally);
void CheckCorrections(bool large, Tally* tally);
void CheckPolicyLosses(bool large, Tally* tally);
void CheckShaping(bool large, Tally* tally);
void CheckGrpoSteps(bool large, Tally* tally);
void CheckSpeculation(bool large, Tally* tally);
void CheckLinearHeads(bool large, Tally* tally);
void CheckGraphs(Tally* tally);

// Measures copy bandwidth and kernels; returns a JSON object.
std::string Timings(bool large);

}  // namespace crossthink::gpu

#endif  // CROSSTHINK_TEST_GPU_RUNNER_H_
