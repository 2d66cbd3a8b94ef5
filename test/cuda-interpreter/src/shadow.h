#ifndef CUDA_INTERPRETER_SHADOW_H_
#define CUDA_INTERPRETER_SHADOW_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace cuda_interpreter {

// The race checker's notion of time. Two accesses to a byte conflict when at least one is a plain write (or a plain
// access meets an atomic) and nothing orders them. What orders:
//   - both by one thread;
//   - in one block, a block barrier between them;
//   - in one warp, a __syncwarp between them whose mask covered every live lane (shuffles and votes order nothing);
//   - between blocks, publication: the writer's block fenced (__threadfence) after the write, either in the writing
//     thread or, after a barrier, in another one, and the reader's block has done an atomic since;
//   - different launches.
// Counters have 16 bits: a kernel with a multiple of 65536 barriers between two accesses could hide a race.
struct Stamp {
  uint32_t block = 0;  // Serial number of the block over all launches; 0: never.
  uint16_t thread = 0;
  uint16_t barriers = 0;    // Block barriers the block had passed.
  uint16_t warp_syncs = 0;  // Full-warp syncs the thread's warp had passed.
  uint16_t fences = 0;      // Fences the thread had executed.
  bool atomic = false;
};

enum class Readers : uint8_t { kNone, kOneThread, kOneWarp, kMany };

// What the checker remembers of one byte: the last write, and the readers of the current interval between barriers.
struct Cell {
  Stamp write;
  Stamp read;
  Readers readers = Readers::kNone;
};

// What a finished block published.
struct FinishedBlock {
  std::vector<uint16_t> fences;  // By thread.
  int last_fence_interval = -1;  // Barriers passed at the last fence of any thread.
};

// The blocks of the current launch that have run.
class BlockHistory {
 public:
  explicit BlockHistory(uint32_t first_serial, size_t blocks) : first_serial_(first_serial), blocks_(blocks) {}
  uint32_t first_serial() const { return first_serial_; }
  FinishedBlock& At(uint32_t serial) { return blocks_[serial - first_serial_]; }
  // `write` was followed by a fence that makes it visible to other blocks.
  bool Published(const Stamp& write) const;

 private:
  uint32_t first_serial_;
  std::vector<FinishedBlock> blocks_;
};

// True where `before`, of this or an earlier launch, is ordered before an access at `now`.
bool Ordered(const Stamp& before, const Stamp& now, const BlockHistory& history, bool acquired);

enum class Conflict : uint8_t { kNone, kWithWrite, kWithRead };

struct Verdict {
  Conflict conflict = Conflict::kNone;
  Stamp other;
  bool several = false;  // `other` is one of several readers, perhaps the accessing thread itself.
};

// Judges one access to one byte and records it. `shared`: the byte is the block's shared memory, where what other
// blocks left counts as nothing.
Verdict Judge(Cell& cell, const Stamp& now, bool write, bool shared, const BlockHistory& history, bool acquired);

}  // namespace cuda_interpreter

#endif  // CUDA_INTERPRETER_SHADOW_H_
