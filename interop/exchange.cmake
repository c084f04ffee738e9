# Trains with reel, compares and trains on with PyTorch, compares with reel.
include(${CMAKE_CURRENT_LIST_DIR}/../cmake/FindPythonTorch.cmake)
if(NOT python)
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
