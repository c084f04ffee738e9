# The page of `Tape::to_html`, and the formulas in it, are packed into the library: see autograd/page.hpp.
file(GLOB_RECURSE documented CONFIGURE_DEPENDS ops/*.hpp ops/*.cpp)
list(FILTER documented EXCLUDE REGEX "/ops/kernels/")
list(APPEND documented ${PROJECT_SOURCE_DIR}/tensor/tensor.hpp)
file(GLOB parts CONFIGURE_DEPENDS autograd/page/*)

add_executable(reel_pack autograd/page/pack.cpp)
target_link_libraries(reel_pack PRIVATE reel_flags)
set(REEL_PAGE ${PROJECT_BINARY_DIR}/page.cpp)
add_custom_command(OUTPUT ${REEL_PAGE} VERBATIM
                   COMMAND reel_pack ${REEL_PAGE} ${PROJECT_SOURCE_DIR}/autograd/page ${documented}
                   DEPENDS reel_pack ${documented} ${parts} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
