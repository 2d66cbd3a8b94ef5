#ifndef CUDA_INTERPRETER_WARP_H_
#define CUDA_INTERPRETER_WARP_H_

// Barriers, warp shuffles, votes, matches and reductions. Lanes of one collective must come from the same place in the
// source, so every function takes its caller's location as a hidden last argument.

#include <cstdint>
#include <cstring>
#include <source_location>

namespace cuda_interpreter {

using Site = std::source_location;

enum class WarpOp {
  kShuffleIndex,
  kShuffleUp,
  kShuffleDown,
  kShuffleXor,
  kBallot,
  kAny,
  kAll,
  kMatchAny,
  kMatchAll,
  kSync,
  kAddUnsigned,
  kMinSigned,
  kMaxSigned,
  kMinUnsigned,
  kMaxUnsigned,
  kAnd,
  kOr,
  kXor
};

enum class BarrierOp { kSync, kCount, kAnd, kOr };

// What one lane brings to a collective.
struct WarpCall {
  WarpOp op;
  unsigned mask;
  uint64_t value = 0;
  int operand = 0;  // Shuffles: source lane, delta or lane mask.
  int width = 32;   // Shuffles: lanes of a segment.
};

// Waits for the other lanes of `call.mask`; returns this lane's result. `all_equal` (match_all) may be null.
uint64_t WarpCollective(const WarpCall& call, const Site& site, int* all_equal = nullptr);
int BlockBarrier(BarrierOp op, int predicate, const Site& site);
void Fence();
unsigned ActiveMask();
void Yield();

template <class T>
uint64_t ToBits(T value) {
  static_assert(sizeof(T) <= sizeof(uint64_t), "CUDA shuffles and atomics carry at most 64 bits");
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  return bits;
}

template <class T>
T FromBits(uint64_t bits) {
  T value;
  std::memcpy(&value, &bits, sizeof(T));
  return value;
}

template <class T>
T Shuffle(WarpOp op, unsigned mask, T value, int operand, int width, const Site& site) {
  return FromBits<T>(WarpCollective({op, mask, ToBits(value), operand, width}, site));
}

}  // namespace cuda_interpreter

#define CUDA_INTERPRETER_SITE ::cuda_interpreter::Site site = ::cuda_interpreter::Site::current()

static inline void __syncthreads(CUDA_INTERPRETER_SITE) {
  ::cuda_interpreter::BlockBarrier(::cuda_interpreter::BarrierOp::kSync, 0, site);
}
static inline int __syncthreads_count(int predicate, CUDA_INTERPRETER_SITE) {
  return ::cuda_interpreter::BlockBarrier(::cuda_interpreter::BarrierOp::kCount, predicate, site);
}
static inline int __syncthreads_and(int predicate, CUDA_INTERPRETER_SITE) {
  return ::cuda_interpreter::BlockBarrier(::cuda_interpreter::BarrierOp::kAnd, predicate, site);
}
static inline int __syncthreads_or(int predicate, CUDA_INTERPRETER_SITE) {
  return ::cuda_interpreter::BlockBarrier(::cuda_interpreter::BarrierOp::kOr, predicate, site);
}
static inline void __syncwarp(unsigned mask = 0xffffffffU, CUDA_INTERPRETER_SITE) {
  ::cuda_interpreter::WarpCollective({::cuda_interpreter::WarpOp::kSync, mask}, site);
}
static inline void __threadfence() { ::cuda_interpreter::Fence(); }
static inline void __threadfence_block() { ::cuda_interpreter::Fence(); }
static inline unsigned __activemask() { return ::cuda_interpreter::ActiveMask(); }
static inline void __nanosleep(unsigned) { ::cuda_interpreter::Yield(); }

#define CUDA_INTERPRETER_SHUFFLE(name, op, Operand)                                                                   \
  template <class T>                                                                                                  \
  static inline T name(unsigned mask, T value, Operand operand, int width = 32, CUDA_INTERPRETER_SITE) {              \
    return ::cuda_interpreter::Shuffle(::cuda_interpreter::WarpOp::op, mask, value, static_cast<int>(operand), width, \
                                       site);                                                                         \
  }
CUDA_INTERPRETER_SHUFFLE(__shfl_sync, kShuffleIndex, int)
CUDA_INTERPRETER_SHUFFLE(__shfl_up_sync, kShuffleUp, unsigned)
CUDA_INTERPRETER_SHUFFLE(__shfl_down_sync, kShuffleDown, unsigned)
CUDA_INTERPRETER_SHUFFLE(__shfl_xor_sync, kShuffleXor, int)
#undef CUDA_INTERPRETER_SHUFFLE

#define CUDA_INTERPRETER_VOTE(Result, name, op)                                                            \
  static inline Result name(unsigned mask, int predicate, CUDA_INTERPRETER_SITE) {                         \
    return static_cast<Result>(                                                                            \
        ::cuda_interpreter::WarpCollective({::cuda_interpreter::WarpOp::op, mask, predicate != 0}, site)); \
  }
CUDA_INTERPRETER_VOTE(unsigned, __ballot_sync, kBallot)
CUDA_INTERPRETER_VOTE(int, __any_sync, kAny)
CUDA_INTERPRETER_VOTE(int, __all_sync, kAll)
#undef CUDA_INTERPRETER_VOTE

template <class T>
static inline unsigned __match_any_sync(unsigned mask, T value, CUDA_INTERPRETER_SITE) {
  return static_cast<unsigned>(::cuda_interpreter::WarpCollective(
      {::cuda_interpreter::WarpOp::kMatchAny, mask, ::cuda_interpreter::ToBits(value)}, site));
}
template <class T>
static inline unsigned __match_all_sync(unsigned mask, T value, int* all_equal, CUDA_INTERPRETER_SITE) {
  return static_cast<unsigned>(::cuda_interpreter::WarpCollective(
      {::cuda_interpreter::WarpOp::kMatchAll, mask, ::cuda_interpreter::ToBits(value)}, site, all_equal));
}

#define CUDA_INTERPRETER_REDUCE(name, op, T)                                                                 \
  static inline T name(unsigned mask, T value, CUDA_INTERPRETER_SITE) {                                      \
    return static_cast<T>(::cuda_interpreter::WarpCollective(                                                \
        {::cuda_interpreter::WarpOp::op, mask, static_cast<uint64_t>(static_cast<uint32_t>(value))}, site)); \
  }
CUDA_INTERPRETER_REDUCE(__reduce_add_sync, kAddUnsigned, unsigned)
CUDA_INTERPRETER_REDUCE(__reduce_add_sync, kAddUnsigned, int)
CUDA_INTERPRETER_REDUCE(__reduce_min_sync, kMinUnsigned, unsigned)
CUDA_INTERPRETER_REDUCE(__reduce_min_sync, kMinSigned, int)
CUDA_INTERPRETER_REDUCE(__reduce_max_sync, kMaxUnsigned, unsigned)
CUDA_INTERPRETER_REDUCE(__reduce_max_sync, kMaxSigned, int)
CUDA_INTERPRETER_REDUCE(__reduce_and_sync, kAnd, unsigned)
CUDA_INTERPRETER_REDUCE(__reduce_or_sync, kOr, unsigned)
CUDA_INTERPRETER_REDUCE(__reduce_xor_sync, kXor, unsigned)
#undef CUDA_INTERPRETER_REDUCE
#undef CUDA_INTERPRETER_SITE

#endif  // CUDA_INTERPRETER_WARP_H_
