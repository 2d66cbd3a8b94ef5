// The Node-free part of `npm run gpu-check`: runs every CUDA kernel on the first device against the scalar CPU kernels,
// bit for bit, then measures. Built by nvcc alone (scripts/gpu-check.sh), or by g++ against the interpreter.
//
//   gpu_runner [--small] [--no-timing] [--json FILE]
#include <fstream>
#include <string_view>

#include "runner.h"
#include "spec/annotate.h"

namespace crossthink::gpu {

std::string Name(const char* operation, DType type, const Shape& shape, Kind kind) {
  constexpr const char* kTypes[] = {"float32", "bfloat16", "float16"};
  constexpr const char* kNames[] = {"normal", "peaked", "rising", "ties", "bad"};
  return std::string(operation) + ", " + kTypes[static_cast<size_t>(type)] + " [" + std::to_string(shape.rows) + ", " +
         std::to_string(shape.vocab) + "] stride " + std::to_string(shape.stride) + ", " +
         kNames[static_cast<size_t>(kind)];
}

}  // namespace crossthink::gpu

int main(int argc, char** argv) {
  using namespace crossthink::gpu;
  bool large = true;
  bool timing = true;
  std::string json;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--small") {
      large = false;
    } else if (argument == "--no-timing") {
      timing = false;
    } else if (argument == "--json" && i + 1 < argc) {
      json = argv[++i];
    } else {
      std::printf("usage: gpu_runner [--small] [--no-timing] [--json FILE]\n");
      return 2;
    }
  }
  cudaDeviceProp device{};
  Check(cudaGetDeviceProperties(&device, 0), "no device");
  std::printf("%s, compute capability %d.%d, numeric specification %d\n", device.name, device.major, device.minor,
              crossthink::spec::kNumericSpec);
  Tally tally;
  CheckLogprobs(large, &tally);
  CheckSampling(large, &tally);
  CheckWideSampling(large, &tally);
  CheckAdvantages(large, &tally);
  CheckTokenAdvantages(large, &tally);
  CheckCorrections(large, &tally);
  CheckPolicyLosses(large, &tally);
  CheckShaping(large, &tally);
  CheckGrpoSteps(large, &tally);
  CheckSpeculation(large, &tally);
  CheckLinearHeads(large, &tally);
  CheckGraphs(&tally);
  Check(cudaDeviceSynchronize(), "device");
  std::printf("%zu cases, %zu numbers compared bit for bit with the scalar CPU kernels: %zu failures\n", tally.cases,
              tally.compared, tally.failures);
  const std::string timings = timing ? Timings(large) : "null";
  if (!json.empty()) {
    std::ofstream(json) << "{\"device\": \"" << device.name << "\",\n \"compute_capability\": \"" << device.major << "."
                        << device.minor << "\",\n \"numeric_spec\": " << crossthink::spec::kNumericSpec
                        << ",\n \"cases\": " << tally.cases << ",\n \"numbers_compared\": " << tally.compared
                        << ",\n \"failures\": " << tally.failures << ",\n \"timings\": " << timings << "}\n";
  }
  return tally.failures == 0 ? 0 : 1;
}
