#include <algorithm>

#include "kernels/sampling/sampling_cuda.h"
#include "kernels/sampling/speculative_cpu.h"
#include "runner.h"
#include "sampling_scratch.h"

// Speculative sampling: device against the scalar CPU kernels, bit for bit.
namespace crossthink::gpu {
namespace {

using Scalar = simd::Scalar;

enum class Source { kLogits, kProbabilities, kCertain };

struct Settings {
  const char* name;
  void (*set)(Sampling*);
};
constexpr Settings kSettings[] = {
    {"plain", [](Sampling*) {}},
    {"greedy", [](Sampling* op) { op->temperature.scalar = 0; }},
    {"k 30, p 0.9",
     [](Sampling* op) { op->temperature.scalar = 0.8F, op->top_k.scalar = 30, op->top_p.scalar = 0.9F; }},
    {"min-p, capped", [](Sampling* op) { op->min_p.scalar = 0.05F, op->edits.softcap = 6; }},
};

// The keys of `rows` rows of each sequence, and how they are sampled.
struct Rows {
  std::vector<uint64_t> sequences;
  std::vector<int32_t> positions;

  Rows(size_t count, size_t rows) {
    for (size_t i = 0; i < count * rows; ++i) {
      sequences.push_back(i / rows * 3);
      positions.push_back(static_cast<int32_t>(i % rows));
    }
  }
  Sampling Of(const Settings& settings, const Logits& logits) const {
    Sampling op;
    op.logits = logits;
    op.temperature.scalar = 1;
    op.steps = kPlainSteps;
    op.step_count = sizeof(kPlainSteps);
    op.seed = 77;
    op.sequences = sequences.data();
    op.positions = positions.data();
    settings.set(&op);
    return op;
  }
};

template <class E>
void CheckCase(DType type, const Shape& shape, size_t drafts, Kind kind, const Settings& settings, Source source,
               std::mt19937* random, Tally* tally) {
  using T = typename E::T;
  const size_t sequences = shape.rows;
  const size_t rows = sequences * (drafts + 1);
  const Shape target_shape = {rows, shape.vocab, shape.stride};
  const Shape draft_shape = {sequences * drafts, shape.vocab, shape.stride};
  const std::vector<T> x = RandomLogits<E>(target_shape, kind, random);
  // Half of the draft rows are the target's: drafts are accepted, rejected and of no chance at all.
  std::vector<T> y = RandomLogits<E>(draft_shape, kind, random);
  for (size_t i = 0; i < draft_shape.rows; i += 2) {
    const size_t row = i / drafts * (drafts + 1) + i % drafts;
    std::copy_n(x.begin() + static_cast<ptrdiff_t>(row * shape.stride), shape.stride,
                y.begin() + static_cast<ptrdiff_t>(i * shape.stride));
  }
  std::vector<int32_t> draft_tokens(sequences * drafts);
  for (int32_t& token : draft_tokens)
    token = static_cast<int32_t>((*random)() % (shape.vocab + 1)) - ((*random)() % 9 == 0);
  std::vector<float> probabilities(sequences * drafts * shape.vocab);
  for (float& q : probabilities) q = static_cast<float>((*random)() % 100) / 50.0F / static_cast<float>(shape.vocab);

  const Rows target_rows(sequences, drafts + 1), draft_rows(sequences, drafts);
  std::vector<int32_t> tokens(rows), accepted(sequences);
  std::vector<float> logprob(rows), raw(rows);
  std::vector<uint8_t> row_status(rows), status(sequences);
  SpeculativeChain op;
  op.target = target_rows.Of(settings, {x.data(), type, rows, shape.vocab, shape.stride});
  op.target.tokens = tokens.data();
  op.target.logprob = logprob.data();
  op.target.raw_logprob = raw.data();
  op.target.status = row_status.data();
  op.sequences = sequences;
  op.drafts = drafts;
  op.draft_tokens = draft_tokens.data();
  Sampling draft = draft_rows.Of(settings, {y.data(), type, sequences * drafts, shape.vocab, shape.stride});
  if (source == Source::kLogits) op.draft = &draft;
  if (source == Source::kProbabilities) op.draft_probabilities = probabilities.data();
  op.accepted = accepted.data();
  op.status = status.data();
  HostScratch target_scratch(shape.vocab), draft_scratch(shape.vocab);
  SpeculateRows<Scalar, E>(op, 0, sequences, &target_scratch.view, &draft_scratch.view);

  const DeviceArray<T> device_x(x), device_y(y);
  const DeviceArray<uint64_t> target_ids(target_rows.sequences), draft_ids(draft_rows.sequences);
  const DeviceArray<int32_t> target_positions(target_rows.positions), draft_positions(draft_rows.positions),
      device_drafts(draft_tokens), device_tokens(rows), device_accepted(sequences);
  const DeviceArray<float> device_probabilities(probabilities), device_logprob(rows), device_raw(rows);
  const DeviceArray<uint8_t> device_row_status(rows), device_status(sequences);
  SpeculativeChain on_device = op;
  on_device.target.logits.data = device_x.get();
  on_device.target.sequences = target_ids.get();
  on_device.target.positions = target_positions.get();
  on_device.target.tokens = device_tokens.get();
  on_device.target.logprob = device_logprob.get();
  on_device.target.raw_logprob = device_raw.get();
  on_device.target.status = device_row_status.get();
  Sampling device_draft = draft;
  device_draft.logits.data = device_y.get();
  device_draft.sequences = draft_ids.get();
  device_draft.positions = draft_positions.get();
  on_device.draft_tokens = device_drafts.get();
  if (op.draft != nullptr) on_device.draft = &device_draft;
  if (op.draft_probabilities != nullptr) on_device.draft_probabilities = device_probabilities.get();
  on_device.accepted = device_accepted.get();
  on_device.status = device_status.get();
  const DeviceArray<char> workspace(cuda::SpeculativeWorkspace(on_device));
  constexpr const char* kSources[] = {"logits", "probabilities", "certain"};
  const std::string name =
      Name("chain", type, shape, kind) + ", " + settings.name + ", drafts by " + kSources[static_cast<size_t>(source)];
  ++tally->cases;
  Check(cuda::RunSpeculative(on_device, workspace.get(), nullptr), name.c_str());
  tally->Same(name + ", accepted", accepted, device_accepted.ToHost());
  tally->Same(name + ", tokens", tokens, device_tokens.ToHost());
  tally->Same(name + ", log-prob", logprob, device_logprob.ToHost());
  tally->Same(name + ", raw log-prob", raw, device_raw.ToHost());
  tally->Same(name + ", row status", row_status, device_row_status.ToHost());
  tally->Same(name + ", status", status, device_status.ToHost());
}

template <class E>
void CheckType(DType type, bool large, Tally* tally) {
  std::vector<Shape> shapes = {{4, 6, 8}, {2, 2300, 2304}};
  if (large) shapes.insert(shapes.end(), {{2, 128512, 128512}, {120, 3000, 3000}});
  std::mt19937 random(99 + static_cast<unsigned>(type));
  for (const Shape& shape : shapes) {
    for (const Kind kind : {Kind::kNormal, Kind::kTies, Kind::kBad}) {
      for (const Settings& settings : kSettings) {
        for (const Source source : {Source::kLogits, Source::kProbabilities, Source::kCertain}) {
          if (!large && shape.vocab > 100 && (kind != Kind::kNormal || type != DType::kFloat32)) continue;
          CheckCase<E>(type, shape, 2, kind, settings, source, &random, tally);
        }
      }
    }
  }
}

}  // namespace

void CheckSpeculation(bool large, Tally* tally) {
  CheckType<Float32Elements<Scalar>>(DType::kFloat32, large, tally);
  CheckType<Bfloat16Elements<Scalar>>(DType::kBfloat16, large, tally);
  CheckType<Float16Elements<Scalar>>(DType::kFloat16, large, tally);
}

}  // namespace crossthink::gpu
