# Opens the page NAME in BROWSER, without a window or a network, and looks for what drive.js found.
set(look --window-size=1400,900)
if(NAME MATCHES "narrow")
    set(look --window-size=400,800)
endif()
if(NAME MATCHES "dark")
    list(APPEND look --blink-settings=preferredColorScheme=0)
endif()
set(profile ${WORK}/${NAME}.profile)
file(REMOVE_RECURSE ${profile})
execute_process(
    COMMAND ${BROWSER} ${look} --headless --no-sandbox --disable-gpu --disable-quic --no-first-run
            --disable-background-networking --disable-component-update --disable-sync --user-data-dir=${profile}
            --enable-logging=stderr --dump-dom file://${WORK}/${NAME}.html
    OUTPUT_VARIABLE page ERROR_VARIABLE log)
file(REMOVE_RECURSE ${profile})
string(REGEX MATCH "<pre id=\"verdict\">[^<]*" verdict "${page}")
if(NOT verdict MATCHES "PASSED [1-9]")
    message(FATAL_ERROR "${NAME}.html: ${verdict}\n${log}")
endif()
if(log MATCHES "[^\n]*CONSOLE[^\n]*")
    message(FATAL_ERROR "${NAME}.html wrote to the console: ${CMAKE_MATCH_0}")
endif()
message("${NAME}.html: ${verdict}")
