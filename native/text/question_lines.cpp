#include <charconv>
#include <cstring>

#include "text/json_text.h"
#include "text/question_rows.h"
#include "text/sha256.h"

namespace crossthink {
namespace {

char* Append(char* out, std::string_view text) {
  std::memcpy(out, text.data(), text.size());
  return out + text.size();
}

void WriteHex(char* out, const uint8_t* bytes, size_t count) {
  static constexpr char kHex[] = "0123456789abcdef";
  for (size_t i = 0; i < count; i++) {
    *out++ = kHex[bytes[i] >> 4];
    *out++ = kHex[bytes[i] & 15];
  }
}

// No line is longer: every byte of a text can become six.
size_t LongestLine(const QuestionRows& batch, size_t row, size_t first) {
  const size_t options = static_cast<size_t>(batch.heads[row].options);
  const uint32_t begin = first == 0 ? 0 : batch.ends[first - 1];
  const size_t texts = batch.ends[first + QuestionRows::kOptions + 2 * options - 1] - begin;
  const QuestionProfile& p = (*batch.profiles)[static_cast<size_t>(batch.heads[row].profile)];
  return 6 * texts + p.head.size() + p.answer.size() + p.place_head.size() + p.place_tail.size() + 32 * options + 160;
}

// Ids in the making, some at a time: the messages that are hashed, and the two places of each digest.
class PendingIds {
 public:
  ~PendingIds() { Finish(); }

  std::string& Add(char* in_line, char* in_list) {
    if (count_ == kAtOnce) Finish();
    places_[count_] = {in_line, in_list};
    messages_[count_].clear();
    return messages_[count_++];
  }

 private:
  void Finish() {
    uint8_t digests[kAtOnce][32];
    Sha256::All(messages_, count_, digests);
    for (size_t i = 0; i < count_; i++) {
      WriteHex(places_[i].in_list, digests[i], kIdBytes / 2);
      std::memcpy(places_[i].in_line, places_[i].in_list, kIdBytes);
    }
    count_ = 0;
  }

  static constexpr size_t kAtOnce = 16;
  struct Places {
    char* in_line;
    char* in_list;
  };
  Places places_[kAtOnce] = {};
  std::string messages_[kAtOnce];
  size_t count_ = 0;
};

char* WriteLine(const QuestionRows& batch, size_t row, size_t first, char* out, char* id, PendingIds* ids) {
  const QuestionRows::Head& head = batch.heads[row];
  const QuestionProfile& profile = (*batch.profiles)[static_cast<size_t>(head.profile)];
  const auto text = [&](size_t i) { return batch.TextAt(first + i); };
  const size_t options = static_cast<size_t>(head.options);

  out = Append(out, "{\"id\":\"");
  char* const id_at = out;
  out = Append(out + kIdBytes, "\",");
  out = Append(out, profile.head);
  char* const question_at = out;
  out = WriteJsonText(out, text(QuestionRows::kQuestion));
  const std::string_view question(question_at, static_cast<size_t>(out - question_at));
  std::string option_key;
  if (options > 0) {
    out = Append(out, ",\"options\":[");
    for (size_t i = 0; i < options; i++) {
      out = Append(out, i == 0 ? "{\"label\":" : ",{\"label\":");
      char* const label_at = out;
      out = WriteJsonText(out, text(QuestionRows::kOptions + 2 * i));
      option_key.append(i == 0 ? "[" : ",[").append(label_at, out).append(",");
      out = Append(out, ",\"text\":");
      char* const text_at = out;
      out = WriteJsonText(out, text(QuestionRows::kOptions + 2 * i + 1));
      option_key.append(text_at, out).append("]");
      *out++ = '}';
    }
    *out++ = ']';
  }
  out = Append(out, profile.answer);
  const char* const value_at = out;
  out = WriteJsonText(out, text(QuestionRows::kValue));
  const std::string_view value(value_at, static_cast<size_t>(out - value_at));
  out = Append(out, text(QuestionRows::kAnswerTail));
  *out++ = '}';
  if (!text(QuestionRows::kPassRate).empty())
    out = Append(Append(out, ",\"passRate\":"), text(QuestionRows::kPassRate));
  out = Append(out, profile.place_head);
  out = std::to_chars(out, out + 11, head.row).ptr;
  out = Append(out, profile.place_tail);

  if (text(QuestionRows::kId).empty()) {
    std::string& message = ids->Add(id_at, id);
    message.append(profile.key_head).append(question).append(",[").append(option_key).append("]");
    message.append(profile.key_type).append(value).append("]");
  } else {
    std::memcpy(id, text(QuestionRows::kId).data(), kIdBytes);
    std::memcpy(id_at, id, kIdBytes);
  }
  return out;
}

}  // namespace

size_t WriteQuestionLines(const QuestionRows& batch, char* out, size_t capacity, uint32_t* line_ends, char* ids) {
  size_t used = 0;
  size_t first = 0;
  PendingIds pending;
  bool fits = true;
  for (size_t row = 0; row < batch.rows; row++) {
    const size_t room = LongestLine(batch, row, first);
    fits = fits && used + room <= capacity;
    if (!fits) {
      used += room;
    } else if ((batch.heads[row].flags & QuestionRows::kLineGiven) != 0) {
      std::memcpy(ids + row * kIdBytes, batch.TextAt(first).data(), kIdBytes);
      char* const end = Append(out + used, batch.TextAt(first + QuestionRows::kQuestion));
      *end = '\n';
      used = static_cast<size_t>(end + 1 - out);
    } else {
      char* const end = WriteLine(batch, row, first, out + used, ids + row * kIdBytes, &pending);
      *end = '\n';
      used = static_cast<size_t>(end + 1 - out);
    }
    line_ends[row] = static_cast<uint32_t>(used);
    first += QuestionRows::kOptions + 2 * static_cast<size_t>(batch.heads[row].options);
  }
  return used;
}

}  // namespace crossthink
