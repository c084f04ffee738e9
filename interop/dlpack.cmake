# Runs dlpack.py with a Python that has NumPy.
foreach(candidate /usr/bin/python3 python3)  # the system's own has the distribution's packages
    execute_process(COMMAND ${candidate} -c "import numpy" RESULT_VARIABLE code OUTPUT_QUIET ERROR_QUIET)
    if(code EQUAL 0)
        execute_process(COMMAND ${candidate} ${CMAKE_CURRENT_LIST_DIR}/dlpack.py ${MODULE} COMMAND_ERROR_IS_FATAL ANY)
        return()
    endif()
endforeach()
message("skipped: no Python with numpy here (Debian: apt-get install python3-numpy)")
