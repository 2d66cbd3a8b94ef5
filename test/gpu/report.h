#ifndef CROSSTHINK_TEST_GPU_REPORT_H_
#define CROSSTHINK_TEST_GPU_REPORT_H_

#include <algorithm>

#include "runner.h"

// Times and what becomes of them.
namespace crossthink::gpu {

struct Stopwatch {
  cudaEvent_t begin = nullptr, end = nullptr;
  Stopwatch() {
    Check(cudaEventCreate(&begin), "cudaEventCreate");
    Check(cudaEventCreate(&end), "cudaEventCreate");
  }
  ~Stopwatch() {
    cudaEventDestroy(begin);
    cudaEventDestroy(end);
  }

  // Median milliseconds of one call.
  template <class Call>
  double Median(int repeats, Call call) const {
    std::vector<double> times;
    for (int i = 0; i < repeats + 2; ++i) {
      Check(cudaEventRecord(begin, nullptr), "cudaEventRecord");
      Check(call(), "timed kernel");
      Check(cudaEventRecord(end, nullptr), "cudaEventRecord");
      Check(cudaEventSynchronize(end), "timed kernel");
      float milliseconds = 0;
      Check(cudaEventElapsedTime(&milliseconds, begin, end), "cudaEventElapsedTime");
      if (i >= 2) times.push_back(static_cast<double>(milliseconds));  // The first two warm up.
    }
    std::nth_element(times.begin(), times.begin() + repeats / 2, times.end());
    return times[static_cast<size_t>(repeats / 2)];
  }
};

struct Report {
  std::string json;
  double copy_gb_per_s = 0;

  void Add(const char* operation, const Shape& shape, const char* type, double milliseconds, double bytes) {
    const double rate = bytes / milliseconds / 1e6;
    char line[256];
    std::snprintf(line, sizeof(line),
                  "%s    {\"operation\": \"%s\", \"type\": \"%s\", \"rows\": %zu, \"vocab\": %zu, \"us\": %.2f, "
                  "\"GB_per_s\": %.1f, \"of_copy\": %.3f}",
                  json.empty() ? "" : ",\n", operation, type, shape.rows, shape.vocab, milliseconds * 1e3, rate,
                  rate / copy_gb_per_s);
    json += line;
    std::printf("%-24s %-8s %6zu x %-7zu %10.1f us  %8.1f GB/s  %.2f of a copy\n", operation, type, shape.rows,
                shape.vocab, milliseconds * 1e3, rate, rate / copy_gb_per_s);
  }
};

// Losses, advantages and selections; rows are sequences, `vocab` their length.
void TimeLosses(const Stopwatch& watch, bool large, Report* report);

}  // namespace crossthink::gpu

#endif  // CROSSTHINK_TEST_GPU_REPORT_H_
