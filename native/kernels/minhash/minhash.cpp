#include "kernels/minhash/minhash.h"

#include "kernels/kernel_table.h"

namespace crossthink {
namespace {

constexpr uint32_t kPrime = 0x01000193;

}  // namespace

MinHash::MinHash(size_t size, size_t shingle) : size_(size), shingle_(shingle) {
  const size_t padded = (size + kMinHashLanes - 1) / kMinHashLanes * kMinHashLanes;
  multipliers_.resize(padded);
  addends_.resize(padded);
  minima_.resize(padded);
  uint32_t state = 0x9e3779b9;
  const auto next = [&state] { return FinaliseHash(state += 0x6d2b79f5); };
  for (size_t k = 0; k < size; k++) multipliers_[k] = next() | 1;
  for (size_t k = 0; k < size; k++) addends_[k] = next();
  for (size_t i = 1; i < shingle; i++) power_ *= kPrime;
}

void MinHash::Sign(std::string_view text, uint8_t* signature) {
  bases_.clear();
  uint32_t rolling = 0;
  for (size_t i = 0; i < text.size(); i++) {
    if (i >= shingle_) rolling -= static_cast<unsigned char>(text[i - shingle_]) * power_;
    rolling = rolling * kPrime + static_cast<unsigned char>(text[i]);
    if (i + 1 >= shingle_ || i + 1 == text.size()) bases_.push_back(FinaliseHash(rolling));
  }
  ActiveKernels().minhash.minima(bases_.data(), bases_.size(), multipliers_.data(), addends_.data(),
                                 multipliers_.size(), minima_.data());
  for (size_t k = 0; k < size_; k++) signature[k] = static_cast<uint8_t>(minima_[k]);
}

}  // namespace crossthink
