# A missing dependency is named, with how to get it on every system; several are named at once.
file(REMOVE_RECURSE ${WORK})
set(arguments -S ${SOURCE} -B ${WORK} -G ${GENERATOR} -DCMAKE_CXX_COMPILER=${CXX})
execute_process(COMMAND ${CMAKE_COMMAND} ${arguments} -DCMAKE_DISABLE_FIND_PACKAGE_xsimd=ON
                        -DCMAKE_DISABLE_FIND_PACKAGE_doctest=ON
                RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(code EQUAL 0)
    message(FATAL_ERROR "configuring without xsimd and doctest succeeded")
endif()
foreach(remedy "apt-get install libxsimd-dev" "dnf install xsimd-devel" "brew install xsimd"
               "conda install -c conda-forge xsimd" "apt-get install doctest-dev" "REEL_BUILD_TESTS=OFF")
    if(NOT output MATCHES "${remedy}")
        message(FATAL_ERROR "the message does not say '${remedy}':\n${output}")
    endif()
endforeach()
