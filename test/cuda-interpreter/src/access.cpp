#include "access.h"

#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <string>

#include "block.h"
#include "interpreter/atomics.h"
#include "interpreter/control.h"
#include "memory.h"
#include "modules.h"
#include "report.h"

namespace cuda_interpreter {
namespace {

bool checked = false;

// Where an address lies, and how to reach the cell of each of its bytes.
struct Place {
  enum class Space { kIgnored, kDynamicShared, kStaticShared, kDevice } space = Space::kIgnored;
  ShadowMap* shadow = nullptr;
  size_t offset = 0;
  Allocation* allocation = nullptr;

  bool shared() const { return space == Space::kDynamicShared || space == Space::kStaticShared; }
  const char* name() const { return shared() ? "shared memory" : "device memory"; }
};

struct Access {
  const char* address;
  size_t size;
  AccessKind kind;
  const void* caller;

  bool writes() const { return kind != AccessKind::kRead; }
  bool InRange(const void* begin, size_t bytes) const {
    const auto* first = static_cast<const char*>(begin);
    return address >= first && address + size <= first + bytes;
  }
  std::string Text() const {
    const char* verb = kind == AccessKind::kRead ? "read" : kind == AccessKind::kWrite ? "write" : "atomic";
    return Format("%zu-byte %s", size, verb);
  }
  std::string At() const { return ", in " + Describe(static_cast<const char*>(caller) - 1); }
};

[[noreturn]] void Fatal(const std::string& message) {
  Report(message);
  running->Abandon();
}

// A thread's own stack, its launch arguments, and threadIdx and its kin.
bool IsPrivate(const Access& access) {
  const Block& block = *running;
  if (access.InRange(self->stack, block.stacks().bytes_each())) return true;
  if (access.writes()) return false;
  const Launch& launch = block.launch();
  return access.InRange(launch.arguments.get(), launch.argument_bytes) || access.InRange(&threadIdx, sizeof(uint3)) ||
         access.InRange(&blockIdx, sizeof(uint3)) || access.InRange(&blockDim, sizeof(dim3)) ||
         access.InRange(&gridDim, sizeof(dim3));
}

Place DevicePlace(const Access& access, Allocation& allocation) {
  const auto offset = access.address - allocation.begin;
  if (allocation.freed) Fatal(access.Text() + " of device memory after cudaFree" + access.At());
  if (access.address + access.size > allocation.end()) {
    Fatal(access.Text() + Format(" out of bounds: at byte %td of an allocation of %zu", offset, allocation.bytes) +
          access.At());
  }
  return {Place::Space::kDevice, &allocation.shadow, static_cast<size_t>(offset), &allocation};
}

Place DynamicSharedPlace(const Access& access) {
  // Shadow of the one dynamic shared memory; stamps tell blocks apart.
  static ShadowMap shadow;
  const auto offset = access.address - running->dynamic_shared();
  if (offset + static_cast<std::ptrdiff_t>(access.size) >
      static_cast<std::ptrdiff_t>(running->dynamic_shared_bytes())) {
    Fatal(
        access.Text() +
        Format(" out of bounds: at byte %td of %zu of dynamic shared memory", offset, running->dynamic_shared_bytes()) +
        access.At());
  }
  return {Place::Space::kDynamicShared, &shadow, static_cast<size_t>(offset), nullptr};
}

Place StaticSharedPlace(const Access& access) {
  constexpr uintptr_t kChunk = 4096;
  static std::map<uintptr_t, ShadowMap> shadows;
  const auto at = reinterpret_cast<uintptr_t>(access.address);
  // An access may cross into the next chunk: the map of the first one simply grows.
  return {Place::Space::kStaticShared, &shadows[at / kChunk], at % kChunk, nullptr};
}

Place Locate(const Access& access) {
  if (IsPrivate(access)) return {};
  if (running->stacks().Contains(access.address)) {
    Fatal(access.Text() + " of another thread's local memory" + access.At());
  }
  constexpr std::ptrdiff_t kNear = 128;
  const std::ptrdiff_t dynamic_offset = access.address - running->dynamic_shared();
  if (dynamic_offset >= 0 && dynamic_offset < static_cast<std::ptrdiff_t>(running->dynamic_shared_bytes()) + kNear) {
    return DynamicSharedPlace(access);
  }
  if (Allocation* allocation = FindAllocation(access.address)) return DevicePlace(access, *allocation);
  switch (ClassifyModuleMemory(access.address, access.caller)) {
    case ModuleMemory::kStaticShared:
      return StaticSharedPlace(access);
    case ModuleMemory::kConstant:
      if (!access.writes()) return {};
      Fatal(access.Text() + " of constant data" + access.At());
    case ModuleMemory::kVariable:
      Fatal(access.Text() + " of a global variable of the host" + access.At());
    case ModuleMemory::kNone:
      break;
  }
  Fatal(access.Text() + Format(" of %p, which is not device memory (a host pointer?)", access.address) + access.At());
}

void CheckBytes(const Access& access, const Place& place) {
  Block& block = *running;
  Stamp now = block.Now();
  now.atomic = access.kind == AccessKind::kAtomic;
  const bool acquired = block.Acquired();
  Verdict worst;
  bool uninitialised = false;
  for (size_t i = 0; i < access.size; ++i) {
    Cell& cell = place.shadow->At(place.offset + i);
    if (access.kind != AccessKind::kWrite) {
      uninitialised |= place.shared() ? cell.write.block != now.block : !place.allocation->written[place.offset + i];
    }
    const Verdict verdict = Judge(cell, now, access.writes(), place.shared(), block.history(), acquired);
    if (verdict.conflict != Conflict::kNone) worst = verdict;
    if (access.writes() && place.allocation != nullptr) place.allocation->written[place.offset + i] = true;
  }
  if (uninitialised) Report(access.Text() + " of uninitialised " + place.name() + access.At());
  if (worst.conflict != Conflict::kNone) {
    Report("data race on " + std::string(place.name()) + ": " + access.Text() +
           Format(" conflicts with %s by thread %u%s of ",
                  worst.conflict == Conflict::kWithWrite ? "the write" : "the read", worst.other.thread,
                  worst.several ? " and others" : "") +
           (worst.other.block == now.block ? std::string("this block")
                                           : Format("block %u", worst.other.block - block.history().first_serial())) +
           access.At());
  }
}

}  // namespace

void SetChecked() { checked = true; }
bool Checked() { return checked; }

void OnAccess(const void* address, size_t size, AccessKind kind, const void* caller) {
  if (self == nullptr) return;  // Host code of the kernel's file.
  const Access access{static_cast<const char*>(address), size, kind, caller};
  const Place place = Locate(access);
  if (place.space == Place::Space::kIgnored) return;
  if (reinterpret_cast<uintptr_t>(address) % size != 0) {
    // Fatal: the compiled code may use an aligned vector move, which would crash.
    Fatal("misaligned " + access.Text() + " of " + place.name() + Format(" at %p", address) + access.At());
  }
  CheckBytes(access, place);
  if (running->Preempt()) running->Yield();
}

// The next two copy without instrumentation: the access was judged as one atomic.
void BeginAtomic(void* address, void* old, unsigned long size, const void* caller) {
  if (checked) OnAccess(address, size, AccessKind::kAtomic, caller);
  running->Atomic();
  std::memcpy(old, address, size);
}

void EndAtomic(void* address, const void* value, unsigned long size) { std::memcpy(address, value, size); }

}  // namespace cuda_interpreter
