# `find_package(reel)` from a project that knows nothing but the prefix; every program of it gives the answer.
include(${CMAKE_CURRENT_LIST_DIR}/run.cmake)
file(REMOVE_RECURSE ${WORK})
run(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR}/consumer -B ${WORK} -G ${GENERATOR}
    -DCMAKE_CXX_COMPILER=${CXX} -DCMAKE_PREFIX_PATH=${PREFIX})
run(${CMAKE_COMMAND} --build ${WORK})
string(REPLACE "," ";" LIBRARIES ${LIBRARIES})
foreach(library ${LIBRARIES})
    foreach(kind "" _last _two _cxx23)
        run(${WORK}/use_${library}${kind})
        expect_answer()
    endforeach()
endforeach()

# The checker alone is found without any other package.
run(${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR}/check_alone -B ${WORK}/check -G ${GENERATOR}
    -DCMAKE_CXX_COMPILER=${CXX} -DCMAKE_PREFIX_PATH=${PREFIX}
    -DCMAKE_DISABLE_FIND_PACKAGE_BLAS=ON -DCMAKE_DISABLE_FIND_PACKAGE_OpenMP=ON)
run(${CMAKE_COMMAND} --build ${WORK}/check)
run(${WORK}/check/use_check)
