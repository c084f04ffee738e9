# For test scripts: `python` is a Python that has PyTorch, or empty, and then the script's message says so.
foreach(candidate python3 /usr/bin/python3)  # the system's own has the distribution's packages
    execute_process(COMMAND ${candidate} -c "import torch" RESULT_VARIABLE code OUTPUT_QUIET ERROR_QUIET)
    if(code EQUAL 0)
        set(python ${candidate})
        break()
    endif()
endforeach()
if(NOT python)
    message("skipped: no Python with torch here (Debian: apt-get install python3-torch)")
endif()
