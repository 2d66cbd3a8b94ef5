#ifndef CUDA_INTERPRETER_REPORT_H_
#define CUDA_INTERPRETER_REPORT_H_

#include <source_location>
#include <string>

namespace cuda_interpreter {

// Records a finding; the running kernel, block and thread are put in front. The first twenty are printed on stderr
// unless CUDA_INTERPRETER_QUIET is set.
void Report(const std::string& message);

// printf into a string.
std::string Format(const char* format, ...) __attribute__((format(printf, 1, 2)));

// "function at file:line" of a code address where addr2line is installed and the code has debug information; else
// "module+offset".
std::string Describe(const void* code_address);
std::string Describe(const std::source_location& site);
// The function's name alone, for a kernel's entry point.
std::string FunctionName(const void* code_address);

}  // namespace cuda_interpreter

#endif  // CUDA_INTERPRETER_REPORT_H_
