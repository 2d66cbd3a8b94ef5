#ifndef CUDA_INTERPRETER_OPTIONS_H_
#define CUDA_INTERPRETER_OPTIONS_H_

#include <cstdint>

namespace cuda_interpreter {

// Read from the environment at every launch, so that a test can change them inside one process.
struct Options {
  uint64_t seed = 1;       // CUDA_INTERPRETER_SEED: orders of blocks and threads. 0: first come, first served.
  unsigned preempt = 0;    // CUDA_INTERPRETER_PREEMPT=n: a thread yields at one in n memory accesses (checked build).
  unsigned stack_kb = 64;  // CUDA_INTERPRETER_STACK_KB: stack of one CUDA thread.

  static Options FromEnvironment();
};

// splitmix64 (Steele, Lea, Flood 2014): small, seedable with any number.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}
  uint64_t Next() {
    uint64_t z = (state_ += 0x9E3779B97F4A7C15U);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
    return z ^ (z >> 31);
  }
  uint64_t Below(uint64_t n) { return Next() % n; }

 private:
  uint64_t state_;
};

}  // namespace cuda_interpreter

#endif  // CUDA_INTERPRETER_OPTIONS_H_
