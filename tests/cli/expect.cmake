# Runs PROGRAM with ARGUMENTS, which must end with CODE and print something that matches PATTERN.
execute_process(COMMAND ${PROGRAM} ${ARGUMENTS} RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(NOT code STREQUAL CODE OR NOT output MATCHES "${PATTERN}")
    message(FATAL_ERROR "${PROGRAM} ${ARGUMENTS} ended with ${code}, not ${CODE}, or did not print ${PATTERN}:\n${output}")
endif()
