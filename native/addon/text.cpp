// Batches of questions as lines, keys and Parquet. Private: lib/curation wraps it. Bounds are checked here.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "addon/addon.h"
#include "addon/arrays.h"
#include "text/duplicate_index.h"
#include "text/question_parquet.h"
#include "text/question_rows.h"

namespace crossthink::addon {
namespace {

size_t LengthOf(const Napi::CallbackInfo& info, size_t index) {
  return info[index].IsTypedArray() ? info[index].As<Napi::TypedArray>().ElementLength() : 0;
}

std::vector<QuestionProfile> ProfilesOf(Napi::Env env, const Napi::Array& texts) {
  constexpr uint32_t kFields = 7;
  if (texts.Length() % kFields != 0) throw Napi::RangeError::New(env, "profiles: seven texts each");
  std::vector<QuestionProfile> profiles(texts.Length() / kFields);
  const auto text = [&](size_t profile, uint32_t field) {
    return texts.Get(static_cast<uint32_t>(profile) * kFields + field).As<Napi::String>().Utf8Value();
  };
  for (size_t i = 0; i < profiles.size(); i++) {
    profiles[i] = {text(i, 0), text(i, 1), text(i, 2), text(i, 3), text(i, 4), text(i, 5), text(i, 6)};
  }
  return profiles;
}

// Nothing below may read outside of the arena.
void CheckRows(Napi::Env env, const QuestionRows& batch, size_t texts, size_t arena) {
  const bool ordered = std::is_sorted(batch.ends, batch.ends + texts) && (texts == 0 || batch.ends[texts - 1] <= arena);
  size_t first = 0;
  for (size_t row = 0; ordered && row < batch.rows; row++) {
    const QuestionRows::Head& head = batch.heads[row];
    const size_t next = first + QuestionRows::kOptions + 2 * static_cast<size_t>(std::max(head.options, 0));
    if (head.options < 0 || head.profile < 0 || static_cast<size_t>(head.profile) >= batch.profiles->size() ||
        next > texts) {
      throw Napi::RangeError::New(env, "heads: out of bounds");
    }
    const size_t id = batch.TextAt(first).size();
    if (id != kIdBytes && (id != 0 || (head.flags & QuestionRows::kLineGiven) != 0)) {
      throw Napi::RangeError::New(env, "ids: 32 hexadecimal digits each");
    }
    first = next;
  }
  if (!ordered || first != texts) throw Napi::RangeError::New(env, "ends: not those of the texts");
}

// (arena, ends, texts, heads, rows, profiles, out, lineEnds, ids, keys | undefined, signatures | undefined, size,
//  shingle) Returns the bytes needed in `out`.
Napi::Value EncodeQuestions(const Napi::CallbackInfo& info) {
  const size_t texts = SizeOf(info, 2);
  const size_t rows = SizeOf(info, 4);
  const std::vector<QuestionProfile> profiles = ProfilesOf(info.Env(), info[5].As<Napi::Array>());
  const QuestionRows batch{ArrayOf<char>(info, 0, 0, "arena"), ArrayOf<uint32_t>(info, 1, texts, "ends"),
                           reinterpret_cast<const QuestionRows::Head*>(ArrayOf<int32_t>(info, 3, 4 * rows, "heads")),
                           rows, &profiles};
  CheckRows(info.Env(), batch, texts, LengthOf(info, 0));
  const size_t capacity = LengthOf(info, 6);
  const size_t needed =
      WriteQuestionLines(batch, ArrayOf<char>(info, 6, 0, "out"), capacity,
                         ArrayOf<uint32_t>(info, 7, rows, "lineEnds"), ArrayOf<char>(info, 8, rows * kIdBytes, "ids"));
  if (uint8_t* keys = ArrayOf<uint8_t>(info, 9, rows * kKeyBytes, "keys"); keys != nullptr && needed <= capacity) {
    const MinHashSettings settings{SizeOf(info, 11), SizeOf(info, 12)};
    WriteDuplicateKeys(batch, keys, ArrayOf<uint8_t>(info, 10, rows * settings.size, "signatures"), settings);
  }
  return Napi::Number::New(info.Env(), static_cast<double>(needed));
}

int HexDigit(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

class DuplicateIndexObject : public Napi::ObjectWrap<DuplicateIndexObject> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "DuplicateIndex", {InstanceMethod<&DuplicateIndexObject::Add>("add")});
  }
  // new DuplicateIndex(bands, rows, threshold)
  explicit DuplicateIndexObject(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<DuplicateIndexObject>(info), index_(SizeOf(info, 0), SizeOf(info, 1), NumberOf(info, 2)) {}

 private:
  // (count, keys, ids, signatures | undefined, matches, firstIds, similarities)
  void Add(const Napi::CallbackInfo& info) {
    const size_t count = SizeOf(info, 0);
    const uint8_t* const keys = ArrayOf<uint8_t>(info, 1, count * kKeyBytes, "keys");
    const char* const ids = ArrayOf<char>(info, 2, count * kIdBytes, "ids");
    const size_t bytes = index_.SignatureBytes();
    const uint8_t* const signatures = ArrayOf<uint8_t>(info, 3, count * bytes, "signatures");
    if (bytes > 0 && count > 0 && signatures == nullptr) throw Napi::TypeError::New(info.Env(), "signatures: needed");
    uint8_t* const matches = ArrayOf<uint8_t>(info, 4, count, "matches");
    char* const first = ArrayOf<char>(info, 5, count * kIdBytes, "firstIds");
    double* const similarities = ArrayOf<double>(info, 6, count, "similarities");
    for (size_t i = 0; i < count; i++) {
      uint8_t id[kIdBytes / 2];
      uint8_t first_id[kIdBytes / 2] = {};
      for (size_t b = 0; b < sizeof(id); b++) {
        const char* const digits = ids + i * kIdBytes + 2 * b;
        id[b] = static_cast<uint8_t>(HexDigit(digits[0]) << 4 | HexDigit(digits[1]));
      }
      matches[i] = static_cast<uint8_t>(
          index_.Add(keys + i * kKeyBytes, id, signatures + i * bytes, first_id, similarities + i));
      for (size_t b = 0; b < sizeof(id); b++) {
        first[i * kIdBytes + 2 * b] = "0123456789abcdef"[first_id[b] >> 4];
        first[i * kIdBytes + 2 * b + 1] = "0123456789abcdef"[first_id[b] & 15];
      }
    }
  }

  DuplicateIndex index_;
};

class QuestionParquetObject : public Napi::ObjectWrap<QuestionParquetObject> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "QuestionParquet",
                       {InstanceMethod<&QuestionParquetObject::Append>("append"),
                        InstanceMethod<&QuestionParquetObject::Finish>("finish"),
                        InstanceMethod<&QuestionParquetObject::Take>("take")});
  }
  // new QuestionParquet(createdBy)
  explicit QuestionParquetObject(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<QuestionParquetObject>(info), parquet_(info[0].As<Napi::String>().Utf8Value()) {}

 private:
  // (lines) Returns the bytes waiting to be taken.
  Napi::Value Append(const Napi::CallbackInfo& info) {
    const char* const lines = ArrayOf<char>(info, 0, 0, "lines");
    if (!parquet_.Append({lines, LengthOf(info, 0)})) throw Napi::Error::New(info.Env(), parquet_.error());
    return Waiting(info);
  }
  Napi::Value Finish(const Napi::CallbackInfo& info) {
    parquet_.Finish();
    return Waiting(info);
  }
  // (out): exactly as long as what is waiting.
  void Take(const Napi::CallbackInfo& info) {
    const std::string& bytes = parquet_.file().output();
    std::copy(bytes.begin(), bytes.end(), ArrayOf<char>(info, 0, bytes.size(), "out"));
    parquet_.file().Taken();
  }
  Napi::Value Waiting(const Napi::CallbackInfo& info) {
    return Napi::Number::New(info.Env(), static_cast<double>(parquet_.file().output().size()));
  }

  QuestionParquet parquet_;
};

}  // namespace

void RegisterText(Napi::Env env, Napi::Object exports) {
  Export<EncodeQuestions>(env, exports, "encodeQuestions");
  exports["DuplicateIndex"] = DuplicateIndexObject::Define(env);
  exports["QuestionParquet"] = QuestionParquetObject::Define(env);
}

}  // namespace crossthink::addon
