# The kernels, compiled once per instruction set; `ops/kernels/dispatch.cpp` picks one when the program runs.
file(GLOB REEL_KERNEL_SOURCES CONFIGURE_DEPENDS ops/kernels/*.cpp)
list(FILTER REEL_KERNEL_SOURCES EXCLUDE REGEX dispatch.cpp$)

# The plainest set comes first: where two sets define the same inline function, the linker keeps the first.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64|amd64")
    set(sets sse2 avx2 avx512)
    if(REEL_SANITIZE)
        list(REMOVE_ITEM sets avx512)  # the same sources once more, and the slowest to compile
    endif()
    set(REEL_KERNEL_SETS ${sets} CACHE STRING "Instruction sets to compile the kernels for")
    set(REEL_FLAGS_sse2 "")
    set(REEL_FLAGS_avx2 -mavx2 -mfma -mf16c)
    set(REEL_FLAGS_avx512 -mavx512f -mavx512cd -mavx512dq -mavx512bw -mfma -mf16c -mprefer-vector-width=512)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")  # its own AVX-512 headers warn in version 12
        list(APPEND REEL_FLAGS_avx512 -Wno-maybe-uninitialized -Wno-uninitialized)
    endif()
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
    set(REEL_KERNEL_SETS neon CACHE STRING "Instruction sets to compile the kernels for")
    set(REEL_FLAGS_neon "")
else()
    message(FATAL_ERROR "reel has kernels for x86-64 and 64-bit Arm, not for ${CMAKE_SYSTEM_PROCESSOR}")
endif()

set(REEL_KERNEL_OBJECTS "")
foreach(set ${REEL_KERNEL_SETS})
    add_library(reel_kernels_${set} OBJECT ${REEL_KERNEL_SOURCES})
    target_link_libraries(reel_kernels_${set} PRIVATE reel_flags reel_dependencies)
    # xsimd gets a name of its own in each: a program may hold another version of it, and the linker would take an inline
    # function of one for that of the other.
    target_compile_definitions(reel_kernels_${set} PRIVATE REEL_SET=${set} xsimd=reel_xsimd_${set})
    # A kernel is the hot loop itself: -O3 also where the rest is built for debugging. Products and sums are fused
    # where a kernel says so (multiply_add), never by the compiler: error terms and bounds depend on which are.
    target_compile_options(reel_kernels_${set} PRIVATE ${REEL_FLAGS_${set}} -fno-math-errno -ffp-contract=off
                                                       $<$<CONFIG:Debug>:-O1> $<$<NOT:$<CONFIG:Debug>>:-O3>
                                                       "${REEL_ALIGNMENT}")
    reel_hides_insides(reel_kernels_${set})
    list(APPEND REEL_KERNEL_OBJECTS $<TARGET_OBJECTS:reel_kernels_${set}>)
    string(TOUPPER ${set} upper)
    list(APPEND REEL_SET_DEFINITIONS REEL_HAS_${upper})
endforeach()

add_library(reel_dispatch OBJECT ops/kernels/dispatch.cpp)
target_link_libraries(reel_dispatch PRIVATE reel_flags reel_dependencies)
target_compile_definitions(reel_dispatch PRIVATE ${REEL_SET_DEFINITIONS})
reel_hides_insides(reel_dispatch)
list(APPEND REEL_KERNEL_OBJECTS $<TARGET_OBJECTS:reel_dispatch>)
