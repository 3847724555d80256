# What nearly every file includes, read once: one header for the libraries, one for the test programs. The libraries' with clang
# only, whose builds (sanitizers, coverage) are half reading of headers; g++ gains a tenth and does without, so that the release
# build notices an include that is missing.
set(annals_precompiled_std
  algorithm array atomic bit charconv chrono compare condition_variable cstdint cstring deque expected filesystem fstream
  functional limits map memory mutex optional set span sstream string string_view thread tuple unordered_map utility variant
  vector)
set(annals_precompiled_libraries ${annals_precompiled_std})
set(annals_precompiled_tests ${annals_precompiled_std} gmock/gmock.h gtest/gtest.h)

# Clang writes down where a precompiled header was read from, and refuses it when that place is gone. So that the compiler's
# cache can serve one checkout with what another has compiled, what is read is a header of the system (the others before it), from
# the root directory: the bytes are then the same for every checkout. CMake's own way names the build directory.
function(annals_precompile_with_clang target kind options)
  set(precompiled ${PROJECT_BINARY_DIR}/precompiled/${kind}.pch)
  if(NOT TARGET annals_precompiled_${kind})
    find_file(ANNALS_SYSTEM_HEADER stdint.h REQUIRED)
    list(TRANSFORM annals_precompiled_${kind} PREPEND "-include;" OUTPUT_VARIABLE headers)
    string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
    separate_arguments(flags UNIX_COMMAND "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${type}}")
    file(MAKE_DIRECTORY ${PROJECT_BINARY_DIR}/precompiled)
    add_custom_command(
      OUTPUT ${precompiled}
      COMMAND ${CMAKE_CXX_COMPILER} ${flags} -std=c++${CMAKE_CXX_STANDARD} "$<TARGET_PROPERTY:annals_options,INTERFACE_COMPILE_OPTIONS>"
              ${options} -fpch-instantiate-templates -Xclang -fno-pch-timestamp -MD -MF ${precompiled}.d -MT ${precompiled}
              ${headers} -x c++-header ${ANNALS_SYSTEM_HEADER} -o ${precompiled}
      DEPFILE ${precompiled}.d
      WORKING_DIRECTORY /
      COMMENT "Precompiling the headers of ${kind}"
      COMMAND_EXPAND_LISTS VERBATIM)
    add_custom_target(annals_precompiled_${kind} DEPENDS ${precompiled})
  endif()
  add_dependencies(${target} annals_precompiled_${kind})
  target_compile_options(${target} PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:-include-pch;${precompiled}>")
  get_target_property(sources ${target} SOURCES)
  set_property(SOURCE ${sources} APPEND PROPERTY OBJECT_DEPENDS ${precompiled})
endfunction()

function(annals_precompile_library library)
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    annals_precompile_with_clang(${library} libraries "")
  endif()
endfunction()

# `options`: what the tests are compiled with beside what everything is.
function(annals_precompile_tests program options)
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    annals_precompile_with_clang(${program} tests "${options};$<TARGET_PROPERTY:GTest::gtest,INTERFACE_COMPILE_OPTIONS>")
    return()
  endif()
  get_property(owner GLOBAL PROPERTY annals_precompiled_tests_owner)
  if(owner)
    target_precompile_headers(${program} REUSE_FROM ${owner})
  else()
    list(TRANSFORM annals_precompiled_tests REPLACE "(.+)" "<\\1>")
    target_precompile_headers(${program} PRIVATE ${annals_precompiled_tests})
    set_property(GLOBAL PROPERTY annals_precompiled_tests_owner ${program})
  endif()
endfunction()
