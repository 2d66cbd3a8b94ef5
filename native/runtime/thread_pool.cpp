#include "runtime/thread_pool.h"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <utility>

#include "runtime/float_environment.h"

namespace crossthink {
namespace {

unsigned CgroupQuota() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return 0;
  const double cpus = std::strtod(quota.c_str(), nullptr) / period;
  return cpus > 0 ? static_cast<unsigned>(std::ceil(cpus)) : 0;
}

// A few cycles in which the core's other thread may go on.
void Relax() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

struct ParallelState {
  static constexpr int kSpins = 400;  // Some 10 us.

  ParallelState(size_t n, size_t grain, const std::function<void(size_t, size_t)>& body)
      : n(n), grain(grain), chunks((n + grain - 1) / grain), body(body) {}

  // Takes chunks until none is left. `body` is only touched while a chunk is
  // held, so a late worker never sees a dangling reference.
  void Drain() {
    for (size_t chunk; (chunk = next.fetch_add(1, std::memory_order_relaxed)) < chunks;) {
      const size_t begin = chunk * grain;
      body(begin, std::min(begin + grain, n));
      if (done.fetch_add(1, std::memory_order_acq_rel) + 1 == chunks) {
        const std::lock_guard<std::mutex> lock(mutex);
        finished.notify_all();
      }
    }
  }

  bool IsDone() const { return done.load(std::memory_order_acquire) == chunks; }

  void Wait() {
    // The others are at their last chunks: to sleep and be woken takes as long as a small one.
    for (int i = 0; i < kSpins; ++i) {
      if (IsDone()) return;
      Relax();
    }
    std::unique_lock<std::mutex> lock(mutex);
    finished.wait(lock, [this] { return IsDone(); });
  }

  const size_t n;
  const size_t grain;
  const size_t chunks;
  const std::function<void(size_t, size_t)>& body;
  std::atomic<size_t> next{0};
  std::atomic<size_t> done{0};
  std::mutex mutex;
  std::condition_variable finished;
};

}  // namespace

unsigned AvailableParallelism() {
  if (const char* forced = std::getenv("CROSSTHINK_NUM_THREADS"); forced != nullptr) {
    const long value = std::strtol(forced, nullptr, 10);
    if (value > 0) return static_cast<unsigned>(std::min(value, 1024L));
  }
  unsigned count = std::max(1U, std::thread::hardware_concurrency());
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof(set), &set) == 0) {
    count = std::max(1, CPU_COUNT(&set));
  }
  if (const unsigned quota = CgroupQuota(); quota > 0) count = std::min(count, quota);
  return count;
}

ThreadPool& ThreadPool::Instance() {
  // Leaked on purpose: joining threads from a static destructor at process
  // exit races with Node tearing down its own threads.
  static ThreadPool* pool = new ThreadPool(AvailableParallelism());
  return *pool;
}

ThreadPool::ThreadPool(unsigned size) {
  threads_.reserve(size);
  for (unsigned i = 0; i < size; ++i) threads_.emplace_back([this] { Run(); });
}

ThreadPool::~ThreadPool() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  ready_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::Submit(std::function<void()> task) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    queue_.push_back(std::move(task));
  }
  ready_.notify_one();
}

void ThreadPool::ParallelForAny(size_t n, size_t grain, const std::function<void(size_t, size_t)>& body,
                                unsigned max_threads) {
  if (n == 0) return;
  const FloatEnvironment environment;
  grain = std::max<size_t>(grain, 1);
  const size_t chunks = (n + grain - 1) / grain;
  const size_t threads = std::min<size_t>({max_threads == 0 ? size() : max_threads, size(), chunks});
  if (threads <= 1) {
    for (size_t begin = 0; begin < n; begin += grain) body(begin, std::min(begin + grain, n));
    return;
  }
  auto state = std::make_shared<ParallelState>(n, grain, body);
  for (size_t i = 1; i < threads; ++i) Submit([state] { state->Drain(); });
  state->Drain();
  state->Wait();
}

void ThreadPool::Run() {
  const FloatEnvironment environment;  // Threads inherit the mode of the one that started them.
  for (;;) {
    std::function<void()> task;
    {
      std::unique_lock<std::mutex> lock(mutex_);
      ready_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      task = std::move(queue_.front());
      queue_.pop_front();
    }
    task();
  }
}

}  // namespace crossthink
