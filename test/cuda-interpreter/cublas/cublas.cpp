// The four functions of cuBLAS that native/runtime/cuda/blas.cpp uses, as plain loops on the interpreter's device
// memory, which the host can reach. The work is done at once: the interpreter's streams run in order too.
#include <dlfcn.h>
#include <link.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

namespace {

constexpr int kSuccess = 0;
constexpr int kNotInitialized = 1;
constexpr int kInvalidValue = 7;
constexpr int kNotSupported = 15;
constexpr int kOpT = 1;
constexpr int kReal32 = 0;
constexpr int kRealBfloat16 = 14;
constexpr int kCompute32 = 68;
constexpr size_t kWorkspace = size_t{32} << 20;

struct Handle {
  bool has_workspace = false;
};

float At(const void* data, int type, size_t i) {
  if (type == kReal32) return static_cast<const float*>(data)[i];
  const auto bits = static_cast<uint32_t>(static_cast<const uint16_t*>(data)[i]) << 16;
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

using Mark = void (*)(const void*, size_t);

// The interpreters loaded in this process are told what was written: only the one that owns the memory listens.
void MarkWritten(const void* address, size_t bytes) {
  const auto tell = [](dl_phdr_info* info, size_t, void* data) {
    const bool program = info->dlpi_name[0] == '\0';  // The runner of test/gpu.
    if (!program && std::strstr(info->dlpi_name, "libcrossthink_cuda_") == nullptr) return 0;
    void* module = dlopen(program ? nullptr : info->dlpi_name, RTLD_NOW | RTLD_NOLOAD);
    if (module == nullptr) return 0;
    if (const auto mark = reinterpret_cast<Mark>(dlsym(module, "cuda_interpreter_mark_written"))) {
      const auto* range = static_cast<const std::pair<const void*, size_t>*>(data);
      mark(range->first, range->second);
    }
    dlclose(module);
    return 0;
  };
  std::pair<const void*, size_t> range = {address, bytes};
  dl_iterate_phdr(tell, &range);
}

}  // namespace

extern "C" {

int cublasCreate_v2(void** handle) {
  *handle = new Handle;
  return kSuccess;
}

int cublasSetStream_v2(void* handle, void*) {
  if (handle == nullptr) return kNotInitialized;
  static_cast<Handle*>(handle)->has_workspace = false;  // As the real one: a new stream has its default again.
  return kSuccess;
}

int cublasSetWorkspace_v2(void* handle, void* workspace, size_t bytes) {
  if (workspace == nullptr || reinterpret_cast<uintptr_t>(workspace) % 256 != 0 || bytes < kWorkspace) {
    return kInvalidValue;
  }
  std::memset(workspace, 0xA5, bytes);  // It is the library's to write: nothing of ours may lie there.
  static_cast<Handle*>(handle)->has_workspace = true;
  return kSuccess;
}

// Column-major C [m, n] = op(A) op(B) + beta C, sums in float32 in ascending order.
int cublasGemmEx(void* handle, int op_a, int op_b, int m, int n, int k, const void* alpha, const void* a, int a_type,
                 int lda, const void* b, int b_type, int ldb, const void* beta, void* c, int c_type, int ldc,
                 int compute, int) {
  if (!static_cast<Handle*>(handle)->has_workspace) return kNotInitialized;
  if (a_type != b_type || (a_type != kReal32 && a_type != kRealBfloat16) || c_type != kReal32 ||
      compute != kCompute32) {
    return kNotSupported;
  }
  if (m < 1 || n < 1 || k < 1 || lda < (op_a == kOpT ? k : m) || ldb < (op_b == kOpT ? n : k) || ldc < m) {
    return kInvalidValue;
  }
  const float scale = *static_cast<const float*>(alpha);
  const float keep = *static_cast<const float*>(beta);
  for (int j = 0; j < n; ++j) {
    float* column = static_cast<float*>(c) + static_cast<size_t>(j) * static_cast<size_t>(ldc);
    for (int i = 0; i < m; ++i) {
      float sum = 0;
      for (int p = 0; p < k; ++p) {
        const size_t a_at = op_a == kOpT ? static_cast<size_t>(i) * static_cast<size_t>(lda) + static_cast<size_t>(p)
                                         : static_cast<size_t>(p) * static_cast<size_t>(lda) + static_cast<size_t>(i);
        const size_t b_at = op_b == kOpT ? static_cast<size_t>(p) * static_cast<size_t>(ldb) + static_cast<size_t>(j)
                                         : static_cast<size_t>(j) * static_cast<size_t>(ldb) + static_cast<size_t>(p);
        sum += At(a, a_type, a_at) * At(b, b_type, b_at);
      }
      column[i] = scale * sum + (keep == 0 ? 0 : keep * column[i]);  // With beta 0 what was there is not read.
    }
    MarkWritten(column, static_cast<size_t>(m) * sizeof(float));
  }
  return kSuccess;
}

}  // extern "C"
