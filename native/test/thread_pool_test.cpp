#include "runtime/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

namespace crossthink {
namespace {

TEST(ThreadPool, VisitsEveryIndexOnce) {
  ThreadPool pool(4);
  std::vector<std::atomic<int>> seen(10007);
  pool.ParallelFor(seen.size(), 64, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) ++seen[i];
  });
  for (const auto& count : seen) EXPECT_EQ(count.load(), 1);
}

TEST(ThreadPool, ChunkBordersDoNotDependOnThreads) {
  for (unsigned threads : {1U, 2U, 8U}) {
    ThreadPool pool(threads);
    std::vector<std::atomic<int>> begins(1000);
    pool.ParallelFor(begins.size(), 300, [&](size_t begin, size_t) { ++begins[begin]; });
    for (size_t i = 0; i < begins.size(); ++i) EXPECT_EQ(begins[i].load(), i % 300 == 0 ? 1 : 0);
  }
}

TEST(ThreadPool, NestedCallsDoNotDeadlock) {
  ThreadPool pool(2);
  std::atomic<int> total{0};
  pool.ParallelFor(8, 1, [&](size_t, size_t) { pool.ParallelFor(8, 1, [&](size_t, size_t) { ++total; }); });
  EXPECT_EQ(total.load(), 64);
}

}  // namespace
}  // namespace crossthink
