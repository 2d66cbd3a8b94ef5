#include "shadow.h"

namespace cuda_interpreter {
namespace {

bool SameInterval(const Stamp& a, const Stamp& b) { return a.block == b.block && a.barriers == b.barriers; }
bool SameWarp(const Stamp& a, const Stamp& b) { return a.thread / 32 == b.thread / 32; }

// True where some reader recorded in `cell` is not ordered before a write at `now`.
bool ReadersConflict(const Cell& cell, const Stamp& now, const BlockHistory& history, bool acquired) {
  if (cell.readers == Readers::kNone) return false;
  if (!SameInterval(cell.read, now) || cell.readers == Readers::kOneThread) {
    return !Ordered(cell.read, now, history, acquired);
  }
  // Several threads read in this interval: at least one of them is not the writer.
  const bool warp_synced =
      cell.readers == Readers::kOneWarp && SameWarp(cell.read, now) && cell.read.warp_syncs != now.warp_syncs;
  return !warp_synced;
}

void RecordRead(Cell& cell, const Stamp& now) {
  if (cell.readers == Readers::kNone || !SameInterval(cell.read, now)) {
    cell.readers = Readers::kOneThread;
    cell.read = now;
    return;
  }
  if (cell.read.thread != now.thread && cell.readers != Readers::kMany) {
    cell.readers = SameWarp(cell.read, now) ? Readers::kOneWarp : Readers::kMany;
  }
  const bool all_atomic = cell.read.atomic && now.atomic;
  cell.read = now;
  cell.read.atomic = all_atomic;
}

}  // namespace

bool BlockHistory::Published(const Stamp& write) const {
  const FinishedBlock& block = blocks_[write.block - first_serial_];
  return (write.thread < block.fences.size() && block.fences[write.thread] > write.fences) ||
         block.last_fence_interval > write.barriers;
}

bool Ordered(const Stamp& before, const Stamp& now, const BlockHistory& history, bool acquired) {
  if (before.block < history.first_serial()) return true;
  if (before.block != now.block) return acquired && history.Published(before);
  return before.thread == now.thread || before.barriers != now.barriers ||
         (SameWarp(before, now) && before.warp_syncs != now.warp_syncs);
}

Verdict Judge(Cell& cell, const Stamp& now, bool write, bool shared, const BlockHistory& history, bool acquired) {
  Verdict verdict;
  const auto relevant = [&](const Stamp& stamp) {
    return stamp.block != 0 && !(stamp.atomic && now.atomic) && !(shared && stamp.block != now.block);
  };
  if (relevant(cell.write) && !Ordered(cell.write, now, history, acquired)) {
    verdict = {Conflict::kWithWrite, cell.write, false};
  } else if (write && relevant(cell.read) && ReadersConflict(cell, now, history, acquired)) {
    verdict = {Conflict::kWithRead, cell.read, cell.readers > Readers::kOneThread};
  }
  if (write) cell.write = now;
  if (!write || now.atomic) RecordRead(cell, now);
  return verdict;
}

}  // namespace cuda_interpreter
