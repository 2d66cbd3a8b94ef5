#include "memory.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>

namespace cuda_interpreter {
namespace {

constexpr int kPoison = 0xC5;
constexpr size_t kPage = 4096;
constexpr size_t kQuarantineBytes = size_t{32} << 20;
// An access this far past the end of an allocation is taken for an overrun of it.
constexpr size_t kOverrun = 4096;

std::map<const char*, Allocation>& Table() {
  static std::map<const char*, Allocation> table;
  return table;
}

// Held while the table is read or changed: copies also come from other threads than the launches.
std::lock_guard<std::mutex> LockTable() {
  static std::mutex mutex;
  return std::lock_guard<std::mutex>(mutex);
}

std::deque<const char*>& Quarantine() {
  static std::deque<const char*> quarantine;
  return quarantine;
}

size_t Pages(size_t bytes) { return (bytes + kPage - 1) / kPage * kPage; }

// Maps `file` between two inaccessible pages. The checked build reports an overrun; the plain one crashes when it is
// larger than the rest of the last page.
char* MapGuarded(int file, size_t bytes) {
  const size_t mapped = Pages(bytes);
  void* reserved = mmap(nullptr, mapped + 2 * kPage, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (reserved == MAP_FAILED) return nullptr;
  char* begin = static_cast<char*>(reserved) + kPage;
  if (mmap(begin, mapped, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0) == MAP_FAILED) {
    munmap(reserved, mapped + 2 * kPage);
    return nullptr;
  }
  return begin;
}

void Unmap(const Allocation& allocation) {
  munmap(allocation.begin - kPage, Pages(allocation.bytes) + 2 * kPage);
  if (allocation.file >= 0) close(allocation.file);
}

void TrimQuarantine() {
  size_t bytes = 0;
  for (const char* begin : Quarantine()) bytes += Table().at(begin).bytes;
  while (!Quarantine().empty() && (bytes > kQuarantineBytes || Quarantine().size() > 256)) {
    const auto entry = Table().find(Quarantine().front());
    bytes -= entry->second.bytes;
    Unmap(entry->second);
    Table().erase(entry);
    Quarantine().pop_front();
  }
}

Allocation* Register(int file, size_t bytes, bool foreign) {
  const auto lock = LockTable();
  char* begin = MapGuarded(file, bytes);
  if (begin == nullptr) return nullptr;
  Allocation& allocation = Table()[begin];
  allocation.begin = begin;
  allocation.bytes = bytes;
  allocation.file = file;
  allocation.foreign = foreign;
  allocation.written.assign(bytes, foreign);
  return &allocation;
}

}  // namespace

Allocation* Allocate(size_t bytes) {
  const int file = memfd_create("cuda-interpreter", MFD_CLOEXEC);
  if (file < 0) return nullptr;
  Allocation* allocation =
      ftruncate(file, static_cast<off_t>(Pages(bytes))) == 0 ? Register(file, bytes, false) : nullptr;
  if (allocation == nullptr) {
    close(file);
    return nullptr;
  }
  std::memset(allocation->begin, kPoison, bytes);
  return allocation;
}

Allocation* MapForeign(int file, size_t bytes) { return Register(file, bytes, true); }

bool Free(void* address, bool foreign) {
  const auto lock = LockTable();
  const auto entry = Table().find(static_cast<const char*>(address));
  if (entry == Table().end() || entry->second.freed || entry->second.foreign != foreign) return false;
  entry->second.freed = true;
  Quarantine().push_back(entry->first);
  TrimQuarantine();
  return true;
}

Allocation* FindAllocation(const void* address) {
  const auto lock = LockTable();
  const auto* at = static_cast<const char*>(address);
  auto entry = Table().upper_bound(at);
  if (entry == Table().begin()) return nullptr;
  --entry;
  return at < entry->second.end() + kOverrun ? &entry->second : nullptr;
}

bool OnDevice(const void* address, size_t bytes) {
  const Allocation* allocation = FindAllocation(address);
  return allocation != nullptr && !allocation->freed && static_cast<const char*>(address) + bytes <= allocation->end();
}

bool TouchesDevice(const void* address, size_t bytes) {
  const auto lock = LockTable();
  const auto* at = static_cast<const char*>(address);
  const auto touches = [&](const auto& entry) { return at < entry.second.end() && at + bytes > entry.second.begin; };
  return std::any_of(Table().begin(), Table().end(), touches);
}

void MarkWritten(const void* address, size_t bytes) {
  Allocation* allocation = FindAllocation(address);
  const auto offset = static_cast<const char*>(address) - allocation->begin;
  std::fill_n(allocation->written.begin() + offset, bytes, true);
}

// For libraries that write device memory without a kernel: the fake cuBLAS.
extern "C" __attribute__((visibility("default"))) void cuda_interpreter_mark_written(const void* address,
                                                                                     size_t bytes) {
  if (OnDevice(address, bytes)) MarkWritten(address, bytes);
}

size_t LiveAllocations() {
  const auto lock = LockTable();
  return static_cast<size_t>(
      std::count_if(Table().begin(), Table().end(), [](const auto& entry) { return !entry.second.freed; }));
}

size_t LiveBytes() {
  const auto lock = LockTable();
  size_t bytes = 0;
  for (const auto& [begin, allocation] : Table()) bytes += allocation.freed ? 0 : allocation.bytes;
  return bytes;
}

}  // namespace cuda_interpreter
