#ifndef CUDA_INTERPRETER_BLOCK_H_
#define CUDA_INTERPRETER_BLOCK_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "fiber.h"
#include "interpreter/keywords.h"
#include "interpreter/launch.h"
#include "interpreter/warp.h"
#include "options.h"
#include "shadow.h"

namespace cuda_interpreter {

// One CUDA thread: a fibre, and what it waits for.
struct Thread {
  enum class State : uint8_t { kReady, kAtBarrier, kAtCollective, kDone };

  uint3 index{};
  unsigned linear = 0;  // Index in the block, x fastest.
  unsigned lane = 0;
  unsigned warp = 0;

  FiberContext context = nullptr;
  const char* stack = nullptr;
  State state = State::kReady;
  Site site;            // Where it waits.
  WarpCall call{};      // What it brought to the collective it waits at.
  uint64_t result = 0;  // What the barrier or collective gave it.
  int all_equal = 0;
  uint16_t fences = 0;    // __threadfence calls so far.
  bool acquired = false;  // Has done an atomic: sees what other blocks published before.
};

// The thread and the block that run now; null outside launches.
class Block;
extern constinit thread_local Thread* self;
extern constinit thread_local Block* running;

// Runs the blocks of one launch, one after another. Threads are fibres that give way only at barriers, collectives,
// atomics and (checked build, on request) memory accesses; whoever is ready goes on in an order drawn from the seed.
class Block {
 public:
  Block(const Launch& launch, const Options& options, uint32_t first_serial);

  // Runs block `index` (linear in the grid). False when it was abandoned after an error that leaves no way on.
  bool Run(unsigned index);

  const Launch& launch() const { return launch_; }
  Thread& current() { return *self; }
  std::vector<Thread>& threads() { return threads_; }
  const StackPool& stacks() const { return *stacks_; }
  unsigned live() const { return live_; }
  Thread* warp_begin(unsigned warp) { return &threads_[size_t{warp} * 32]; }
  unsigned warp_size(unsigned warp) const;

  // Scheduling, for the running thread.
  void Wait(Thread::State state, const Site& site);
  void Wake(Thread& thread);
  void Yield();
  [[noreturn]] void Abandon();  // After a report that leaves no sensible way on.

  uint64_t Collective(const WarpCall& call, const Site& site, int* all_equal);
  int Barrier(BarrierOp op, int predicate, const Site& site);
  void Fence();
  void Atomic();

  char* dynamic_shared() { return dynamic_shared_.get(); }
  size_t dynamic_shared_bytes() const { return launch_.config.dynamicSmemBytes; }

  // What the race checker asks: the running thread's position in time, and the blocks that ran before.
  Stamp Now() const;
  bool Preempt() { return options_.preempt != 0 && random_.Below(options_.preempt) == 0; }
  const BlockHistory& history() const { return history_; }
  // The running thread has done an atomic, or others of its block before the last barrier have.
  bool Acquired() const;

 private:
  struct BarrierState {
    BarrierOp op{};
    Site site;
    unsigned arrived = 0;
    unsigned true_predicates = 0;
  };

  static void ThreadMain();
  void Prepare(unsigned index);
  void ThreadExited(const Thread& thread);
  void CompleteCollective(unsigned warp, unsigned mask);
  void CompleteBarrier();
  void ReportDeadlock();
  Thread* NextReady();

  const Launch& launch_;
  const Options options_;
  Random random_;
  std::vector<Thread> threads_;
  std::vector<Thread*> ready_;
  std::shared_ptr<StackPool> stacks_;
  std::unique_ptr<char[], void (*)(void*)> dynamic_shared_;
  FiberContext scheduler_ = nullptr;
  unsigned live_ = 0;
  unsigned atomics_since_yield_ = 0;
  bool abandoned_ = false;
  BarrierState barrier_;

  // Logical time.
  uint32_t serial_ = 0;
  uint16_t barriers_ = 0;
  std::vector<uint16_t> warp_syncs_;
  bool acquired_before_barrier_ = false;
  BlockHistory history_;
};

}  // namespace cuda_interpreter

#endif  // CUDA_INTERPRETER_BLOCK_H_
