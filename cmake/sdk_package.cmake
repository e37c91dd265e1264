# The client as others install it: one shared library that shows its public API alone, the headers, and a package for
# find_package(showcaller). `cmake --install BUILD --component sdk --prefix WHERE`, once the target showcaller_sdk is built.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

file(WRITE ${CMAKE_BINARY_DIR}/sdk/exports.map
     "{ global: showcaller_*; extern \"C++\" { showcaller::sdk::*; *for?showcaller::sdk::*; }; local: *; };\n")
file(WRITE ${CMAKE_BINARY_DIR}/sdk/empty.cc "")
add_library(showcaller_sdk SHARED ${CMAKE_BINARY_DIR}/sdk/empty.cc)
add_library(showcaller::sdk ALIAS showcaller_sdk)
target_link_libraries(showcaller_sdk PRIVATE -Wl,--whole-archive sc_sdk -Wl,--no-whole-archive)
target_link_options(showcaller_sdk PRIVATE -Wl,--version-script=${CMAKE_BINARY_DIR}/sdk/exports.map)
target_include_directories(showcaller_sdk INTERFACE $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/src/sdk/include>
                           $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_compile_features(showcaller_sdk INTERFACE cxx_std_20)
set_target_properties(showcaller_sdk PROPERTIES EXPORT_NAME sdk VERSION ${PROJECT_VERSION} SOVERSION 0
                      LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/sdk)

install(TARGETS showcaller_sdk EXPORT showcaller COMPONENT sdk OPTIONAL
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT sdk NAMELINK_COMPONENT sdk)
install(DIRECTORY ${CMAKE_SOURCE_DIR}/src/sdk/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT sdk)
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/showcaller)
install(EXPORT showcaller NAMESPACE showcaller:: FILE showcallerConfig.cmake DESTINATION ${package_folder} COMPONENT sdk)
write_basic_package_version_file(${CMAKE_BINARY_DIR}/sdk/showcallerConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/sdk/showcallerConfigVersion.cmake DESTINATION ${package_folder} COMPONENT sdk)
