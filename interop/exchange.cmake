# Trains with reel, compares and trains on with PyTorch, compares with reel.
foreach(candidate python3 /usr/bin/python3)  # the system's own has the distribution's packages
    set(python ${candidate})
    execute_process(COMMAND ${python} -c "import torch" RESULT_VARIABLE code OUTPUT_QUIET ERROR_QUIET)
    if(code EQUAL 0)
        break()
    endif()
endforeach()
if(NOT code EQUAL 0)
    message("skipped: no Python with torch here (Debian: apt-get install python3-torch)")
    return()
endif()
file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})
foreach(command "${EXCHANGE};train;${WORK}/reel.safetensors"
                "${python};${CMAKE_CURRENT_LIST_DIR}/exchange.py;${WORK}/reel.safetensors;${WORK}/torch.safetensors"
                "${EXCHANGE};check;${WORK}/torch.safetensors")
    execute_process(COMMAND ${command} RESULT_VARIABLE code OUTPUT_VARIABLE output ERROR_VARIABLE output)
    if(NOT code EQUAL 0)
        message(FATAL_ERROR "failed (${code}): ${command}\n${output}")
    endif()
    message("${output}")
endforeach()
