#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "kernels/minhash/minhash.h"
#include "text/question_rows.h"
#include "text/sha256.h"

namespace crossthink {
namespace {

// Stems shorter than this count with their options: lib/filters/normalise.ts.
constexpr size_t kShortStem = 40;

// Letters and digits in lower case, words separated by one space: `normalised` of lib/filters/normalise.ts for ASCII.
void AppendNormalised(std::string_view text, std::string* out) {
  const size_t start = out->size();
  bool space = false;
  for (const char c : text) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    if ((lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9')) {
      if (space && out->size() > start) out->push_back(' ');
      space = false;
      out->push_back(lower);
    } else {
      space = true;
    }
  }
}

void DuplicateText(const QuestionRows& batch, size_t first, size_t options, std::string* out) {
  out->clear();
  AppendNormalised(batch.TextAt(first + QuestionRows::kQuestion), out);
  if (options == 0 || out->size() >= kShortStem) return;
  std::vector<std::string> texts(options);
  for (size_t i = 0; i < options; i++) {
    AppendNormalised(batch.TextAt(first + QuestionRows::kOptions + 2 * i + 1), &texts[i]);
  }
  std::sort(texts.begin(), texts.end());
  for (const std::string& text : texts) out->append(" | ").append(text);
}

}  // namespace

void WriteDuplicateKeys(const QuestionRows& batch, uint8_t* keys, uint8_t* signatures,
                        const MinHashSettings& settings) {
  MinHash minhash(settings.size, settings.shingle);
  std::string made;
  size_t first = 0;
  for (size_t row = 0; row < batch.rows; row++) {
    const QuestionRows::Head& head = batch.heads[row];
    const size_t options = static_cast<size_t>(head.options);
    std::string_view text = batch.TextAt(first + QuestionRows::kDuplicateText);
    if ((head.flags & QuestionRows::kDuplicateTextGiven) == 0) {
      DuplicateText(batch, first, options, &made);
      text = made;
    }
    Sha256 hash;
    hash.Update((*batch.profiles)[static_cast<size_t>(head.profile)].form);
    hash.Update(std::string_view("\0", 1));
    hash.Update(text);
    uint8_t digest[32];
    hash.Finish(digest);
    std::memcpy(keys + row * kKeyBytes, digest, kKeyBytes);
    if (signatures != nullptr) minhash.Sign(text, signatures + row * settings.size);
    first += QuestionRows::kOptions + 2 * options;
  }
}

}  // namespace crossthink
