# What nearly every file includes, read once: one header for the libraries, one for the test programs. With clang only, whose
# builds (sanitizers, coverage) are half reading of headers; g++ gains a tenth and does without, so that the release build
# notices an include that is missing.
set(annals_precompiled_std
  <algorithm> <array> <atomic> <bit> <charconv> <chrono> <compare> <condition_variable> <cstdint> <cstring> <deque> <expected>
  <filesystem> <fstream> <functional> <limits> <map> <memory> <mutex> <optional> <set> <span> <sstream> <string> <string_view>
  <thread> <tuple> <unordered_map> <utility> <variant> <vector>)

function(annals_precompile target first)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    return()
  endif()
  target_compile_options(${target} PRIVATE -fpch-instantiate-templates "SHELL:-Xclang -fno-pch-timestamp")
  get_property(owner GLOBAL PROPERTY annals_precompiled_${first})
  if(owner)
    target_precompile_headers(${target} REUSE_FROM ${owner})
  else()
    target_precompile_headers(${target} PRIVATE ${annals_precompiled_std} ${ARGN})
    set_property(GLOBAL PROPERTY annals_precompiled_${first} ${target})
  endif()
endfunction()

function(annals_precompile_library library)
  annals_precompile(${library} libraries)
endfunction()

function(annals_precompile_tests program)
  annals_precompile(${program} tests <gmock/gmock.h> <gtest/gtest.h>)
endfunction()
