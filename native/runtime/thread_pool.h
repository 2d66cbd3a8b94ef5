#ifndef CROSSTHINK_RUNTIME_THREAD_POOL_H_
#define CROSSTHINK_RUNTIME_THREAD_POOL_H_

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace crossthink {

// CPUs this process may use: affinity mask, then the cgroup v2 quota; CROSSTHINK_NUM_THREADS replaces both.
unsigned AvailableParallelism();

// One pool per process, shared by every Node environment (worker_threads included), so that concurrent calls queue up
// instead of multiplying threads. Never libuv's four threads: long kernels there starve fs, dns and zlib.
class ThreadPool {
 public:
  static ThreadPool& Instance();

  explicit ThreadPool(unsigned size);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  unsigned size() const noexcept { return static_cast<unsigned>(threads_.size()); }

  // Runs `task` on a pool thread. `task` must not throw.
  void Submit(std::function<void()> task);

  // Calls body(begin, end) over [0, n) in chunks of `grain`, on at most `max_threads` threads (0: all of the pool), the
  // calling one included. Chunk borders depend on n and grain alone, never on the number of threads. Safe to call from
  // inside a task.
  template <class Body>
  void ParallelFor(size_t n, size_t grain, const Body& body, unsigned max_threads = 0) {
    ParallelForAny(n, grain, std::cref(body), max_threads);  // By reference: a copy would be on the heap.
  }

 private:
  void ParallelForAny(size_t n, size_t grain, const std::function<void(size_t, size_t)>& body, unsigned max_threads);
  void Run();

  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace crossthink

#endif  // CROSSTHINK_RUNTIME_THREAD_POOL_H_
