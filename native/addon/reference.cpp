// The reference policy's face. Private: lib/training wraps it. Parameters, gradient and moments are arrays of the
// caller; shapes are checked in lib/training/policy.ts, bounds here.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "addon/addon.h"
#include "reference/policy.h"
#include "runtime/cpu.h"

namespace crossthink::addon {
namespace {

using reference::DecodeStep;
using reference::PackedBatch;
using reference::Policy;
using reference::PolicyConfig;
using reference::PolicyState;

class ReferencePolicy : public Napi::ObjectWrap<ReferencePolicy> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "ReferencePolicy",
                       {
                           InstanceMethod<&ReferencePolicy::Bind>("bind"),
                           InstanceMethod<&ReferencePolicy::Initialize>("initialize"),
                           InstanceMethod<&ReferencePolicy::Forward>("forward"),
                           InstanceMethod<&ReferencePolicy::Backward>("backward"),
                           InstanceMethod<&ReferencePolicy::Step>("step"),
                           InstanceMethod<&ReferencePolicy::ResetCache>("resetCache"),
                           InstanceMethod<&ReferencePolicy::ForkSlot>("forkSlot"),
                           InstanceMethod<&ReferencePolicy::Decode>("decode"),
                           InstanceAccessor<&ReferencePolicy::ParameterCount>("parameterCount"),
                       });
  }

  // new ReferencePolicy({ vocab, width, layers, heads, context, threads, isa? })
  explicit ReferencePolicy(const Napi::CallbackInfo& info) : Napi::ObjectWrap<ReferencePolicy>(info) {
    const auto options = info[0].As<Napi::Object>();
    const auto number = [&](const char* name) { return options.Get(name).As<Napi::Number>().Int32Value(); };
    const PolicyConfig config{number("vocab"), number("width"), number("layers"), number("heads"), number("context")};
    const bool fits = config.vocab > 0 && config.width > 0 && config.width % reference::kLaneCount == 0 &&
                      config.layers > 0 && config.heads > 0 && config.width % config.heads == 0 && config.context > 0;
    Check(fits, "config");
    Isa isa = ActiveIsa();
    if (const Napi::Value name = options.Get("isa"); name.IsString()) {
      const std::optional<Isa> wanted = ParseIsa(name.As<Napi::String>().Utf8Value());
      bool supported = false;
      for (Isa candidate : SupportedIsas()) supported = supported || candidate == wanted;
      Check(supported, "isa");
      isa = *wanted;
    }
    policy_ = std::make_unique<Policy>(config, isa, static_cast<unsigned>(number("threads")));
  }

 private:
  void Check(bool holds, const char* what) const {
    if (!holds) throw Napi::RangeError::New(Env(), std::string("ReferencePolicy: ") + what + " out of bounds");
  }

  Napi::Value ParameterCount(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<double>(policy_->layout().total));
  }

  // bind(parameters, gradient, firstMoment, secondMoment)
  void Bind(const Napi::CallbackInfo& info) {
    for (size_t i = 0; i < 4; i++) state_[i] = Napi::Persistent(info[i].As<Napi::Float32Array>());
  }

  PolicyState State() {
    float* part[4];
    for (size_t i = 0; i < 4; i++) {
      Check(!state_[i].IsEmpty(), "call to bind");
      Napi::Float32Array array = state_[i].Value();
      // Fewer after its buffer was transferred away.
      Check(array.ElementLength() == policy_->layout().total, "parameter array");
      part[i] = array.Data();
    }
    return {part[0], part[1], part[2], part[3]};
  }

  // initialize(seed)
  void Initialize(const Napi::CallbackInfo& info) {
    const FloatEnvironment environment;
    policy_->Initialize(static_cast<uint64_t>(info[0].As<Napi::Number>().Int64Value()), State().parameters);
  }

  // forward(tokens, cu, rows, logits)
  void Forward(const Napi::CallbackInfo& info) {
    const FloatEnvironment environment;
    const auto tokens = info[0].As<Napi::Int32Array>();
    const auto cu = info[1].As<Napi::Int32Array>();
    const auto rows = info[2].As<Napi::Int32Array>();
    auto logits = info[3].As<Napi::Float32Array>();
    const PolicyConfig& config = policy_->config();
    const size_t n = tokens.ElementLength();
    Check(cu.ElementLength() >= 2 && cu[0] == 0 && cu[cu.ElementLength() - 1] == static_cast<int64_t>(n), "cu");
    for (size_t i = 1; i < cu.ElementLength(); i++)
      Check(cu[i] > cu[i - 1] && cu[i] - cu[i - 1] <= config.context, "sequence length");
    for (size_t i = 0; i < n; i++) Check(tokens[i] >= 0 && tokens[i] < config.vocab, "token");
    for (size_t i = 0; i < rows.ElementLength(); i++)
      Check(rows[i] >= 0 && static_cast<size_t>(rows[i]) < n && (i == 0 || rows[i] > rows[i - 1]), "row");
    Check(logits.ElementLength() >= rows.ElementLength() * static_cast<size_t>(config.vocab), "logits");
    policy_->Forward(State(),
                     {tokens.Data(), cu.Data(), rows.Data(), static_cast<int>(cu.ElementLength() - 1),
                      static_cast<int>(rows.ElementLength())},
                     logits.Data());
  }

  // backward(dLogits)
  void Backward(const Napi::CallbackInfo& info) {
    const FloatEnvironment environment;
    const auto d_logits = info[0].As<Napi::Float32Array>();
    const size_t need = static_cast<size_t>(policy_->forward_rows()) * static_cast<size_t>(policy_->config().vocab);
    Check(policy_->has_forward() && d_logits.ElementLength() >= need, "dLogits");
    policy_->Backward(State(), d_logits.Data());
  }

  // step(learningRate, beta1, beta2, epsilon, weightDecay, clipNorm, step) -> gradient norm
  Napi::Value Step(const Napi::CallbackInfo& info) {
    const FloatEnvironment environment;
    const auto number = [&](size_t i) { return info[i].As<Napi::Number>().DoubleValue(); };
    const double norm = policy_->Step(
        State(), {number(0), number(1), number(2), number(3), number(4), number(5), static_cast<int>(number(6))});
    return Napi::Number::New(info.Env(), norm);
  }

  // resetCache(slots)
  void ResetCache(const Napi::CallbackInfo& info) {
    const int slots = info[0].As<Napi::Number>().Int32Value();
    Check(slots > 0, "slots");
    policy_->ResetCache(slots);
  }

  // forkSlot(from, to, length)
  void ForkSlot(const Napi::CallbackInfo& info) {
    const int from = info[0].As<Napi::Number>().Int32Value();
    const auto to = info[1].As<Napi::Int32Array>();
    const int length = info[2].As<Napi::Number>().Int32Value();
    Check(from >= 0 && from < policy_->cache_slots(), "slot");
    for (size_t i = 0; i < to.ElementLength(); i++) Check(to[i] >= 0 && to[i] < policy_->cache_slots(), "slot");
    Check(length > 0 && length <= policy_->config().context, "length");
    policy_->ForkSlot(from, to.Data(), static_cast<int>(to.ElementLength()), length);
  }

  // decode(tokens, slots, positions, outputs, count, logits): the first `count` of each array
  void Decode(const Napi::CallbackInfo& info) {
    const FloatEnvironment environment;
    const auto tokens = info[0].As<Napi::Int32Array>();
    const auto slots = info[1].As<Napi::Int32Array>();
    const auto positions = info[2].As<Napi::Int32Array>();
    const auto outputs = info[3].As<Napi::Int32Array>();
    const uint32_t count = info[4].As<Napi::Number>().Uint32Value();
    auto logits = info[5].As<Napi::Float32Array>();
    const PolicyConfig& config = policy_->config();
    Check(tokens.ElementLength() >= 3 * static_cast<size_t>(count) && slots.ElementLength() >= count &&
              positions.ElementLength() >= count && outputs.ElementLength() >= count,
          "count");
    const auto rows = static_cast<int64_t>(logits.ElementLength() / static_cast<size_t>(config.vocab));
    for (uint32_t i = 0; i < count; i++) {
      Check(tokens[3 * i] >= 0, "token");
      for (uint32_t j = 0; j < 3; j++) Check(tokens[3 * i + j] >= -1 && tokens[3 * i + j] < config.vocab, "token");
      Check(slots[i] >= 0 && slots[i] < policy_->cache_slots(), "slot");
      Check(positions[i] >= 0 && positions[i] < config.context, "position");
      Check(outputs[i] >= -1 && outputs[i] < rows, "output");
    }
    policy_->Decode(State(), {tokens.Data(), slots.Data(), positions.Data(), outputs.Data(), static_cast<int>(count)},
                    logits.Data());
  }

  std::unique_ptr<Policy> policy_;
  Napi::Reference<Napi::Float32Array> state_[4];
};

}  // namespace

void RegisterReference(Napi::Env env, Napi::Object exports) {
  exports["ReferencePolicy"] = ReferencePolicy::Define(env);
}

}  // namespace crossthink::addon
