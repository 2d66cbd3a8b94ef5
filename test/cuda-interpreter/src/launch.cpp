#include "interpreter/launch.h"

#include <atomic>
#include <mutex>
#include <numeric>
#include <vector>

#include "block.h"
#include "interpreter/control.h"
#include "report.h"
#include "runtime_state.h"

namespace cuda_interpreter {
namespace {

// The limits of compute capability 8.0 and newer.
constexpr unsigned kMaxThreads = 1024;
constexpr unsigned kMaxBlockZ = 64;
constexpr unsigned kMaxGridYZ = 65535;
constexpr unsigned kMaxGridX = 2147483647;

bool ValidShape(const cudaLaunchConfig_t& config) {
  const dim3& grid = config.gridDim;
  const dim3& block = config.blockDim;
  const auto threads = static_cast<unsigned long long>(block.x) * block.y * block.z;
  return threads >= 1 && threads <= kMaxThreads && block.z <= kMaxBlockZ && grid.x >= 1 && grid.x <= kMaxGridX &&
         grid.y >= 1 && grid.y <= kMaxGridYZ && grid.z >= 1 && grid.z <= kMaxGridYZ;
}

// Blocks may run in any order: a random one, drawn from the seed.
std::vector<unsigned> BlockOrder(unsigned blocks, uint64_t seed) {
  std::vector<unsigned> order(blocks);
  std::iota(order.begin(), order.end(), 0U);
  if (seed == 0) return order;
  Random random(seed);
  for (unsigned i = blocks; i > 1; --i) std::swap(order[i - 1], order[random.Below(i)]);
  return order;
}

cudaError_t RunLaunch(const Launch& launch) {
  // One launch at a time: fibres, shared memory and the checker's state belong to the process.
  static std::mutex mutex;
  const std::lock_guard<std::mutex> lock(mutex);
  static uint32_t next_serial = 1;
  const dim3& grid = launch.config.gridDim;
  const unsigned blocks = grid.x * grid.y * grid.z;
  const Options options = Options::FromEnvironment();
  const size_t reports_before = Reports().size();
  Block block(launch, options, next_serial);
  next_serial += blocks;
  for (unsigned index : BlockOrder(blocks, options.seed)) {
    if (!block.Run(index)) break;
  }
  return Reports().size() == reports_before ? cudaSuccess : cudaErrorLaunchFailure;
}

}  // namespace

cudaError_t Submit(const Launch& launch) {
  if (!ValidShape(launch.config)) return SetLastError(cudaErrorInvalidConfiguration);
  if (launch.config.dynamicSmemBytes > DynamicSharedLimit(launch.kernel)) return SetLastError(cudaErrorInvalidValue);
  if (Capture(launch.config.stream, [launch] { return RunLaunch(launch); })) return cudaSuccess;
  // As on a device, a failing kernel is not seen by its launch but by the next call that asks.
  SetStickyError(RunLaunch(launch));
  return cudaSuccess;
}

}  // namespace cuda_interpreter
