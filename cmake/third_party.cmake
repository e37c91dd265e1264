# Third-party libraries, and which of our libraries may see each. A folder that is not named here sees none.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json)
find_package(fmt REQUIRED)
pkg_check_modules(SODIUM REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(FYAML REQUIRED IMPORTED_TARGET libfyaml)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(GRPC REQUIRED IMPORTED_TARGET grpc++ protobuf)
find_package(date REQUIRED)

set(third_party_base PkgConfig::SODIUM PkgConfig::XXHASH OpenSSL::Crypto Boost::json fmt::fmt Threads::Threads)
set(third_party_model PkgConfig::FYAML date::date-tz)
set(third_party_codec ZLIB::ZLIB)
# Asio is compiled once, in src/net/asio.cc; whoever includes it must know.
add_library(sc_asio INTERFACE)
target_compile_definitions(sc_asio INTERFACE BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
                           BOOST_BEAST_USE_STD_STRING_VIEW)
if(SHOWCALLER_SANITIZE MATCHES "thread")
  target_compile_options(sc_asio INTERFACE -Wno-tsan)  # Asio's fences, which the sanitizer does not see.
endif()
set(third_party_net sc_asio OpenSSL::SSL)
set(third_party_wire PkgConfig::GRPC)
set(third_party_adapters_probe_grpc PkgConfig::GRPC)
set(third_party_adapters_sqlite PkgConfig::SQLITE)
set(third_party_cli "")
