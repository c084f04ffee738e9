# `#include <reel.hpp>` must stay cheap to compile: none of what it reaches may belong to xtensor or xsimd, or to
# what only our own sources need.
include(${CMAKE_CURRENT_LIST_DIR}/run.cmake)
run(${CXX} -std=c++20 -M -x c++ ${SOURCE}/reel.hpp)
if(OUTPUT MATCHES "[^ ]*/(xtensor|xtl|xsimd|nlohmann|ops/kernels)/[^ ]*|[^ ]*/(cblas.h|omp.h|regex|random)[ \n]")
    message(FATAL_ERROR "reel.hpp reaches ${CMAKE_MATCH_0}")
endif()
