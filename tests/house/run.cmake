# `run(command…)`: runs a command, and ends the test with what it printed unless it succeeds. Leaves its output
# in `OUTPUT`.
function(run)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
    if(NOT code EQUAL 0)
        string(REPLACE ";" " " command "${ARGN}")
        message(FATAL_ERROR "failed (${code}): ${command}\n${output}")
    endif()
    set(OUTPUT "${output}" PARENT_SCOPE)
endfunction()

function(expect pattern)
    if(NOT OUTPUT MATCHES "${pattern}")
        message(FATAL_ERROR "not '${pattern}': ${OUTPUT}")
    endif()
endfunction()

# The answer of tests/house/consumer/main.cpp.
macro(expect_answer)
    expect("loss 14, gradient \\[2, 4, 6\\], version ${VERSION}")
endmacro()
