// Batches of questions as lines, keys and Parquet. Private: lib/curation wraps it. Bounds are checked here.
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "addon/addon.h"
#include "addon/arrays.h"
#include "addon/async.h"
#include "text/duplicate_index.h"
#include "text/plain_rows.h"
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
//  shingle, needed) Returns a promise of whether `out` was large enough; `needed` gets the bytes of it.
Napi::Value EncodeQuestions(const Napi::CallbackInfo& info) {
  const size_t texts = SizeOf(info, 2);
  const size_t rows = SizeOf(info, 4);
  const auto profiles =
      std::make_shared<const std::vector<QuestionProfile>>(ProfilesOf(info.Env(), info[5].As<Napi::Array>()));
  const QuestionRows batch{ArrayOf<char>(info, 0, 0, "arena"), ArrayOf<uint32_t>(info, 1, texts, "ends"),
                           reinterpret_cast<const QuestionRows::Head*>(ArrayOf<int32_t>(info, 3, 4 * rows, "heads")),
                           rows, profiles.get()};
  CheckRows(info.Env(), batch, texts, LengthOf(info, 0));
  const size_t capacity = LengthOf(info, 6);
  char* const out = ArrayOf<char>(info, 6, 0, "out");
  uint32_t* const line_ends = ArrayOf<uint32_t>(info, 7, rows, "lineEnds");
  char* const ids = ArrayOf<char>(info, 8, rows * kIdBytes, "ids");
  uint8_t* const keys = ArrayOf<uint8_t>(info, 9, rows * kKeyBytes, "keys");
  const MinHashSettings settings{SizeOf(info, 11), SizeOf(info, 12)};
  uint8_t* const signatures =
      keys == nullptr ? nullptr : ArrayOf<uint8_t>(info, 10, rows * settings.size, "signatures");
  double* const needed = ArrayOf<double>(info, 13, 1, "needed");
  const auto work = [=](const std::atomic<int32_t>&) {
    QuestionRows owned = batch;
    owned.profiles = profiles.get();  // They live as long as the work does.
    const size_t bytes = WriteQuestionLines(owned, out, capacity, line_ends, ids);
    *needed = static_cast<double>(bytes);
    if (bytes > capacity) return false;
    if (keys != nullptr) WriteDuplicateKeys(owned, keys, signatures, settings);
    return true;
  };
  std::vector<Napi::Value> buffers;
  for (const size_t i : {0, 1, 3, 6, 7, 8, 9, 10, 13}) {
    if (info[i].IsTypedArray()) buffers.push_back(info[i]);
  }
  return StartAsync(info.Env(), work, info.Env().Undefined(), buffers);
}

// (block, counts): `counts` gets lines and rows.
void CountBlockLines(const Napi::CallbackInfo& info) {
  const LineCount count = CountLines({ArrayOf<char>(info, 0, 0, "block"), LengthOf(info, 0)});
  uint32_t* const counts = ArrayOf<uint32_t>(info, 1, 2, "counts");
  counts[0] = static_cast<uint32_t>(count.lines);
  counts[1] = static_cast<uint32_t>(count.rows);
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

// Writes to an open file, from front to back.
void WriteTo(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw std::system_error(errno, std::generic_category(), "cannot write Parquet");
    bytes.remove_prefix(static_cast<size_t>(written));
  }
}

class QuestionParquetObject : public Napi::ObjectWrap<QuestionParquetObject> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "QuestionParquet",
                       {InstanceMethod<&QuestionParquetObject::Append>("append"),
                        InstanceMethod<&QuestionParquetObject::Fault>("fault"),
                        InstanceMethod<&QuestionParquetObject::Finish>("finish")});
  }
  // new QuestionParquet(createdBy, file): the descriptor of an open file, which stays open until `finish` is settled.
  explicit QuestionParquetObject(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<QuestionParquetObject>(info),
        parquet_(info[0].As<Napi::String>().Utf8Value(),
                 [file = static_cast<int>(SizeOf(info, 1))](std::string_view bytes) { WriteTo(file, bytes); }) {}

 private:
  // (lines) Returns a promise of whether all of them are questions; rejected where they cannot be written. Nothing else
  // may be asked of the object before it is settled.
  Napi::Value Append(const Napi::CallbackInfo& info) {
    const std::string_view lines(ArrayOf<char>(info, 0, 0, "lines"), LengthOf(info, 0));
    const auto work = [this, lines](const std::atomic<int32_t>&) { return parquet_.Append(lines); };
    return StartAsync(info.Env(), work, info.Env().Undefined(), {info.This(), info[0]});
  }
  // What was expected of a line.
  Napi::Value Fault(const Napi::CallbackInfo& info) { return Napi::String::New(info.Env(), parquet_.error()); }
  // Returns a promise: the file is whole.
  Napi::Value Finish(const Napi::CallbackInfo& info) {
    const auto work = [this](const std::atomic<int32_t>&) {
      parquet_.Finish();
      return true;
    };
    return StartAsync(info.Env(), work, info.Env().Undefined(), {info.This()});
  }

  QuestionParquet parquet_;
};

class PlainRowsObject : public Napi::ObjectWrap<PlainRowsObject> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(
        env, "PlainRows",
        {InstanceMethod<&PlainRowsObject::Learn>("learn"), InstanceMethod<&PlainRowsObject::Read>("read")});
  }
  // new PlainRows(question, answer, mark, subject, maxWords, ascii)
  explicit PlainRowsObject(const Napi::CallbackInfo& info)
      : Napi::ObjectWrap<PlainRowsObject>(info),
        rows_(
            {TextsOf(info, 0), TextsOf(info, 1), TextOf(info, 2), TextOf(info, 3), SizeOf(info, 4), FlagOf(info, 5)}) {}

 private:
  static std::string TextOf(const Napi::CallbackInfo& info, size_t index) {
    return info[index].As<Napi::String>().Utf8Value();
  }
  static std::vector<std::string> TextsOf(const Napi::CallbackInfo& info, size_t index) {
    const Napi::Array given = info[index].As<Napi::Array>();
    std::vector<std::string> texts(given.Length());
    for (uint32_t i = 0; i < given.Length(); i++) texts[i] = given.Get(i).As<Napi::String>().Utf8Value();
    return texts;
  }

  // (subject, integer, profile)
  void Learn(const Napi::CallbackInfo& info) {
    rows_.Learn(TextOf(info, 0), FlagOf(info, 1), info[2].As<Napi::Number>().Int32Value());
  }
  // (block, arena, ends, heads, state, lastRow): `state` is at, row, lines; used, texts, rows, largest.
  void Read(const Napi::CallbackInfo& info) {
    const std::string_view block(ArrayOf<char>(info, 0, 0, "block"), LengthOf(info, 0));
    uint32_t* const state = ArrayOf<uint32_t>(info, 4, 7, "state");
    PlainRows::Place place{state[0], static_cast<int32_t>(state[1]), static_cast<int32_t>(state[2])};
    PlainBatch batch{ArrayOf<char>(info, 1, state[3], "arena"),
                     ArrayOf<uint32_t>(info, 2, state[4], "ends"),
                     ArrayOf<int32_t>(info, 3, 4 * size_t{state[5]}, "heads"),
                     state[3],
                     state[4],
                     state[5],
                     state[6]};
    if (place.at > block.size() || LengthOf(info, 1) - batch.used < block.size() - place.at) return;
    const size_t room =
        std::min((LengthOf(info, 2) - batch.texts) / QuestionRows::kOptions, LengthOf(info, 3) / 4 - batch.rows);
    const double last = std::min(NumberOf(info, 5), place.row + static_cast<double>(room) - 1);
    rows_.Read(block, static_cast<int32_t>(std::min(last, 2147483647.0)), &place, &batch);
    state[0] = static_cast<uint32_t>(place.at);
    state[1] = static_cast<uint32_t>(place.row);
    state[2] = static_cast<uint32_t>(place.lines);
    state[3] = static_cast<uint32_t>(batch.used);
    state[4] = static_cast<uint32_t>(batch.texts);
    state[5] = static_cast<uint32_t>(batch.rows);
    state[6] = static_cast<uint32_t>(batch.largest);
  }

  PlainRows rows_;
};

}  // namespace

void RegisterText(Napi::Env env, Napi::Object exports) {
  Export<CountBlockLines>(env, exports, "countLines");
  Export<EncodeQuestions>(env, exports, "encodeQuestions");
  exports["DuplicateIndex"] = DuplicateIndexObject::Define(env);
  exports["PlainRows"] = PlainRowsObject::Define(env);
  exports["QuestionParquet"] = QuestionParquetObject::Define(env);
}

}  // namespace crossthink::addon
