#include <cstddef>
#include <cstdint>

#include "access.h"
#include "block.h"
#include "report.h"

// What the compiler's instrumentation calls. Kernels of the checked build are compiled with -fsanitize=thread,bounds
// but the module is not linked with the sanitizers' libraries: these functions stand in for them, and only for kernels.

#define HOOK extern "C" __attribute__((visibility("default"), used))

using cuda_interpreter::AccessKind;
using cuda_interpreter::OnAccess;

HOOK void __tsan_init() { cuda_interpreter::SetChecked(); }
HOOK void __tsan_func_entry(void*) {}
HOOK void __tsan_func_exit() {}
HOOK void __tsan_vptr_update(void**, void*) {}
HOOK void __tsan_vptr_read(void**) {}

#define ACCESS_HOOK(name, size, kind) \
  HOOK void name##size(void* address) { OnAccess(address, size, AccessKind::kind, __builtin_return_address(0)); }
#define ACCESS_HOOKS(size)                        \
  ACCESS_HOOK(__tsan_read, size, kRead)           \
  ACCESS_HOOK(__tsan_write, size, kWrite)         \
  ACCESS_HOOK(__tsan_unaligned_read, size, kRead) \
  ACCESS_HOOK(__tsan_unaligned_write, size, kWrite)
ACCESS_HOOKS(1)
ACCESS_HOOKS(2)
ACCESS_HOOKS(4)
ACCESS_HOOKS(8)
ACCESS_HOOKS(16)

HOOK void __tsan_read_range(void* address, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) {
    OnAccess(static_cast<char*>(address) + i, 1, AccessKind::kRead, __builtin_return_address(0));
  }
}
HOOK void __tsan_write_range(void* address, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) {
    OnAccess(static_cast<char*>(address) + i, 1, AccessKind::kWrite, __builtin_return_address(0));
  }
}

// Atomics of the standard library in the host code of a kernel's file: reference counts and guards of static variables.
// Any other std::atomic there fails to link: host code with atomics belongs in a file of its own.
HOOK int __tsan_atomic32_fetch_add(volatile int* address, int value, int) {
  return __atomic_fetch_add(address, value, __ATOMIC_SEQ_CST);
}
HOOK char __tsan_atomic8_load(const volatile char* address, int) { return __atomic_load_n(address, __ATOMIC_SEQ_CST); }

// -fsanitize=bounds: an index into an array of known size. The layout is the sanitizer ABI's.
struct UbsanOutOfBounds {
  const char* file;
  uint32_t line;
  uint32_t column;
};
HOOK void __ubsan_handle_out_of_bounds(UbsanOutOfBounds* data, uintptr_t index) {
  cuda_interpreter::Report(cuda_interpreter::Format("index %ld is out of bounds of an array, at %s:%u",
                                                    static_cast<long>(index), data->file, data->line));
  if (cuda_interpreter::self != nullptr) cuda_interpreter::running->Abandon();
}
