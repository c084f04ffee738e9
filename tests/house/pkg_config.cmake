# A build by hand with what `pkg-config` says: of the shared library, of the static one, of a program without shared
# libraries (GCC's OpenMP has a static library, Clang's has none).
include(${CMAKE_CURRENT_LIST_DIR}/run.cmake)
file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})
file(GLOB_RECURSE found ${PREFIX}/lib*/reel.pc)
get_filename_component(directory ${found} DIRECTORY)
get_filename_component(libraries ${directory} DIRECTORY)
set(ENV{PKG_CONFIG_PATH} ${directory})
set(ENV{LD_LIBRARY_PATH} ${libraries})

function(check name flags)
    run(${PKG_CONFIG} --modversion ${ARGN})
    expect("^${VERSION}\n$")
    run(${PKG_CONFIG} --cflags --libs ${ARGN})
    separate_arguments(said UNIX_COMMAND "${OUTPUT}")
    run(${CXX} -std=c++20 ${flags} -I${CMAKE_CURRENT_LIST_DIR}/consumer/own ${CMAKE_CURRENT_LIST_DIR}/consumer/main.cpp
        -o ${WORK}/${name} ${said})
    run(${WORK}/${name})
    expect_answer()
endfunction()

check(as_is "" reel)
if(EXISTS ${directory}/reel-static.pc AND NOT KIND STREQUAL "other")
    check(static "" reel-static)
    # Whether it is: the shared library is not there for the program.
    set(ENV{LD_LIBRARY_PATH} "")
    run(${WORK}/static)
    if(KIND STREQUAL "GNU" AND NOT CMAKE_HOST_APPLE)
        check(without_shared_libraries -static --static reel)
    endif()
endif()
