#include "runtime/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "runtime/float_environment.h"

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

// Half of the smallest normal number, and a third: what flush-to-zero and another rounding would change.
bool IsDefaultMode() {
  const volatile float least = 0x1p-126F;
  const volatile float three = 3.0F;
  return least * 0.5F != 0.0F && 5.0F / three == 0x1.AAAAAAp0F;
}

TEST(ThreadPool, WorksInTheModeOfTheSpecification) {
  const uint64_t before = FloatEnvironment::Mode();
  FloatEnvironment::SetMode(FloatEnvironment::kHostileMode);
  std::atomic<int> wrong{0};
  const auto check = [&](size_t, size_t) { wrong += IsDefaultMode() ? 0 : 1; };
  const bool hostile_before = !IsDefaultMode();
  {
    ThreadPool pool(3);  // Its threads inherit the mode.
    pool.ParallelFor(64, 1, check);
    pool.ParallelFor(64, 1, check, 1);
    std::atomic<bool> done{false};
    pool.Submit([&] { check(0, 0), done = true; });
    while (!done) std::this_thread::yield();
  }
  const bool hostile_after = !IsDefaultMode();
  FloatEnvironment::SetMode(before);
  EXPECT_TRUE(hostile_before);
  EXPECT_TRUE(hostile_after);  // The mode of the host comes back.
  EXPECT_EQ(wrong.load(), 0);
}

}  // namespace
}  // namespace crossthink
