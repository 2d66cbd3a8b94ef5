#ifndef CUDA_INTERPRETER_CONTROL_H_
#define CUDA_INTERPRETER_CONTROL_H_

#include <string>
#include <vector>

// For test programs. Kernels and the backend see reports as cudaErrorLaunchFailure with the text of the first one.
namespace cuda_interpreter {

// Everything the interpreter found wrong since the start or the last ClearReports, in order; 200 are kept.
const std::vector<std::string>& Reports();
void ClearReports();

// True where the kernels were compiled with the checker's instrumentation.
bool Checked();

}  // namespace cuda_interpreter

#endif  // CUDA_INTERPRETER_CONTROL_H_
