#include <algorithm>
#include <cstring>

#include "block.h"
#include "report.h"

// Warp collectives: the lanes a mask names meet, the last one to come works out everybody's result.
namespace cuda_interpreter {
namespace {

constexpr uint64_t kUndefined = 0xdeadbeefdeadbeefU;  // What a shuffle from an absent lane gives.

bool IsShuffle(WarpOp op) { return op <= WarpOp::kShuffleXor; }

// The lane that `lane` reads, before any check. Out of the segment: its own.
int ShuffleSource(const WarpCall& call, int lane) {
  const int first = lane & ~(call.width - 1);
  const int last = first + call.width - 1;
  int source = lane;
  switch (call.op) {
    case WarpOp::kShuffleIndex:
      return first + (call.operand & (call.width - 1));
    case WarpOp::kShuffleUp:
      source = lane - call.operand;
      return source < first ? lane : source;
    case WarpOp::kShuffleDown:
      source = lane + call.operand;
      return source > last ? lane : source;
    default:
      source = lane ^ call.operand;
      return source > last ? lane : source;
  }
}

uint32_t Reduce(WarpOp op, uint32_t a, uint32_t b) {
  switch (op) {
    case WarpOp::kAddUnsigned:
      return a + b;
    case WarpOp::kMinSigned:
      return static_cast<uint32_t>(std::min(static_cast<int32_t>(a), static_cast<int32_t>(b)));
    case WarpOp::kMaxSigned:
      return static_cast<uint32_t>(std::max(static_cast<int32_t>(a), static_cast<int32_t>(b)));
    case WarpOp::kMinUnsigned:
      return std::min(a, b);
    case WarpOp::kMaxUnsigned:
      return std::max(a, b);
    case WarpOp::kAnd:
      return a & b;
    case WarpOp::kOr:
      return a | b;
    default:
      return a ^ b;
  }
}

// What all lanes of one collective have in common.
struct Summary {
  unsigned lanes = 0;      // Taking part.
  unsigned nonzero = 0;    // Of these, with a nonzero value.
  uint32_t reduction = 0;  // Of their values.
  bool all_equal = true;
};

Summary Summarise(const Thread* lanes, unsigned size, unsigned taking_part) {
  Summary summary;
  uint64_t first = 0;
  for (unsigned lane = 0; lane < size; ++lane) {
    if ((taking_part >> lane & 1) == 0) continue;
    const WarpCall& call = lanes[lane].call;
    const auto value = static_cast<uint32_t>(call.value);
    if (call.value != 0) summary.nonzero |= 1U << lane;
    if (summary.lanes == 0) {
      first = call.value;
      summary.reduction = value;
    } else {
      summary.all_equal &= call.value == first;
      summary.reduction = Reduce(call.op, summary.reduction, value);
    }
    summary.lanes |= 1U << lane;
  }
  return summary;
}

unsigned LanesWithValue(const Thread* lanes, unsigned size, unsigned taking_part, uint64_t value) {
  unsigned matching = 0;
  for (unsigned lane = 0; lane < size; ++lane) {
    if ((taking_part >> lane & 1) != 0 && lanes[lane].call.value == value) matching |= 1U << lane;
  }
  return matching;
}

uint64_t ShuffleResult(const Thread* lanes, const Thread& thread, unsigned taking_part) {
  const int source = ShuffleSource(thread.call, static_cast<int>(thread.lane));
  if ((taking_part >> source & 1) != 0) return lanes[source].call.value;
  Report(Format("lane %u of warp %u shuffles from lane %d, which does not take part (mask %08x), at ", thread.lane,
                thread.warp, source, thread.call.mask) +
         Describe(thread.site));
  return kUndefined;
}

uint64_t LaneResult(const Thread* lanes, unsigned size, const Thread& thread, const Summary& summary) {
  switch (thread.call.op) {
    case WarpOp::kBallot:
      return summary.nonzero;
    case WarpOp::kAny:
      return summary.nonzero != 0 ? 1 : 0;
    case WarpOp::kAll:
      return summary.nonzero == summary.lanes ? 1 : 0;
    case WarpOp::kMatchAny:
      return LanesWithValue(lanes, size, summary.lanes, thread.call.value);
    case WarpOp::kMatchAll:
      return summary.all_equal ? summary.lanes : 0;
    case WarpOp::kSync:
      return 0;
    default:
      return IsShuffle(thread.call.op) ? ShuffleResult(lanes, thread, summary.lanes) : summary.reduction;
  }
}

bool SamePlace(const Thread& a, const Thread& b) {
  return a.call.op == b.call.op && a.site.line() == b.site.line() && a.site.column() == b.site.column() &&
         std::strcmp(a.site.file_name(), b.site.file_name()) == 0;
}

}  // namespace

uint64_t Block::Collective(const WarpCall& call, const Site& site, int* all_equal) {
  Thread& thread = current();
  if ((call.mask >> thread.lane & 1) == 0) {
    Report(Format("lane %u calls a warp collective with mask %08x, which leaves it out, at ", thread.lane, call.mask) +
           Describe(site));
    Abandon();
  }
  if (call.width < 1 || call.width > 32 || (call.width & (call.width - 1)) != 0) {
    Report(Format("shuffle width %d is not a power of two up to 32, at ", call.width) + Describe(site));
    Abandon();
  }
  thread.call = call;
  Wait(Thread::State::kAtCollective, site);
  CompleteCollective(thread.warp, call.mask);
  // The lane that completed the collective goes back to the queue like the others.
  SwitchFiber(&thread.context, scheduler_);
  if (all_equal != nullptr) *all_equal = thread.all_equal;
  return thread.result;
}

void Block::CompleteCollective(unsigned warp, unsigned mask) {
  Thread* lanes = warp_begin(warp);
  const unsigned size = warp_size(warp);
  unsigned taking_part = 0;
  unsigned gone = 0;
  unsigned live = 0;
  const Thread* first = nullptr;
  for (unsigned lane = 0; lane < 32; ++lane) {
    const bool exists = lane < size && lanes[lane].state != Thread::State::kDone;
    if (exists) live |= 1U << lane;
    if ((mask >> lane & 1) == 0) continue;
    if (!exists) {
      gone |= 1U << lane;
      continue;
    }
    const Thread& thread = lanes[lane];
    if (thread.state != Thread::State::kAtCollective || thread.call.mask != mask) return;  // Somebody is still missing.
    if (first == nullptr) first = &thread;
    if (!SamePlace(*first, thread)) {
      Report(Format("warp %u: lanes of mask %08x meet at different collectives: ", warp, mask) + Describe(first->site) +
             " and " + Describe(thread.site));
      Abandon();
    }
    taking_part |= 1U << lane;
  }
  if (first == nullptr) return;
  const WarpOp op = first->call.op;
  if (gone != 0) {
    Report(Format("mask %08x of warp %u names lanes %08x, which have exited or never were, at ", mask, warp, gone) +
           Describe(first->site));
  }
  const Summary summary = Summarise(lanes, size, taking_part);
  for (unsigned lane = 0; lane < size; ++lane) {
    if ((taking_part >> lane & 1) == 0) continue;
    lanes[lane].result = LaneResult(lanes, size, lanes[lane], summary);
    lanes[lane].all_equal = summary.all_equal ? 1 : 0;
  }
  if (op == WarpOp::kSync && (live & ~mask) == 0) ++warp_syncs_[warp];
  for (unsigned lane = 0; lane < size; ++lane) {
    if ((taking_part >> lane & 1) != 0) Wake(lanes[lane]);
  }
}

}  // namespace cuda_interpreter
