#ifndef CUDA_INTERPRETER_ATOMICS_H_
#define CUDA_INTERPRETER_ATOMICS_H_

// CUDA's atomic functions. Blocks and threads of a launch run one after another on one OS thread, so a plain
// read-modify-write is atomic; what matters is that the checker hears of it.

namespace cuda_interpreter {

// Tells the checker of a read-modify-write, lets other threads run now and then so that spinning makes progress, and
// reads the old value.
void BeginAtomic(void* address, void* old, unsigned long size, const void* caller);
void EndAtomic(void* address, const void* value, unsigned long size);

template <class T, class Update>
T Atomic(T* address, Update update, const void* caller) {
  T old;
  BeginAtomic(address, &old, sizeof(T), caller);
  const T value = update(old);
  EndAtomic(address, &value, sizeof(T));
  return old;
}

}  // namespace cuda_interpreter

// noinline: the return address is then the place in the kernel.
#define CUDA_INTERPRETER_ATOMIC(name, T, expression)                                       \
  __attribute__((noinline)) static T name(T* address, T value) {                           \
    return ::cuda_interpreter::Atomic(                                                     \
        address, [value](T old) -> T { return expression; }, __builtin_return_address(0)); \
  }
#define CUDA_INTERPRETER_INTEGER_ATOMICS(T)                                                                        \
  CUDA_INTERPRETER_ATOMIC(atomicAdd, T, old + value)                                                               \
  CUDA_INTERPRETER_ATOMIC(atomicExch, T, (static_cast<void>(old), value))                                          \
  CUDA_INTERPRETER_ATOMIC(atomicMin, T, value < old ? value : old)                                                 \
  CUDA_INTERPRETER_ATOMIC(atomicMax, T, value > old ? value : old)                                                 \
  CUDA_INTERPRETER_ATOMIC(atomicAnd, T, old& value)                                                                \
  CUDA_INTERPRETER_ATOMIC(atomicOr, T, old | value)                                                                \
  CUDA_INTERPRETER_ATOMIC(atomicXor, T, old ^ value)                                                               \
  __attribute__((noinline)) static T atomicCAS(T* address, T expected, T value) {                                  \
    return ::cuda_interpreter::Atomic(                                                                             \
        address, [expected, value](T old) { return old == expected ? value : old; }, __builtin_return_address(0)); \
  }

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
CUDA_INTERPRETER_INTEGER_ATOMICS(int)
CUDA_INTERPRETER_INTEGER_ATOMICS(unsigned)
CUDA_INTERPRETER_INTEGER_ATOMICS(unsigned long long)
CUDA_INTERPRETER_ATOMIC(atomicInc, unsigned, old >= value ? 0U : old + 1)
CUDA_INTERPRETER_ATOMIC(atomicAdd, float, old + value)
CUDA_INTERPRETER_ATOMIC(atomicAdd, double, old + value)
#pragma GCC diagnostic pop
#undef CUDA_INTERPRETER_INTEGER_ATOMICS
#undef CUDA_INTERPRETER_ATOMIC

#endif  // CUDA_INTERPRETER_ATOMICS_H_
