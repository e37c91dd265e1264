# The console: built and packed by tools/build_console, and put into the program as it is. Sanitizers and fuzzers have no use
# for it and do without.
set(console_folder ${CMAKE_BINARY_DIR}/console)
set(console_pack ${console_folder}/console.pack)
file(MAKE_DIRECTORY ${console_folder})
if(SHOWCALLER_SANITIZE OR SHOWCALLER_FUZZ)
  file(WRITE ${console_pack} "")
else()
  file(GLOB_RECURSE console_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/console/*)
  list(FILTER console_sources EXCLUDE REGEX "/node_modules/")
  add_custom_command(
    OUTPUT ${console_pack}
    COMMAND ${CMAKE_SOURCE_DIR}/tools/build_console ${CMAKE_SOURCE_DIR}/console ${console_folder} ${console_pack}
    DEPENDS ${console_sources} ${CMAKE_SOURCE_DIR}/tools/build_console ${CMAKE_SOURCE_DIR}/tools/pack_console.mjs
    COMMENT "Building the console" VERBATIM)
endif()
file(WRITE ${console_folder}/console_pack.S.in ".section .rodata
.global showcaller_console_begin
.global showcaller_console_end
showcaller_console_begin:
.incbin \"${console_pack}\"
showcaller_console_end:
.byte 0
.section .note.GNU-stack,\"\",@progbits
")
configure_file(${console_folder}/console_pack.S.in ${console_folder}/console_pack.S COPYONLY)
set_source_files_properties(${console_folder}/console_pack.S PROPERTIES OBJECT_DEPENDS ${console_pack})
add_library(sc_console STATIC ${console_folder}/console_pack.S)
# Options that are for C++ say nothing to an assembler, which clang would tell.
target_compile_options(sc_console PRIVATE -Wno-unused-command-line-argument)
target_link_libraries(sc_cli PUBLIC sc_console)
