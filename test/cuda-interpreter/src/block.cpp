#include "block.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "report.h"

constinit thread_local uint3 threadIdx{};
constinit thread_local uint3 blockIdx{};
constinit thread_local dim3 blockDim{};
constinit thread_local dim3 gridDim{};

namespace cuda_interpreter {

constinit thread_local Thread* self = nullptr;
constinit thread_local Block* running = nullptr;

namespace {

// Spinning on an atomic must end: other threads get a turn every so many atomics.
constexpr unsigned kAtomicsBeforeYield = 64;
constexpr size_t kSharedAlignment = 128;
constexpr size_t kSharedPadding = 256;
// Never a plausible float, index or pointer.
constexpr int kPoison = 0xC5;

std::shared_ptr<StackPool> SharedStacks() {
  static const auto pool = std::make_shared<StackPool>();
  return pool;
}

unsigned ThreadCount(const dim3& block) { return block.x * block.y * block.z; }
unsigned BlockCount(const dim3& grid) { return grid.x * grid.y * grid.z; }

}  // namespace

Block::Block(const Launch& launch, const Options& options, uint32_t first_serial)
    : launch_(launch),
      options_(options),
      random_(0),
      threads_(ThreadCount(launch.config.blockDim)),
      stacks_(SharedStacks()),
      dynamic_shared_(
          static_cast<char*>(std::aligned_alloc(kSharedAlignment, (launch.config.dynamicSmemBytes + kSharedPadding) /
                                                                      kSharedAlignment * kSharedAlignment)),
          std::free),
      history_(first_serial, BlockCount(launch.config.gridDim)) {
  stacks_->Reserve(threads_.size(), size_t{options.stack_kb} << 10);
}

unsigned Block::warp_size(unsigned warp) const {
  return std::min<unsigned>(32, static_cast<unsigned>(threads_.size()) - warp * 32);
}

void Block::Prepare(unsigned index) {
  const dim3& block = launch_.config.blockDim;
  // The order of threads depends on the block, not on which blocks ran before.
  random_ = Random(options_.seed * 0x9E3779B97F4A7C15U + index);
  serial_ = history_.first_serial() + index;
  barriers_ = 0;
  warp_syncs_.assign((threads_.size() + 31) / 32, 0);
  acquired_before_barrier_ = false;
  barrier_ = {};
  abandoned_ = false;
  live_ = static_cast<unsigned>(threads_.size());
  history_.At(serial_).fences.assign(threads_.size(), 0);
  std::memset(dynamic_shared_.get(), kPoison, launch_.config.dynamicSmemBytes);
  ready_.clear();
  for (unsigned i = 0; i < threads_.size(); ++i) {
    Thread& thread = threads_[i] = Thread();
    thread.index = {i % block.x, i / block.x % block.y, i / (block.x * block.y)};
    thread.linear = i;
    thread.lane = i % 32;
    thread.warp = i / 32;
    thread.stack = stacks_->Bottom(i);
    thread.context = MakeFiber(stacks_->Bottom(i), stacks_->bytes_each(), &Block::ThreadMain);
    ready_.push_back(&thread);
  }
}

bool Block::Run(unsigned index) {
  Prepare(index);
  running = this;
  blockDim = launch_.config.blockDim;
  gridDim = launch_.config.gridDim;
  blockIdx = {index % gridDim.x, index / gridDim.x % gridDim.y, index / (gridDim.x * gridDim.y)};
  while (live_ > 0 && !abandoned_) {
    Thread* next = NextReady();
    if (next == nullptr) {
      ReportDeadlock();
      abandoned_ = true;
      break;
    }
    self = next;
    threadIdx = next->index;
    SwitchFiber(&scheduler_, next->context);
    self = nullptr;
  }
  running = nullptr;
  return !abandoned_;
}

Thread* Block::NextReady() {
  if (ready_.empty()) return nullptr;
  const size_t pick = options_.seed == 0 ? 0 : random_.Below(ready_.size());
  Thread* next = ready_[pick];
  if (options_.seed == 0) {
    ready_.erase(ready_.begin());
  } else {
    ready_[pick] = ready_.back();
    ready_.pop_back();
  }
  return next;
}

void Block::ThreadMain() {
  Block& block = *running;
  block.launch_.run_thread(block.launch_.kernel, block.launch_.arguments.get());
  Thread& thread = block.current();
  thread.state = Thread::State::kDone;
  --block.live_;
  block.ThreadExited(thread);
  SwitchFiber(&thread.context, block.scheduler_);
  __builtin_unreachable();
}

// Those who wait may have been waiting for this thread alone.
void Block::ThreadExited(const Thread& thread) {
  if (barrier_.arrived > 0) {
    Report("exits while other threads wait at the barrier at " + Describe(barrier_.site));
    CompleteBarrier();
  }
  Thread* lanes = warp_begin(thread.warp);
  for (unsigned lane = 0; lane < warp_size(thread.warp); ++lane) {
    const Thread& other = lanes[lane];
    if (other.state == Thread::State::kAtCollective && (other.call.mask >> thread.lane & 1) != 0) {
      CompleteCollective(thread.warp, other.call.mask);
    }
  }
}

void Block::Wait(Thread::State state, const Site& site) {
  Thread& thread = current();
  thread.state = state;
  thread.site = site;
}

void Block::Wake(Thread& thread) {
  thread.state = Thread::State::kReady;
  ready_.push_back(&thread);
}

void Block::Yield() {
  Thread& thread = current();
  Wake(thread);
  SwitchFiber(&thread.context, scheduler_);
}

void Block::Abandon() {
  abandoned_ = true;
  for (;;) SwitchFiber(&current().context, scheduler_);
}

void Block::ReportDeadlock() {
  constexpr unsigned kShown = 4;
  unsigned waiting = 0;
  std::string places;
  for (const Thread& thread : threads_) {
    if (thread.state != Thread::State::kAtBarrier && thread.state != Thread::State::kAtCollective) continue;
    if (++waiting > kShown) continue;
    places += Format("; thread %u at %s", thread.linear, Describe(thread.site).c_str());
    if (thread.state == Thread::State::kAtCollective) places += Format(" with mask %08x", thread.call.mask);
  }
  Report(Format("deadlock: %u of %zu threads wait for others that never come", waiting, threads_.size()) + places);
}

// ---- Barriers ----------------------------------------------------------------------------------------------------

int Block::Barrier(BarrierOp op, int predicate, const Site& site) {
  if (barrier_.arrived == 0) {
    barrier_ = {op, site, 0, 0};
  } else if (barrier_.op != op || barrier_.site.line() != site.line() || barrier_.site.column() != site.column() ||
             std::strcmp(barrier_.site.file_name(), site.file_name()) != 0) {
    Report("divergent barrier: this thread is at " + Describe(site) + ", others wait at " + Describe(barrier_.site));
    Abandon();
  }
  ++barrier_.arrived;
  barrier_.true_predicates += predicate != 0 ? 1U : 0U;
  Wait(Thread::State::kAtBarrier, site);
  CompleteBarrier();
  Thread& thread = current();
  SwitchFiber(&thread.context, scheduler_);
  return static_cast<int>(thread.result);
}

void Block::CompleteBarrier() {
  if (barrier_.arrived == 0 || barrier_.arrived < live_) return;
  unsigned result = 0;
  switch (barrier_.op) {
    case BarrierOp::kSync:
      break;
    case BarrierOp::kCount:
      result = barrier_.true_predicates;
      break;
    case BarrierOp::kAnd:
      result = barrier_.true_predicates == barrier_.arrived ? 1 : 0;
      break;
    case BarrierOp::kOr:
      result = barrier_.true_predicates != 0 ? 1 : 0;
      break;
  }
  barrier_.arrived = 0;
  ++barriers_;
  for (Thread& thread : threads_) {
    acquired_before_barrier_ |= thread.acquired;
    if (thread.state != Thread::State::kAtBarrier) continue;
    thread.result = result;
    Wake(thread);
  }
}

// ---- Memory order ------------------------------------------------------------------------------------------------

void Block::Fence() {
  Thread& thread = current();
  FinishedBlock& published = history_.At(serial_);
  published.fences[thread.linear] = ++thread.fences;
  published.last_fence_interval = barriers_;
}

void Block::Atomic() {
  current().acquired = true;
  if (++atomics_since_yield_ < kAtomicsBeforeYield) return;
  atomics_since_yield_ = 0;
  Yield();
}

Stamp Block::Now() const {
  const Thread& thread = *self;
  Stamp now;
  now.block = serial_;
  now.thread = static_cast<uint16_t>(thread.linear);
  now.barriers = barriers_;
  now.warp_syncs = warp_syncs_[thread.warp];
  now.fences = thread.fences;
  return now;
}

bool Block::Acquired() const { return acquired_before_barrier_ || self->acquired; }

// ---- What kernels call -------------------------------------------------------------------------------------------

uint64_t WarpCollective(const WarpCall& call, const Site& site, int* all_equal) {
  return running->Collective(call, site, all_equal);
}
int BlockBarrier(BarrierOp op, int predicate, const Site& site) { return running->Barrier(op, predicate, site); }
void Fence() { running->Fence(); }
void Yield() { running->Yield(); }
// The weakest answer the programming model allows: code must not rely on more.
unsigned ActiveMask() { return 1U << self->lane; }
void* DynamicSharedMemory() { return running->dynamic_shared(); }

}  // namespace cuda_interpreter
