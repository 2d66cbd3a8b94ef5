#ifndef CUDA_INTERPRETER_FIBER_H_
#define CUDA_INTERPRETER_FIBER_H_

#include <cstddef>
#include <vector>

namespace cuda_interpreter {

// Stacks of a block's threads: one mapping, a guard page below each stack. Kept from launch to launch.
class StackPool {
 public:
  ~StackPool();
  void Reserve(size_t count, size_t bytes_each);
  char* Bottom(size_t index) const { return base_ + index * bytes_each_; }
  size_t bytes_each() const { return bytes_each_; }
  bool Contains(const char* address) const { return address >= base_ && address < base_ + count_ * bytes_each_; }

 private:
  char* base_ = nullptr;
  size_t count_ = 0;
  size_t bytes_each_ = 0;
};

// A suspended flow of control: where its stack pointer was left.
using FiberContext = void*;

// Prepares a fibre that runs `entry` (which must never return) on [bottom, bottom + bytes).
FiberContext MakeFiber(char* bottom, size_t bytes, void (*entry)());

// Leaves the current flow in `*from` and goes on where `to` was left.
void SwitchFiber(FiberContext* from, FiberContext to);

}  // namespace cuda_interpreter

#endif  // CUDA_INTERPRETER_FIBER_H_
