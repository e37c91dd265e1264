# Makes one static library a folder of src/ from the file LAYERS: sc_<folder>, and sc_adapters_<name> for each adapter.
# A library links exactly what its folder may include; link_<library> (a test) proves that this is enough.

# The precompiled headers. Headers must stand alone without them: tools/lint checks that. The host's own header brings half
# the project's along: who lives above it has it precompiled, too.
set(precompiled <algorithm> <array> <chrono> <cstdint> <deque> <expected> <functional> <map> <memory> <optional> <set>
    <span> <string> <string_view> <unordered_map> <utility> <variant> <vector> <boost/json.hpp> <fmt/format.h>)
set(precompiled_host ${precompiled} ${CMAKE_SOURCE_DIR}/src/host/host.h)
set(folders_above_the_host host sim cli)
function(sc_precompiled name)
  file(WRITE ${CMAKE_BINARY_DIR}/${name}.cc "")
  add_library(${name} OBJECT ${CMAKE_BINARY_DIR}/${name}.cc)
  target_link_libraries(${name} PRIVATE ${third_party_base})
  target_precompile_headers(${name} PRIVATE ${ARGN})
endfunction()
sc_precompiled(sc_pch ${precompiled})
sc_precompiled(sc_host_pch ${precompiled_host})

# Generated code of our own trimmed protos, in a library of its own.
file(GLOB protos CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/protos/*.proto)
if(protos)
  set(proto_out ${CMAKE_BINARY_DIR}/protos)
  file(MAKE_DIRECTORY ${proto_out})
  set(generated "")
  foreach(proto ${protos})
    get_filename_component(stem ${proto} NAME_WE)
    add_custom_command(
      OUTPUT ${proto_out}/${stem}.pb.cc ${proto_out}/${stem}.pb.h ${proto_out}/${stem}.grpc.pb.cc ${proto_out}/${stem}.grpc.pb.h
      COMMAND protoc --proto_path=${CMAKE_SOURCE_DIR}/protos --cpp_out=${proto_out} --grpc_out=${proto_out}
              --plugin=protoc-gen-grpc=/usr/bin/grpc_cpp_plugin ${proto}
      COMMAND sed -i "s@\\(/flagd\\.evaluation\\.v[0-9]*\\|/schema\\.v1\\)\\.Evaluation/@\\1.Service/@" ${proto_out}/${stem}.grpc.pb.cc
      DEPENDS ${proto} VERBATIM)
    list(APPEND generated ${proto_out}/${stem}.pb.cc ${proto_out}/${stem}.grpc.pb.cc)
  endforeach()
  add_library(sc_protos STATIC ${generated})
  target_include_directories(sc_protos SYSTEM PUBLIC ${proto_out})
  target_link_libraries(sc_protos PUBLIC PkgConfig::GRPC)
  target_compile_options(sc_protos PRIVATE -w -O1)
  # The services all include gRPC, and name nothing twice; messages do.
  set(services ${generated})
  list(FILTER services INCLUDE REGEX "grpc\\.pb\\.cc$")
  set_source_files_properties(${services} PROPERTIES UNITY_GROUP services)
  set_target_properties(sc_protos PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
endif()

# Small sources that all include the same wide headers: several are compiled as one, which halves the time. In a folder
# two files may not give one name two meanings (in anonymous namespaces too). The longest is compiled alone, so that who
# edits a neighbour does not wait for it.
option(SHOWCALLER_BATCHES "Compile several small sources as one" ON)
set(takes_no_batch_for_a_header $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
set_source_files_properties(${CMAKE_SOURCE_DIR}/src/net/connection_loop.cc PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
# Libraries whose headers alone take the compiler seconds: who includes them is compiled with others that do.
set(heavy_libraries "CLI|grpcpp")

# Compiles a target's sources in batches of `size`. Those of src/ that have a deliberate bug make batches of their own, a
# folder each: the test program that has the bugs compiles the same batches once more, and the linker takes its objects
# instead of the libraries', which must therefore hold nothing else.
function(compile_in_batches target size)
  get_target_property(sources ${target} SOURCES)
  foreach(source ${sources})
    file(STRINGS ${source} heavy REGEX "#include <(${heavy_libraries})/" LIMIT_COUNT 1)
    if(source IN_LIST sources_with_bugs)
      get_filename_component(folder ${source} DIRECTORY)
      get_filename_component(batch ${folder} NAME)
      set_source_files_properties(${source} PROPERTIES UNITY_GROUP with_bugs_${batch})
    else()
      string(REGEX MATCH "${heavy_libraries}" kind "${heavy}")
      list(LENGTH members_${kind} count)
      list(APPEND members_${kind} ${source})
      math(EXPR batch "${count} / ${size}")
      set_source_files_properties(${source} PROPERTIES UNITY_GROUP batch_${kind}${batch})
    endif()
  endforeach()
  target_compile_options(${target} PRIVATE ${takes_no_batch_for_a_header})
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${SHOWCALLER_BATCHES} UNITY_BUILD_MODE GROUP)
endfunction()

# Sources with deliberate bugs.
file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/*.cc)
set(sources_with_bugs "")
foreach(source ${sources})
  file(STRINGS ${source} found REGEX "include .base/deliberate_bug\\.h" LIMIT_COUNT 1)
  if(found)
    list(APPEND sources_with_bugs ${source})
  endif()
endforeach()
# Who adds a bug names it there: then they are looked for again.
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/base/deliberate_bug.h)

function(sc_library name folder third_party_key)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/${folder}/*.cc)
  list(FILTER sources EXCLUDE REGEX ".*/main\\.cc$")
  if(NOT sources)
    add_library(${name} INTERFACE)
    set(kind INTERFACE)
  else()
    # What runs a few times a day, the tables of manifests and the verbs of the command line: at -Og it compiles
    # in two thirds of the time.
    set(seldom ${sources})
    list(FILTER seldom INCLUDE REGEX "/src/(model/manifest/|cli/[^/]*$|cli/(flag|rehearse)/|cli/.*_words\\.cc$)")
    list(REMOVE_ITEM sources ${seldom})
    add_library(${name} STATIC ${sources})
    set(pch sc_pch)
    if(folder IN_LIST folders_above_the_host)
      set(pch sc_host_pch)
    endif()
    target_precompile_headers(${name} REUSE_FROM ${pch})
    compile_in_batches(${name} 6)
    if(seldom)
      add_library(${name}_seldom OBJECT ${seldom})
      target_compile_options(${name}_seldom PRIVATE -Og)
      target_precompile_headers(${name}_seldom REUSE_FROM sc_pch)
      target_link_libraries(${name}_seldom PUBLIC ${third_party_base} ${third_party_${third_party_key}} ${ARGN})
      compile_in_batches(${name}_seldom 6)
      target_sources(${name} PRIVATE $<TARGET_OBJECTS:${name}_seldom>)
    endif()
    set(kind PUBLIC)
  endif()
  target_link_libraries(${name} ${kind} ${third_party_base} ${third_party_${third_party_key}} ${ARGN})
  set_property(GLOBAL APPEND PROPERTY sc_libraries ${name})
endfunction()

file(STRINGS ${CMAKE_SOURCE_DIR}/LAYERS layer_lines REGEX "^[a-z]")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/LAYERS)
set(all_layers "")
foreach(line ${layer_lines})
  string(REGEX MATCH "^([a-z]+): *(.*)$" _ "${line}")
  set(folder ${CMAKE_MATCH_1})
  string(REPLACE " " ";" may_include "${CMAKE_MATCH_2}")
  if(may_include STREQUAL "*")
    set(may_include ${all_layers})
  endif()
  list(REMOVE_ITEM may_include "*/port")   # Ports are headers alone.
  set(links "")
  foreach(dep ${may_include})
    if(TARGET sc_${dep})
      list(APPEND links sc_${dep})
    endif()
  endforeach()
  list(APPEND all_layers ${folder})
  if(folder STREQUAL "adapters")
    file(GLOB adapters CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}/src/adapters ${CMAKE_SOURCE_DIR}/src/adapters/*)
    set(adapter_targets "")
    foreach(adapter ${adapters})
      sc_library(sc_adapters_${adapter} adapters/${adapter} adapters_${adapter} ${links})
      list(APPEND adapter_targets sc_adapters_${adapter})
    endforeach()
    add_library(sc_adapters INTERFACE)
    target_link_libraries(sc_adapters INTERFACE ${adapter_targets})
  else()
    sc_library(sc_${folder} ${folder} ${folder} ${links})
  endif()
endforeach()
if(TARGET sc_protos)
  get_target_property(wire_type sc_wire TYPE)
  if(wire_type STREQUAL "STATIC_LIBRARY")
    target_link_libraries(sc_wire PUBLIC sc_protos)
  endif()
endif()
# The SDK's public headers are included as <showcaller/...>.
target_include_directories(sc_sdk PUBLIC ${CMAKE_SOURCE_DIR}/src/sdk/include)
