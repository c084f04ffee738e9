# What an install holds: the libraries, the public headers and all that they reach, and the ways to find them,
# `find_package(reel)` and `pkg-config reel`.
#
# A consumer's include path holds `reel.hpp` and the folder `reel/`, and nothing else. The headers stand below `reel/`
# as they stand here, and include each other relative to themselves, so that no file of the consumer's is taken for
# one of ours. What he includes are headers of one line that lead there: after an install beside the headers, and from
# source in the build tree.
include(CMakePackageConfigHelpers)

# Every header of ours that `header` includes, itself included.
function(reel_include_closure header result)
    set(found ${${result}})
    if(NOT header IN_LIST found AND EXISTS ${PROJECT_SOURCE_DIR}/${header})
        list(APPEND found ${header})
        set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${header})
        get_filename_component(directory ${header} DIRECTORY)
        file(STRINGS ${header} includes REGEX "^#include \"")
        foreach(include ${includes})
            string(REGEX REPLACE "^#include \"(.*)\".*" "\\1" include "${include}")
            set(path ${PROJECT_SOURCE_DIR}/${directory}/${include})
            cmake_path(NORMAL_PATH path)
            cmake_path(RELATIVE_PATH path BASE_DIRECTORY ${PROJECT_SOURCE_DIR})
            reel_include_closure(${path} found)
        endforeach()
    endif()
    set(${result} ${found} PARENT_SCOPE)
endfunction()

set(REEL_PUBLIC_HEADERS "")
reel_include_closure(reel.hpp REEL_PUBLIC_HEADERS)
reel_include_closure(interop/libtorch/reel.hpp REEL_PUBLIC_HEADERS)
foreach(forwarder reel.hpp:reel.hpp reel/xtensor.hpp:tensor/xtensor.hpp reel/dlpack.hpp:interop/dlpack.hpp
                  reel/mpi.hpp:interop/mpi.hpp reel/check.hpp:check/check.hpp)
    string(REPLACE ":" ";" forwarder ${forwarder})
    list(GET forwarder 0 name)
    list(GET forwarder 1 header)
    reel_include_closure(${header} REEL_PUBLIC_HEADERS)
    file(CONFIGURE OUTPUT include/${name} CONTENT "#include \"${PROJECT_SOURCE_DIR}/${header}\"\n")
    set(path ${header})
    if(name STREQUAL "reel.hpp")
        set(path reel/${header})
    endif()
    file(CONFIGURE OUTPUT installed/${name} CONTENT "#include \"${path}\"\n")
endforeach()
# A project that has reel as a part installs what is its own.
if(NOT REEL_INSTALL)
    return()
endif()

# Two components, for packages: `runtime` is the shared library, `dev` all the rest.
install(DIRECTORY ${PROJECT_BINARY_DIR}/installed/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT dev)
foreach(header ${REEL_PUBLIC_HEADERS})
    get_filename_component(directory ${header} DIRECTORY)
    install(FILES ${header} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/reel/${directory} COMPONENT dev)
endforeach()
# Ours, and that of what is packed into the pages of `Tape::to_html`.
install(FILES LICENSE autograd/page/dagre.LICENSE DESTINATION ${CMAKE_INSTALL_DATADIR}/licenses/reel
        COMPONENT dev)

install(TARGETS ${REEL_LIBRARIES} EXPORT reel
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT dev
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT runtime NAMELINK_COMPONENT dev
        RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT runtime)
set(package_directory ${CMAKE_INSTALL_LIBDIR}/cmake/reel)
# reel::check is found alone, too: find_package(reel COMPONENTS check) asks for no other package.
install(TARGETS reel_check EXPORT reel_check ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT dev)
install(EXPORT reel_check NAMESPACE reel:: FILE reelCheckTargets.cmake DESTINATION ${package_directory}
        COMPONENT dev)
install(EXPORT reel NAMESPACE reel:: FILE reelTargets.cmake DESTINATION ${package_directory} COMPONENT dev)
configure_package_config_file(cmake/reelConfig.cmake.in ${PROJECT_BINARY_DIR}/reelConfig.cmake
                              INSTALL_DESTINATION ${package_directory}
                              NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/reelConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/reelConfig.cmake ${PROJECT_BINARY_DIR}/reelConfigVersion.cmake
        DESTINATION ${package_directory} COMPONENT dev)

# The prefix is told relative to the file, so that `cmake --install --prefix` and a moved install stay right.
file(RELATIVE_PATH REEL_PC_TO_PREFIX ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
set(REEL_PC_PRIVATE "")
if(REEL_OPENMP)
    set(REEL_PC_PRIVATE "${OpenMP_CXX_FLAGS}")
endif()
# `pkg-config reel` says how to link the shared library, where there is one, and with `--static` what a program needs that
# is linked with `-static`; `pkg-config reel-static` names the static library itself.
set(REEL_PC_LIBRARY "-L\${libdir} -lreel")
set(REEL_PC_REQUIRED "")
if(NOT BUILD_SHARED_LIBS AND NOT REEL_SHARED)
    set(REEL_PC_REQUIRED " ${REEL_PC_PRIVATE}")
endif()
configure_file(cmake/reel.pc.in ${PROJECT_BINARY_DIR}/reel.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/reel.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT dev)
if(NOT BUILD_SHARED_LIBS OR REEL_SHARED)
    set(REEL_PC_LIBRARY "\${libdir}/${CMAKE_STATIC_LIBRARY_PREFIX}reel${CMAKE_STATIC_LIBRARY_SUFFIX}")
    set(REEL_PC_REQUIRED " ${REEL_PC_PRIVATE}")
    configure_file(cmake/reel.pc.in ${PROJECT_BINARY_DIR}/reel-static.pc @ONLY)
    install(FILES ${PROJECT_BINARY_DIR}/reel-static.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT dev)
endif()
