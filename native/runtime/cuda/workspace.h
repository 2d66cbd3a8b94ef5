#ifndef CROSSTHINK_RUNTIME_CUDA_WORKSPACE_H_
#define CROSSTHINK_RUNTIME_CUDA_WORKSPACE_H_

#include <cstddef>
#include <cstdint>

namespace crossthink::cuda {

// Cuts a workspace into arrays, each aligned to 256 bytes. Without memory it only measures.
class WorkspaceCutter {
 public:
  explicit WorkspaceCutter(void* memory) : memory_(static_cast<uint8_t*>(memory)) {}

  template <class T>
  T* Take(size_t count) {
    T* array = memory_ == nullptr ? nullptr : reinterpret_cast<T*>(memory_ + bytes_);
    bytes_ += (count * sizeof(T) + 255) / 256 * 256;
    return array;
  }
  size_t bytes() const { return bytes_; }

 private:
  uint8_t* memory_;
  size_t bytes_ = 0;
};

}  // namespace crossthink::cuda

#endif  // CROSSTHINK_RUNTIME_CUDA_WORKSPACE_H_
