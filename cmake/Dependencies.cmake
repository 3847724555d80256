# Every library that Annals stands on, all of them packages of Debian 12 (`./dev` installs them).
find_package(Threads REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(Boost 1.81 REQUIRED)           # Asio, headers only
find_package(CURL REQUIRED)
find_package(PostgreSQL REQUIRED)           # libpq
find_package(spdlog REQUIRED)
find_package(simdjson REQUIRED)
find_package(CLI11 REQUIRED)
find_path(TOMLPLUSPLUS_INCLUDE toml++/toml.h REQUIRED)  # in the header only: the packaged library is built to throw
find_package(absl REQUIRED)
find_package(prometheus-cpp REQUIRED COMPONENTS core)
find_path(RE2_INCLUDE re2/re2.h REQUIRED)
find_library(RE2_LIBRARY re2 REQUIRED)
add_library(annals_re2 INTERFACE)
target_include_directories(annals_re2 SYSTEM INTERFACE ${RE2_INCLUDE})
target_link_libraries(annals_re2 INTERFACE ${RE2_LIBRARY})
find_path(XXHASH_INCLUDE xxhash.h REQUIRED)
add_library(annals_xxhash INTERFACE)
target_include_directories(annals_xxhash SYSTEM INTERFACE ${XXHASH_INCLUDE})
target_compile_definitions(annals_xxhash INTERFACE XXH_INLINE_ALL)

# llhttp comes as generated C source inside Debian's package for Node.
find_path(LLHTTP_SOURCE_DIR llhttp.c PATHS /usr/share/llhttp REQUIRED)
find_path(LLHTTP_INCLUDE_DIR llhttp.h PATHS /usr/share/include/llhttp REQUIRED)
file(GLOB llhttp_sources ${LLHTTP_SOURCE_DIR}/*.c)
add_library(llhttp STATIC ${llhttp_sources})
target_include_directories(llhttp SYSTEM PUBLIC ${LLHTTP_INCLUDE_DIR})

if(ANNALS_TESTS)
  find_package(GTest REQUIRED)
  find_package(rapidcheck REQUIRED)
endif()
