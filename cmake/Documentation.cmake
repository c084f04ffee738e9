# `cmake --build … --target docs` makes the site of the documentation in docs/html of the build, with Doxygen.
find_package(Doxygen QUIET)
if(DOXYGEN_FOUND)
    set(REEL_DOCUMENTED ${REEL_PUBLIC_HEADERS})
    list(FILTER REEL_DOCUMENTED EXCLUDE REGEX "^interop/")
    list(JOIN REEL_DOCUMENTED " " REEL_DOCUMENTED)
    configure_file(docs/Doxyfile.in ${PROJECT_BINARY_DIR}/Doxyfile @ONLY)
    file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/docs)
    add_custom_target(docs COMMAND Doxygen::doxygen ${PROJECT_BINARY_DIR}/Doxyfile
                      WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} VERBATIM)
else()
    add_custom_target(docs COMMAND ${CMAKE_COMMAND} -E echo "docs needs Doxygen (apt-get install doxygen), then cmake again"
                      COMMAND ${CMAKE_COMMAND} -E false VERBATIM)
endif()
