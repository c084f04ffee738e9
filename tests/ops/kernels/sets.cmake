# The values of every operation, the bits of products, drawn cases, steps and programs once more, with the kernels of each
# instruction set that this machine has.
foreach(set ${SETS})
    set(ENV{REEL_ARCH} ${set})
    execute_process(COMMAND ${TESTS} "-tc=battery*,products*,property*,random*,strided*" RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
    if(output MATCHES "this machine does not support ${set}")
        message(STATUS "not on this machine: ${set}")
    elseif(NOT code EQUAL 0)
        message(FATAL_ERROR "with the kernels for ${set}:\n${output}")
    endif()
endforeach()
