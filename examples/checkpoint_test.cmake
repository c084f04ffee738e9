# Training is killed (SIGKILL) at fifty random moments, each time goes on from the checkpoint that is there, and ends with
# the file of a run that nobody disturbed, byte for byte.
file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})
set(training ${PROGRAM} --steps 500 --every 10)

execute_process(COMMAND ${training} ${WORK}/whole RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(NOT code EQUAL 0 OR NOT output MATCHES "([0-9]+)\\.([0-9]) s in all")
    message(FATAL_ERROR "training gave ${code}:\n${output}")
endif()
math(EXPR duration "1000 * ${CMAKE_MATCH_1} + 100 * ${CMAKE_MATCH_2} + 50")  # milliseconds

set(kills 0)
set(resumed 0)
set(ends 0)
while(kills LESS 50)
    string(RANDOM LENGTH 3 ALPHABET 0123456789 part)
    math(EXPR moment "1${part} % 1000 * ${duration} / 1000 + 100001")  # with leading digits, so that zeros stay
    string(REGEX REPLACE "^1(..)(...)$" "\\1.\\2" moment ${moment})  # milliseconds as seconds
    execute_process(COMMAND ${training} ${WORK}/killed TIMEOUT ${moment}
                    RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
    if(output MATCHES "goes on after step")
        math(EXPR resumed "${resumed} + 1")
    endif()
    if(code MATCHES "timeout")
        math(EXPR kills "${kills} + 1")
    elseif(code EQUAL 0)
        execute_process(COMMAND ${CMAKE_COMMAND} -E compare_files ${WORK}/whole ${WORK}/killed RESULT_VARIABLE differs)
        if(differs)
            message(FATAL_ERROR "the run that was killed ended with another checkpoint:\n${output}")
        endif()
        file(REMOVE ${WORK}/killed)
        math(EXPR ends "${ends} + 1")
    else()
        message(FATAL_ERROR "after ${kills} kills training gave ${code}:\n${output}")
    endif()
endwhile()
message("killed ${kills} times, went on ${resumed} times, ended ${ends} times with the same bytes")
if(resumed LESS 10)
    message(FATAL_ERROR "which is no test")
endif()
