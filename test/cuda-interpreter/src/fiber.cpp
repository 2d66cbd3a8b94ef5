#include "fiber.h"

#include <sys/mman.h>

#include <cstdint>
#include <new>

#if !defined(__x86_64__)
#include <ucontext.h>

#include <memory>
#endif

namespace cuda_interpreter {
namespace {
constexpr size_t kGuardBytes = 4096;
}

StackPool::~StackPool() {
  if (base_ != nullptr) munmap(base_, count_ * bytes_each_);
}

void StackPool::Reserve(size_t count, size_t bytes_each) {
  if (count <= count_ && bytes_each == bytes_each_) return;
  if (base_ != nullptr) munmap(base_, count_ * bytes_each_);
  void* mapped =
      mmap(nullptr, count * bytes_each, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  base_ = static_cast<char*>(mapped);
  count_ = count;
  bytes_each_ = bytes_each;
  for (size_t i = 0; i < count; ++i) mprotect(Bottom(i), kGuardBytes, PROT_NONE);
}

#if defined(__x86_64__)

// Saves what the System V ABI wants preserved: rbx, rbp, r12-r15 and the floating-point control words. No signal mask,
// which is what makes swapcontext ten times slower.
extern "C" void cuda_interpreter_switch(FiberContext* from, FiberContext to);
asm(R"(
.text
.type cuda_interpreter_switch,@function
cuda_interpreter_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  subq $8, %rsp
  stmxcsr (%rsp)
  fnstcw 4(%rsp)
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  ldmxcsr (%rsp)
  fldcw 4(%rsp)
  addq $8, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size cuda_interpreter_switch,.-cuda_interpreter_switch
)");

FiberContext MakeFiber(char* bottom, size_t bytes, void (*entry)()) {
  // The stack as cuda_interpreter_switch leaves it: control words, six registers, return address; above them a null
  // return address for `entry`, so that the stack is aligned as after a call.
  struct Frame {
    uint32_t mxcsr = 0x1f80;  // Round to nearest, denormals kept, exceptions masked: IEEE, as nvcc -ftz=false.
    uint32_t x87_control = 0x37f;
    uint64_t registers[6] = {};
    void (*entry)() = nullptr;
    uint64_t no_caller = 0;
  };
  auto* frame = new (bottom + bytes - sizeof(Frame)) Frame;
  frame->entry = entry;
  return frame;
}

void SwitchFiber(FiberContext* from, FiberContext to) { cuda_interpreter_switch(from, to); }

#else

// Any other processor: ucontext. The contexts live for the whole process; there are as many as threads in a block.
FiberContext MakeFiber(char* bottom, size_t bytes, void (*entry)()) {
  // The lowest page of the stack is the guard page; the context sits at the top of the stack.
  auto* context = new (bottom + bytes - sizeof(ucontext_t)) ucontext_t;
  getcontext(context);
  context->uc_stack.ss_sp = bottom;
  context->uc_stack.ss_size = bytes - sizeof(ucontext_t);
  makecontext(context, entry, 0);
  return context;
}

void SwitchFiber(FiberContext* from, FiberContext to) {
  ucontext_t here;
  *from = &here;
  swapcontext(&here, static_cast<ucontext_t*>(to));
}

#endif

}  // namespace cuda_interpreter
