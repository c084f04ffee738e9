# `add_subdirectory(reel)`, which FetchContent ends in too: the user's project configures, gets none of our tests
# and examples, and its own files are compiled without any of our flags. The library itself is not built again.
include(${CMAKE_CURRENT_LIST_DIR}/run.cmake)
file(REMOVE_RECURSE ${WORK})
run(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR}/consumer -B ${WORK} -G ${GENERATOR}
    -DCMAKE_CXX_COMPILER=${CXX} -DREEL_FROM=${SOURCE} -DCMAKE_EXPORT_COMPILE_COMMANDS=ON)
run(${CMAKE_COMMAND} --build ${WORK} --target help)
if(OUTPUT MATCHES "reel_tests|reel_shared|names")
    message(FATAL_ERROR "a user's build has our target ${CMAKE_MATCH_0}")
endif()
file(READ ${WORK}/compile_commands.json commands)
string(REGEX MATCH "\"command\": \"([^\"]*consumer/main.cpp)" found "${commands}")
set(command "${CMAKE_MATCH_1}")
if(NOT command OR command MATCHES " -(W|f|m|O|D)[^ ]*")
    message(FATAL_ERROR "a user's file is compiled with${CMAKE_MATCH_0}: ${command}")
endif()
file(MAKE_DIRECTORY ${WORK}/CMakeFiles/use_reel.dir)
run(sh -c "cd ${WORK} && ${command}")
