# What reel needs from the system. Everything that is missing is named at once, with how to get it.
set(REEL_MISSING "")

# Notes what is missing, with its package on Debian/Ubuntu, Fedora, Homebrew and conda-forge.
function(reel_missing what debian fedora brew conda)
    set(entry "  ${what}\n"
        "    Debian/Ubuntu  apt-get install ${debian}\n"
        "    Fedora         dnf install ${fedora}\n"
        "    macOS          brew install ${brew}\n"
        "    conda          conda install -c conda-forge ${conda}\n")
    string(CONCAT entry ${entry})
    set(REEL_MISSING "${REEL_MISSING}${entry}" PARENT_SCOPE)
endfunction()

# Homebrew keeps it out of the way of Apple's own.
if(APPLE)
    list(APPEND CMAKE_PREFIX_PATH /opt/homebrew/opt/libomp /usr/local/opt/libomp)
endif()

find_package(xsimd QUIET)
if(NOT xsimd_FOUND OR xsimd_VERSION VERSION_LESS 8)
    reel_missing("xsimd, version 8 or newer" libxsimd-dev xsimd-devel xsimd xsimd)
endif()
find_package(nlohmann_json QUIET)
if(NOT nlohmann_json_FOUND)
    reel_missing(nlohmann-json nlohmann-json3-dev json-devel nlohmann-json nlohmann_json)
endif()

if(REEL_OPENMP)
    find_package(OpenMP COMPONENTS CXX QUIET)
    if(NOT OpenMP_CXX_FOUND)
        reel_missing("OpenMP (or configure with -DREEL_OPENMP=OFF)" libgomp1 libgomp libomp libgomp)
    endif()
endif()
if(REEL_BUILD_TESTS)
    find_package(doctest QUIET)
    if(NOT doctest_FOUND)
        reel_missing("doctest (or configure with -DREEL_BUILD_TESTS=OFF)" doctest-dev doctest-devel doctest doctest)
    endif()
endif()
if(REEL_BUILD_EXAMPLES OR REEL_BUILD_CLI)
    find_package(CLI11 QUIET)
    if(NOT CLI11_FOUND)
        reel_missing("CLI11 (or configure with -DREEL_BUILD_EXAMPLES=OFF -DREEL_BUILD_CLI=OFF)" libcli11-dev cli11-devel cli11 cli11)
    endif()
endif()
if(REEL_BLAS)
    find_package(BLAS QUIET)
    find_path(REEL_CBLAS_INCLUDE NAMES cblas.h Accelerate.h PATH_SUFFIXES ${CMAKE_LIBRARY_ARCHITECTURE} openblas)
    if(NOT BLAS_FOUND OR NOT REEL_CBLAS_INCLUDE)
        reel_missing("a BLAS with cblas.h (or configure with -DREEL_BLAS=OFF)" libopenblas-dev openblas-devel openblas openblas)
    endif()
endif()

# For the bridge to it, its test and its example: the library has no use for it.
find_package(xtensor QUIET)
if(xtensor_FOUND)
    add_library(reel_xtensor INTERFACE)
    target_link_libraries(reel_xtensor INTERFACE xtensor)
    # Before 0.25 it is ambiguous by the rules for template template arguments of Clang 19. Later ones that have no such option
    # have better rules: 22 needs none.
    if(xtensor_VERSION VERSION_LESS 0.25 AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang" AND CMAKE_CXX_COMPILER_VERSION VERSION_GREATER_EQUAL 19)
        include(CheckCXXCompilerFlag)
        check_cxx_compiler_flag(-fno-relaxed-template-template-args REEL_CAN_KEEP_OLD_TEMPLATE_RULES)
        if(REEL_CAN_KEEP_OLD_TEMPLATE_RULES)
            target_compile_options(reel_xtensor INTERFACE -fno-relaxed-template-template-args
                                                          -Wno-deprecated-no-relaxed-template-template-args)
        endif()
    endif()
endif()

if(REEL_MISSING)
    message(FATAL_ERROR "reel needs what this machine does not have:\n${REEL_MISSING}")
endif()

# What our sources are compiled with. Other people's headers are system headers: their warnings are theirs.
add_library(reel_dependencies INTERFACE)
foreach(package xsimd nlohmann_json::nlohmann_json)
    get_target_property(directories ${package} INTERFACE_INCLUDE_DIRECTORIES)
    if(directories)
        target_include_directories(reel_dependencies SYSTEM INTERFACE ${directories})
    endif()
endforeach()

# What the libraries are linked with: paths inside one build tree, where a user cannot see the imported targets
# of a subdirectory, and targets after an install, where paths would tie it to this machine.
set(REEL_LINK_LIBRARIES "")
if(REEL_OPENMP)
    target_compile_options(reel_dependencies INTERFACE ${OpenMP_CXX_FLAGS})
    target_include_directories(reel_dependencies SYSTEM INTERFACE ${OpenMP_CXX_INCLUDE_DIRS})
    list(APPEND REEL_LINK_LIBRARIES $<INSTALL_INTERFACE:OpenMP::OpenMP_CXX>)
    foreach(path ${OpenMP_CXX_LIBRARIES})
        list(APPEND REEL_LINK_LIBRARIES $<BUILD_INTERFACE:${path}>)
    endforeach()
endif()
if(REEL_BLAS)
    list(APPEND REEL_LINK_LIBRARIES ${BLAS_LIBRARIES})  # of this machine, as the processor is
endif()
