// planted: runs every case under several orders of threads and blocks, and the runtime API's own checks. One line a
// case; exit status 1 where a detector did not fire, or fired on sound code. `planted_checked` is the same program with
// the kernels instrumented.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "interpreter/control.h"
#include "planted.h"

namespace planted {

int RuntimeApiFailures();  // runtime_api.cpp

namespace {

constexpr int kOrders = 5;

bool MustBeFound(Found found) {
  return found == Found::kByBoth || (found == Found::kByChecked && cuda_interpreter::Checked());
}

// Memory bugs that only the checker sees may crash the plain build.
bool IsSafe(const Case& planted) { return planted.found != Found::kByChecked || cuda_interpreter::Checked(); }

// Empty where the case behaved; else what went wrong.
std::string Judge(const Case& planted) {
  const auto& reports = cuda_interpreter::Reports();
  const cudaError_t status = cudaGetLastError();
  if (!MustBeFound(planted.found)) return reports.empty() ? "" : "reported: " + reports.front();
  if (reports.empty()) return "not reported";
  if (status != cudaErrorLaunchFailure) return "reported, but cudaGetLastError does not say so";
  for (const std::string& report : reports) {
    if (report.find(planted.report) != std::string::npos) return "";
  }
  return "reported as something else: " + reports.front();
}

bool RunCase(const Case& planted) {
  if (!IsSafe(planted)) return true;
  for (int order = 0; order < kOrders; ++order) {
    setenv("CUDA_INTERPRETER_SEED", std::to_string(order).c_str(), 1);
    setenv("CUDA_INTERPRETER_PREEMPT", order >= 3 ? "3" : "0", 1);
    cuda_interpreter::ClearReports();
    std::string problem;
    try {
      planted.run();
      problem = Judge(planted);
    } catch (const std::string& wrong) {
      problem = wrong;
    }
    if (!problem.empty()) {
      std::printf("not ok  %s (order %d): %s\n", planted.name.c_str(), order, problem.c_str());
      return false;
    }
  }
  const auto& reports = cuda_interpreter::Reports();
  std::printf("ok      %s%s%s\n", planted.name.c_str(), reports.empty() ? "" : ": ",
              reports.empty() ? "" : reports.front().c_str());
  return true;
}

}  // namespace
}  // namespace planted

int main() {
  setenv("CUDA_INTERPRETER_QUIET", "1", 0);
  int failures = planted::RuntimeApiFailures();
  for (const auto& group : {planted::SoundKernels(), planted::BarrierBugs(), planted::CollectiveBugs(),
                            planted::MemoryBugs(), planted::RaceBugs()}) {
    for (const planted::Case& planted : group) failures += planted::RunCase(planted) ? 0 : 1;
  }
  std::printf("%s build: %d failures\n", cuda_interpreter::Checked() ? "checked" : "plain", failures);
  return failures == 0 ? 0 : 1;
}
