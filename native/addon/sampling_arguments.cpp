#include "addon/sampling_arguments.h"

namespace crossthink::addon {
namespace {

void Keep(void* context, size_t row, const uint32_t* ids, size_t size) {
  (*static_cast<KeptSets*>(context))[row].assign(ids, ids + size);
}

}  // namespace

Sampling ReadSampling(Arguments* in) {
  Sampling op;
  op.logits = in->ReadLogits();
  const size_t rows = op.logits.rows;
  const double* settings = in->Array<double>(17, "settings");
  op.temperature = in->ReadRowFloat(settings[0], rows, "temperature");
  op.top_k = in->ReadRowInt(settings[1], rows, "topK");
  op.top_p = in->ReadRowFloat(settings[2], rows, "topP");
  op.min_p = in->ReadRowFloat(settings[3], rows, "minP");
  op.typical_p = in->ReadRowFloat(settings[4], rows, "typicalP");
  op.top_n_sigma = in->ReadRowFloat(settings[5], rows, "topNSigma");
  op.xtc_probability = in->ReadRowFloat(settings[6], rows, "xtc.probability");
  op.xtc_threshold.scalar = static_cast<float>(settings[7]);
  op.inclusive_top_p = settings[8] != 0;
  op.gumbel = settings[9] != 0;
  op.keep_ties = settings[16] != 0;
  op.steps = in->Array<uint8_t>(&op.step_count, "steps");

  LogitEdits& edits = op.edits;
  edits.softcap = static_cast<float>(settings[10]);
  size_t mask_length = 0;
  edits.bitmask = in->Array<int32_t>(&mask_length, "bitmask");
  edits.mask_per_row = in->Flag();
  edits.mask_words = edits.mask_per_row && rows != 0 ? mask_length / rows : mask_length;
  edits.banned = in->ReadLists(rows, "bannedTokens");
  edits.stop = in->ReadLists(rows, "stopTokens");
  edits.min_tokens = in->ReadRowInt(settings[11], rows, "minTokens");
  edits.bias_tokens = in->ReadLists(rows, "logitBias");
  edits.bias = in->Array<float>(edits.bias_tokens.length, "logitBias");
  edits.prompt = in->ReadLists(rows, "history.prompt");
  edits.output = in->ReadLists(rows, "history.output");
  edits.repetition = in->ReadRowFloat(settings[12], rows, "repetitionPenalty");
  edits.presence = in->ReadRowFloat(settings[13], rows, "presencePenalty");
  edits.frequency = in->ReadRowFloat(settings[14], rows, "frequencyPenalty");
  edits.no_repeat_ngram = in->ReadRowInt(settings[15], rows, "noRepeatNgram");
  const double* dry = in->Array<double>(3, "dry");
  edits.dry_multiplier = static_cast<float>(dry[0]);
  edits.dry_base = static_cast<float>(dry[1]);
  edits.dry_allowed = static_cast<int32_t>(dry[2]);
  edits.dry_breakers = in->ReadLists(rows, "dry.breakers");

  op.seed = in->Uint64();
  op.sequences = in->Array<uint64_t>(rows, "sequences");
  op.positions = in->Array<int32_t>(rows, "positions");
  op.sample = static_cast<uint32_t>(in->Size());
  op.samples = in->Size();

  const size_t drawn = rows * op.samples;
  op.status = in->Array<uint8_t>(rows, "status");
  op.tokens = in->Array<int32_t>(drawn, "tokens");
  op.logprob = in->Array<float>(drawn, "logprobs");
  op.raw_logprob = in->Array<float>(drawn, "rawLogprobs");
  op.rank = in->Array<int32_t>(drawn, "ranks");
  op.entropy = in->Array<float>(rows, "entropy");
  op.support_mass = in->Array<float>(rows, "supportMass");
  op.top_n = in->Size();
  op.top_tokens = in->Array<int32_t>(rows * op.top_n, "topTokens");
  op.top_logprobs = in->Array<float>(rows * op.top_n, "topLogprobs");
  op.chosen = in->ReadLists(rows, "logprobTokens");
  op.chosen_logprobs =
      in->Array<float>(op.chosen.offsets != nullptr ? op.chosen.length : rows * op.chosen.length, "chosenLogprobs");
  if (const Napi::Value kept = in->Any(); !kept.IsUndefined()) {
    auto* sets = kept.As<Napi::External<KeptSets>>().Data();
    sets->assign(rows, {});
    op.keep = Keep;
    op.keep_context = sets;
  }
  return op;
}

}  // namespace crossthink::addon
