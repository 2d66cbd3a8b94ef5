# libcrossthink_cuda.so, from one list of sources: by nvcc for GPUs, or by the host compiler against the interpreter.

set(CROSSTHINK_CUDA_HOST_SOURCES
  native/kernels/grpo/grpo_step_cuda.cpp
  native/kernels/linear/linear_cuda.cpp
  native/kernels/sampling/edits.cpp
  native/runtime/cuda/blas.cpp
  native/runtime/cuda/memory.cpp
  native/runtime/cuda/module.cpp
  native/runtime/cuda/operations.cpp)
set(CROSSTHINK_CUDA_KERNEL_SOURCES
  native/kernels/advantage/group.cu
  native/kernels/advantage/shaping.cu
  native/kernels/advantage/token_advantages.cu
  native/kernels/linear/linear.cu
  native/kernels/logprob/backward.cu
  native/kernels/logprob/forward.cu
  native/kernels/logprob/top.cu
  native/kernels/policy_loss/policy_loss.cu
  native/kernels/policy_loss/rollout_correction.cu
  native/kernels/policy_loss/selection.cu
  native/kernels/sampling/sample.cu
  native/kernels/sampling/sample_wide.cu
  native/kernels/sampling/speculative.cu)
set(CROSSTHINK_GPU_RUNNER_SOURCES
  native/kernels/advantage/advantage.cpp
  native/kernels/advantage/token_advantages.cpp
  native/kernels/grpo/grpo_step_cuda.cpp
  native/kernels/linear/linear_cuda.cpp
  native/kernels/policy_loss/policy_loss.cpp
  native/kernels/policy_loss/rollout_correction.cpp
  native/kernels/policy_loss/selection.cpp
  native/kernels/sampling/edits.cpp
  native/runtime/cuda/blas.cpp
  native/runtime/thread_pool.cpp
  test/gpu/advantage_check.cpp
  test/gpu/correction_check.cpp
  test/gpu/graph_check.cpp
  test/gpu/grpo_step_check.cpp
  test/gpu/linear_check.cpp
  test/gpu/logprob_check.cpp
  test/gpu/main.cpp
  test/gpu/policy_loss_check.cpp
  test/gpu/sampling_check.cpp
  test/gpu/sampling_wide_check.cpp
  test/gpu/shaping_check.cpp
  test/gpu/speculative_check.cpp
  test/gpu/token_advantages_check.cpp
  test/gpu/timing.cpp
  test/gpu/timing_losses.cpp)

# The numeric specification: no contraction of a * b + c, no flushing, IEEE division and square root.
set(CROSSTHINK_NVCC_FLAGS --fmad=false --ftz=false --prec-div=true --prec-sqrt=true)
# One binary per generation and PTX for what comes later. nvcc 13 has nothing older than sm_75.
set(CROSSTHINK_CUDA_ARCHITECTURES 80-real 86-real 89-real 90-real 100-real 120)

set(crossthink_build_cuda OFF)
if(CROSSTHINK_CUDA STREQUAL "ON")
  set(crossthink_build_cuda ON)
elseif(CROSSTHINK_CUDA STREQUAL "AUTO" AND EXISTS /proc/driver/nvidia/version)
  include(CheckLanguage)
  check_language(CUDA)
  if(CMAKE_CUDA_COMPILER)
    set(crossthink_build_cuda ON)
  endif()
endif()
message(STATUS "CUDA module: ${crossthink_build_cuda} (CROSSTHINK_CUDA=${CROSSTHINK_CUDA})")

if(crossthink_build_cuda)
  # Given before enable_language: CMake 3.25 does not know CUDA 13's list.
  if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_ARCHITECTURES ${CROSSTHINK_CUDA_ARCHITECTURES})
  endif()
  enable_language(CUDA)
  # CMake 3.25 does not know either that nvcc has C++20.
  if(NOT DEFINED CMAKE_CUDA20_STANDARD_COMPILE_OPTION)
    set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
    set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
  endif()
  add_library(crossthink_cuda MODULE ${CROSSTHINK_CUDA_HOST_SOURCES} ${CROSSTHINK_CUDA_KERNEL_SOURCES})
  target_include_directories(crossthink_cuda PRIVATE native ${CMAKE_CUDA_TOOLKIT_INCLUDE_DIRECTORIES})
  target_compile_options(crossthink_cuda PRIVATE $<$<COMPILE_LANGUAGE:CUDA>:${CROSSTHINK_NVCC_FLAGS}>)
  # cudart_static exports nothing, and opens libcuda.so.1 only when first used.
  target_link_options(crossthink_cuda PRIVATE -Wl,--exclude-libs,ALL -Wl,--gc-sections)
  set_target_properties(crossthink_cuda PROPERTIES
    CUDA_STANDARD 20
    CUDA_VISIBILITY_PRESET hidden
    CUDA_RUNTIME_LIBRARY Static
    LIBRARY_OUTPUT_DIRECTORY "${CROSSTHINK_OUTPUT_DIR}")
endif()

# The published package has no test folder.
if(CROSSTHINK_CUDA STREQUAL "INTERPRETER")
  add_subdirectory(test/cuda-interpreter)
  foreach(mode PLAIN CHECKED)
    string(TOLOWER ${mode} suffix)
    cuda_interpreter_kernels(crossthink_cuda_kernels_${suffix} ${mode} ${CROSSTHINK_CUDA_KERNEL_SOURCES})
    target_include_directories(crossthink_cuda_kernels_${suffix} PRIVATE native)
    add_library(crossthink_cuda_${suffix} MODULE ${CROSSTHINK_CUDA_HOST_SOURCES})
    target_include_directories(crossthink_cuda_${suffix} PRIVATE native)
    target_link_libraries(crossthink_cuda_${suffix} PRIVATE crossthink_cuda_kernels_${suffix})
    set_target_properties(crossthink_cuda_${suffix} PROPERTIES LIBRARY_OUTPUT_DIRECTORY "${CROSSTHINK_OUTPUT_DIR}")
    # The Node-free runner of scripts/gpu-check.sh, on the interpreter.
    add_executable(gpu_runner_${suffix} ${CROSSTHINK_GPU_RUNNER_SOURCES})
    target_include_directories(gpu_runner_${suffix} PRIVATE native)
    target_compile_options(gpu_runner_${suffix} PRIVATE -ffp-contract=off -fno-math-errno)
    target_link_libraries(gpu_runner_${suffix} PRIVATE crossthink_cuda_kernels_${suffix} Threads::Threads)
    # The stand-in for cuBLAS tells the interpreter in the program what it wrote.
    set_target_properties(gpu_runner_${suffix} PROPERTIES
      RUNTIME_OUTPUT_DIRECTORY "${CROSSTHINK_OUTPUT_DIR}" ENABLE_EXPORTS ON)
    add_dependencies(interpreter crossthink_cuda_${suffix} gpu_runner_${suffix})
  endforeach()
endif()
