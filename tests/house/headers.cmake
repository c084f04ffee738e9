# `#include <reel.hpp>` must stay cheap to compile: none of what it reaches may belong to xtensor or xsimd, or to
# what only our own sources need.
include(${CMAKE_CURRENT_LIST_DIR}/run.cmake)
run(${CXX} -std=c++20 -M -x c++ ${SOURCE}/reel.hpp)
if(OUTPUT MATCHES "[^ ]*/(xtensor|xtl|xsimd|nlohmann|ops/kernels)/[^ ]*|[^ ]*/(omp.h|regex|random)[ \n]")
    message(FATAL_ERROR "reel.hpp reaches ${CMAKE_MATCH_0}")
endif()

# To an older C++ it says one thing.
execute_process(COMMAND ${CXX} -std=c++17 -I${SOURCE} -fsyntax-only -x c++ ${SOURCE}/reel.hpp
                RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
string(REGEX MATCHALL "error:" errors "${output}")
if(code EQUAL 0 OR NOT errors STREQUAL "error:" OR NOT output MATCHES "compile with -std=c\\+\\+20")
    message(FATAL_ERROR "to C++17 reel.hpp says: ${output}")
endif()
