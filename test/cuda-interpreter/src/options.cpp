#include "options.h"

#include <cstdlib>

namespace cuda_interpreter {
namespace {

uint64_t Number(const char* name, uint64_t fallback) {
  const char* text = std::getenv(name);
  return text != nullptr && *text != '\0' ? std::strtoull(text, nullptr, 10) : fallback;
}

}  // namespace

Options Options::FromEnvironment() {
  Options options;
  options.seed = Number("CUDA_INTERPRETER_SEED", options.seed);
  options.preempt = static_cast<unsigned>(Number("CUDA_INTERPRETER_PREEMPT", options.preempt));
  options.stack_kb = static_cast<unsigned>(Number("CUDA_INTERPRETER_STACK_KB", options.stack_kb));
  return options;
}

}  // namespace cuda_interpreter
