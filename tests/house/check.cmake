# reel::check alone, from its folder, in a project where no package may be found: neither OpenMP, BLAS nor xsimd is asked
# for. Its header is cheap.
include(${CMAKE_CURRENT_LIST_DIR}/run.cmake)
file(REMOVE_RECURSE ${WORK})
run(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR}/check_alone -B ${WORK}/build -G ${GENERATOR}
    -DCMAKE_CXX_COMPILER=${CXX} -DREEL_FROM=${SOURCE}/check -DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=OFF)
run(${CMAKE_COMMAND} --build ${WORK}/build)
run(${WORK}/build/use_check)
if(NOT OUTPUT MATCHES "right passed, wrong: the sign is wrong")
    message(FATAL_ERROR "the consumer printed: ${OUTPUT}")
endif()
run(${CXX} -std=c++20 -M -x c++ ${SOURCE}/check/check.hpp)
if(OUTPUT MATCHES "[^ ]*/(tensor|autograd|xtensor|xsimd|nlohmann)/[^ ]*|[^ ]*/(iostream|map|regex|random|algorithm)[ \n]")
    message(FATAL_ERROR "check.hpp reaches ${CMAKE_MATCH_0}")
endif()
