#include "kernels/sampling/sampling_cpu.h"
#include "kernels/sampling/sampling_cuda.h"
#include "runner.h"
#include "sampling_scratch.h"

// Sampling with every option: device against the scalar CPU kernels, bit for bit.
namespace crossthink::gpu {
namespace {

using Scalar = simd::Scalar;

constexpr size_t kTop = 5;
constexpr size_t kSamples = 2;

constexpr uint8_t Code(SamplingStep step) { return static_cast<uint8_t>(step); }
constexpr uint8_t kDefaultOrder[] = {Code(SamplingStep::kTemperature), Code(SamplingStep::kTopNSigma),
                                     Code(SamplingStep::kTopK),        Code(SamplingStep::kTypicalP),
                                     Code(SamplingStep::kTopP),        Code(SamplingStep::kMinP),
                                     Code(SamplingStep::kXtc)};
constexpr uint8_t kTemperatureLast[] = {Code(SamplingStep::kTopNSigma),  Code(SamplingStep::kTopK),
                                        Code(SamplingStep::kTypicalP),   Code(SamplingStep::kTopPOfRow),
                                        Code(SamplingStep::kMinP),       Code(SamplingStep::kXtc),
                                        Code(SamplingStep::kTemperature)};

struct Settings {
  const char* name;
  void (*set)(Sampling*);
};
constexpr Settings kSettings[] = {
    {"outputs", [](Sampling*) {}},
    {"greedy", [](Sampling* op) { op->temperature.scalar = 0; }},
    {"min-p", [](Sampling* op) { op->min_p.scalar = 0.1F; }},
    {"typical", [](Sampling* op) { op->typical_p.scalar = 0.7F; }},
    {"sigma", [](Sampling* op) { op->top_n_sigma.scalar = 1.0F; }},
    {"xtc", [](Sampling* op) { op->xtc_probability.scalar = 0.7F, op->xtc_threshold.scalar = 0.01F; }},
    {"gumbel", [](Sampling* op) { op->gumbel = true, op->top_k.scalar = 30; }},
    {"gumbel of all", [](Sampling* op) { op->gumbel = true; }},
    {"ties",
     [](Sampling* op) {
       op->temperature.scalar = 0.7F, op->top_k.scalar = 40, op->top_p.scalar = 0.8F, op->keep_ties = true;
     }},
    {"all",
     [](Sampling* op) {
       op->temperature.scalar = 0.8F, op->top_k.scalar = 60, op->top_p.scalar = 0.9F, op->min_p.scalar = 0.01F;
       op->typical_p.scalar = 0.95F, op->top_n_sigma.scalar = 4.0F, op->inclusive_top_p = true;
     }},
};

// What was before the token, and what may come: the same for every case.
struct Lists {
  std::vector<int32_t> prompt = {1, 2, 3, 1, 2, 4, 0, 0};
  std::vector<int32_t> output = {3, 1, 2, 3, 1, 2, -1, 2000000};
  std::vector<int32_t> banned = {0, 2, 2};
  std::vector<int32_t> biased = {1, 3, 1};
  std::vector<float> bias = {0.5F, -1.0F, 0.25F};
  std::vector<int32_t> mask = std::vector<int32_t>(64, 0x7ffff7ff);
};

void SetEdits(const Lists& lists, LogitEdits* edits) {
  edits->softcap = 30;
  edits->bitmask = lists.mask.data();
  edits->mask_words = lists.mask.size();
  edits->banned = {lists.banned.data(), nullptr, lists.banned.size()};
  edits->bias_tokens = {lists.biased.data(), nullptr, lists.biased.size()};
  edits->bias = lists.bias.data();
  edits->prompt = {lists.prompt.data(), nullptr, lists.prompt.size()};
  edits->output = {lists.output.data(), nullptr, lists.output.size()};
  edits->repetition.scalar = 1.2F;
  edits->presence.scalar = 0.1F;
  edits->frequency.scalar = 0.3F;
  edits->no_repeat_ngram.scalar = 3;
  edits->dry_multiplier = 0.7F;
}

// Every array of the results, on the host or on the device.
template <template <class> class Array>
struct Results {
  explicit Results(size_t rows, size_t vocab)
      : tokens(rows * kSamples),
        rank(rows * kSamples),
        top_tokens(rows * kTop),
        kept(rows * vocab),
        sizes(rows),
        logprob(rows * kSamples),
        raw(rows * kSamples),
        entropy(rows),
        support(rows),
        top(rows * kTop),
        status(rows) {}

  void Enter(Sampling* op) {
    op->tokens = Pointer(tokens), op->rank = Pointer(rank), op->top_tokens = Pointer(top_tokens);
    op->logprob = Pointer(logprob), op->raw_logprob = Pointer(raw), op->entropy = Pointer(entropy);
    op->support_mass = Pointer(support), op->top_logprobs = Pointer(top), op->status = Pointer(status);
    op->kept_tokens = Pointer(kept), op->kept_sizes = Pointer(sizes);
    op->top_n = kTop, op->samples = kSamples;
  }

  Array<int32_t> tokens, rank, top_tokens, kept, sizes;
  Array<float> logprob, raw, entropy, support, top;
  Array<uint8_t> status;

 private:
  template <class T>
  static T* Pointer(std::vector<T>& array) {
    return array.data();
  }
  template <class T>
  static T* Pointer(DeviceArray<T>& array) {
    return array.get();
  }
};
template <class T>
using HostArray = std::vector<T>;

template <class E>
void CheckCase(DType type, const Shape& shape, Kind kind, const Settings& settings, bool edited, bool last,
               std::mt19937* random, Tally* tally) {
  const size_t rows = shape.rows;
  const std::vector<typename E::T> x = RandomLogits<E>(shape, kind, random);
  std::vector<uint64_t> sequences(rows);
  std::vector<int32_t> positions(rows);
  for (size_t i = 0; i < rows; ++i) {
    sequences[i] = (*random)();
    positions[i] = static_cast<int32_t>(i);
  }
  Sampling op;
  op.logits = {x.data(), type, rows, shape.vocab, shape.stride};
  op.temperature.scalar = 1.1F;
  op.steps = last ? kTemperatureLast : kDefaultOrder;
  op.step_count = sizeof(kDefaultOrder);
  op.seed = 2026;
  op.sequences = sequences.data();
  op.positions = positions.data();
  settings.set(&op);
  const Lists lists;
  if (edited) SetEdits(lists, &op.edits);
  Results<HostArray> expected(rows, shape.vocab);
  expected.Enter(&op);
  op.keep = [](void* context, size_t row, const uint32_t* ids, size_t size) {
    auto* results = static_cast<Results<HostArray>*>(context);
    std::copy(ids, ids + size,
              results->kept.begin() + static_cast<ptrdiff_t>(row * (results->kept.size() / results->sizes.size())));
    results->sizes[row] = static_cast<int32_t>(size);
  };
  op.keep_context = &expected;
  HostScratch scratch(shape.vocab);
  SampleRows<Scalar, E>(op, 0, rows, &scratch.view);

  Sampling on_device = op;
  const DeviceArray<typename E::T> device_x(x);
  const DeviceArray<uint64_t> device_sequences(sequences);
  const DeviceArray<int32_t> device_positions(positions), prompt(lists.prompt), output(lists.output),
      banned(lists.banned), biased(lists.biased), mask(lists.mask);
  const DeviceArray<float> bias(lists.bias);
  on_device.logits.data = device_x.get();
  on_device.sequences = device_sequences.get();
  on_device.positions = device_positions.get();
  if (edited) {
    LogitEdits& edits = on_device.edits;
    edits.bitmask = mask.get(), edits.banned.tokens = banned.get(), edits.bias_tokens.tokens = biased.get();
    edits.bias = bias.get(), edits.prompt.tokens = prompt.get(), edits.output.tokens = output.get();
  }
  Results<DeviceArray> results(rows, shape.vocab);
  results.Enter(&on_device);
  const DeviceArray<char> workspace(cuda::SamplingWorkspace(on_device));
  const std::string name = Name(settings.name, type, shape, kind) + (edited ? ", edited" : "") + (last ? ", last" : "");
  ++tally->cases;
  Check(cuda::RunSampling(on_device, workspace.get(), nullptr), name.c_str());
  tally->Same(name + ", tokens", expected.tokens, results.tokens.ToHost());
  tally->Same(name + ", log-prob", expected.logprob, results.logprob.ToHost());
  tally->Same(name + ", raw log-prob", expected.raw, results.raw.ToHost());
  tally->Same(name + ", rank", expected.rank, results.rank.ToHost());
  tally->Same(name + ", entropy", expected.entropy, results.entropy.ToHost());
  tally->Same(name + ", support", expected.support, results.support.ToHost());
  tally->Same(name + ", top tokens", expected.top_tokens, results.top_tokens.ToHost());
  tally->Same(name + ", top log-probs", expected.top, results.top.ToHost());
  tally->Same(name + ", status", expected.status, results.status.ToHost());
  tally->Same(name + ", kept sizes", expected.sizes, results.sizes.ToHost());
  std::vector<int32_t> kept = results.kept.ToHost();
  for (size_t row = 0; row < rows; ++row) {  // What lies past the kept tokens is undefined.
    const auto begin = kept.begin() + static_cast<ptrdiff_t>(row * shape.vocab);
    std::fill(begin + expected.sizes[row], begin + static_cast<ptrdiff_t>(shape.vocab), 0);
  }
  tally->Same(name + ", kept", expected.kept, kept);
}

template <class E>
void CheckType(DType type, bool large, Tally* tally) {
  std::vector<Shape> shapes = {{2, 5, 8}, {3, 2500, 2504}};
  if (large) shapes.insert(shapes.end(), {{1, 128512, 128512}, {300, 5000, 5000}});
  std::mt19937 random(77 + static_cast<unsigned>(type));
  for (const Shape& shape : shapes) {
    for (const Kind kind : {Kind::kNormal, Kind::kTies, Kind::kBad}) {
      for (const Settings& settings : kSettings) {
        const bool edited = random() % 2 == 0;
        CheckCase<E>(type, shape, kind, settings, edited, random() % 2 == 0, &random, tally);
      }
    }
  }
}

}  // namespace

void CheckWideSampling(bool large, Tally* tally) {
  CheckType<Float32Elements<Scalar>>(DType::kFloat32, large, tally);
  CheckType<Bfloat16Elements<Scalar>>(DType::kBfloat16, large, tally);
  CheckType<Float16Elements<Scalar>>(DType::kFloat16, large, tally);
}

}  // namespace crossthink::gpu
