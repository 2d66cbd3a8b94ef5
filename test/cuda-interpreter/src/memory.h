#ifndef CUDA_INTERPRETER_MEMORY_H_
#define CUDA_INTERPRETER_MEMORY_H_

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "shadow.h"

namespace cuda_interpreter {

// Cells of a range of memory, made a page at a time on first use.
class ShadowMap {
 public:
  Cell& At(size_t offset) {
    const size_t page = offset / kPage;
    if (page >= pages_.size()) pages_.resize(page + 1);
    if (pages_[page] == nullptr) pages_[page] = std::make_unique<Cell[]>(kPage);
    return pages_[page][offset % kPage];
  }

 private:
  static constexpr size_t kPage = 4096;
  std::vector<std::unique_ptr<Cell[]>> pages_;
};

// One cudaMalloc, or one allocation of another process opened through its IPC handle. Backed by a memory file, so that
// another process can map it. Freed allocations stay mapped for a while: a late access is then reported, not a crash.
struct Allocation {
  char* begin = nullptr;
  size_t bytes = 0;
  int file = -1;
  bool freed = false;
  bool foreign = false;       // Opened, not ours: its content counts as written.
  std::vector<bool> written;  // By byte.
  ShadowMap shadow;

  char* end() const { return begin + bytes; }
};

// Null where memory or file descriptors ran out.
Allocation* Allocate(size_t bytes);
Allocation* MapForeign(int file, size_t bytes);
// False where `address` is not the start of a live allocation.
bool Free(void* address, bool foreign);

// The allocation (live or freed) that holds `address` or ends shortly before it; null where there is none.
Allocation* FindAllocation(const void* address);
// True where all of [address, address + bytes) lies in one live allocation.
bool OnDevice(const void* address, size_t bytes);
// True where any of it does, or where it comes from a freed one.
bool TouchesDevice(const void* address, size_t bytes);
void MarkWritten(const void* address, size_t bytes);

size_t LiveAllocations();
size_t LiveBytes();

}  // namespace cuda_interpreter

#endif  // CUDA_INTERPRETER_MEMORY_H_
