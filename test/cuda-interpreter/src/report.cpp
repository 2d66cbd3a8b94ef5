#include "report.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string_view>
#include <vector>

#include "block.h"
#include "interpreter/control.h"

namespace cuda_interpreter {
namespace {

constexpr size_t kPrinted = 20;
constexpr size_t kKept = 200;

std::vector<std::string>& Store() {
  static std::vector<std::string> reports;
  return reports;
}

std::string WhereNow() {
  if (running == nullptr) return "";
  std::string where = FunctionName(running->launch().kernel);
  if (self == nullptr) return where + ": ";
  return where + Format(", block (%u,%u,%u), thread %u: ", blockIdx.x, blockIdx.y, blockIdx.z, self->linear);
}

struct SourcePlace {
  std::string function;
  std::string line;
};

// Asks addr2line once per address: reports are rare, so a child process for each is affordable.
const SourcePlace& Lookup(const void* code_address) {
  static std::map<const void*, SourcePlace> known;
  auto [entry, is_new] = known.try_emplace(code_address);
  SourcePlace& place = entry->second;
  if (!is_new) return place;
  Dl_info info{};
  if (dladdr(code_address, &info) == 0 || info.dli_fname == nullptr) return place = {Format("%p", code_address), ""};
  const auto offset = reinterpret_cast<uintptr_t>(code_address) - reinterpret_cast<uintptr_t>(info.dli_fbase);
  const std::string command =
      Format("addr2line -Cfse '%s' 0x%lx 2>/dev/null", info.dli_fname, static_cast<unsigned long>(offset));
  if (FILE* pipe = popen(command.c_str(), "r"); pipe != nullptr) {
    std::array<char, 512> line{};
    for (std::string* part : {&place.function, &place.line}) {
      if (std::fgets(line.data(), line.size(), pipe) != nullptr) *part = line.data();
      part->resize(std::min({part->size(), part->find('\n'), part->find(" (discriminator")}));
    }
    pclose(pipe);
  }
  if (place.function.empty() || place.function == "??") {
    const std::string_view file = info.dli_fname;
    place = {std::string(file.substr(file.rfind('/') + 1)) + Format("+0x%lx", static_cast<unsigned long>(offset)), ""};
  }
  return place;
}

// "void a::b::Kernel<X>(int)" as "Kernel": the whole name of a template can fill a screen.
std::string ShortName(const std::string& function) {
  std::string name;
  int depth = 0;
  for (const char c : function) {
    if (c == '<' || c == '(' || c == '{') ++depth;
    if (depth == 0) name += c;
    if (c == '>' || c == ')' || c == '}') --depth;
  }
  const size_t last = name.find_last_of(": ");
  return last == std::string::npos || last + 1 == name.size() ? name : name.substr(last + 1);
}

}  // namespace

std::string Format(const char* format, ...) {
  std::array<char, 1024> text{};
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(text.data(), text.size(), format, arguments);
  va_end(arguments);
  return text.data();
}

void Report(const std::string& message) {
  std::vector<std::string>& reports = Store();
  if (reports.size() >= kKept) return;
  reports.push_back(WhereNow() + message);
  if (reports.size() <= kPrinted && std::getenv("CUDA_INTERPRETER_QUIET") == nullptr) {
    std::fprintf(stderr, "cuda-interpreter: %s\n", reports.back().c_str());
  }
}

std::string Describe(const void* code_address) {
  const SourcePlace& place = Lookup(code_address);
  const bool has_line = !place.line.empty() && !place.line.starts_with("??");
  return has_line ? ShortName(place.function) + " at " + place.line : ShortName(place.function);
}

std::string Describe(const std::source_location& site) {
  const std::string_view file = site.file_name();
  return std::string(file.substr(file.rfind('/') + 1)) + ":" + std::to_string(site.line());
}

std::string FunctionName(const void* code_address) { return ShortName(Lookup(code_address).function); }

const std::vector<std::string>& Reports() { return Store(); }
void ClearReports() { Store().clear(); }

}  // namespace cuda_interpreter
