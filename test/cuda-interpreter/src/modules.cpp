#include "modules.h"

#include <link.h>

#include <cstdint>
#include <vector>

namespace cuda_interpreter {
namespace {

struct Range {
  uintptr_t begin = 0;
  uintptr_t end = 0;
  bool Contains(uintptr_t address) const { return address >= begin && address < end; }
};

struct Module {
  std::vector<Range> constant;  // Code included.
  std::vector<Range> variable;
  Range thread_local_data;  // Of the calling OS thread; empty until it first touches it.

  bool Contains(uintptr_t address) const { return IsIn(constant, address) || IsIn(variable, address); }
  static bool IsIn(const std::vector<Range>& ranges, uintptr_t address) {
    for (const Range& range : ranges) {
      if (range.Contains(address)) return true;
    }
    return false;
  }
};

int AddModule(dl_phdr_info* info, size_t, void* out) {
  Module module;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& header = info->dlpi_phdr[i];
    const uintptr_t begin = info->dlpi_addr + header.p_vaddr;
    if (header.p_type == PT_LOAD) {
      ((header.p_flags & PF_W) != 0 ? module.variable : module.constant).push_back({begin, begin + header.p_memsz});
    } else if (header.p_type == PT_TLS && info->dlpi_tls_data != nullptr) {
      const auto data = reinterpret_cast<uintptr_t>(info->dlpi_tls_data);
      module.thread_local_data = {data, data + header.p_memsz};
    }
  }
  static_cast<std::vector<Module>*>(out)->push_back(std::move(module));
  return 0;
}

ModuleMemory Classify(const std::vector<Module>& modules, uintptr_t address, uintptr_t caller) {
  for (const Module& module : modules) {
    if (module.thread_local_data.Contains(address) && module.Contains(caller)) return ModuleMemory::kStaticShared;
    if (Module::IsIn(module.constant, address)) return ModuleMemory::kConstant;
    if (Module::IsIn(module.variable, address)) return ModuleMemory::kVariable;
  }
  return ModuleMemory::kNone;
}

}  // namespace

ModuleMemory ClassifyModuleMemory(const void* address, const void* caller) {
  // Per OS thread, because thread-local data is; refreshed when a lookup fails, because it is allocated on first use.
  static thread_local std::vector<Module> modules;
  const auto at = reinterpret_cast<uintptr_t>(address);
  const auto from = reinterpret_cast<uintptr_t>(caller);
  ModuleMemory memory = Classify(modules, at, from);
  if (memory == ModuleMemory::kNone) {
    modules.clear();
    dl_iterate_phdr(AddModule, &modules);
    memory = Classify(modules, at, from);
  }
  return memory;
}

}  // namespace cuda_interpreter
