#ifndef CUDA_INTERPRETER_TYPES_H_
#define CUDA_INTERPRETER_TYPES_H_

// CUDA's vector types: sizes, alignments and member names as in the CUDA C++ programming guide, "Built-in vector
// types".

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

struct uint3 {
  unsigned x, y, z;
};

#define CUDA_INTERPRETER_VECTOR_TYPES(name, T)                      \
  struct alignas(2 * sizeof(T)) name##2 {                           \
    T x, y;                                                         \
  };                                                                \
  struct alignas(sizeof(T) == 8 ? 16 : 4 * sizeof(T)) name##4 {     \
    T x, y, z, w;                                                   \
  };                                                                \
  static inline name##2 make_##name##2(T x, T y) { return {x, y}; } \
  static inline name##4 make_##name##4(T x, T y, T z, T w) { return {x, y, z, w}; }

CUDA_INTERPRETER_VECTOR_TYPES(int, int)
CUDA_INTERPRETER_VECTOR_TYPES(uint, unsigned)
CUDA_INTERPRETER_VECTOR_TYPES(float, float)
CUDA_INTERPRETER_VECTOR_TYPES(double, double)
CUDA_INTERPRETER_VECTOR_TYPES(ushort, unsigned short)
#undef CUDA_INTERPRETER_VECTOR_TYPES

struct alignas(16) ulonglong2 {
  unsigned long long x, y;
};

#endif  // CUDA_INTERPRETER_TYPES_H_
