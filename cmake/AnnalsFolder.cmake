# annals_folder(NAME USES folder... LIBRARIES library...)
#
# One folder of src/ is one static library `annals_<name>` of all its .cpp files (rooms included), and, where it has
# files *_test.cpp, one test program `<name>_test` of those. A file that is added is found by itself.
function(annals_folder name)
  cmake_parse_arguments(FOLDER "" "" "USES;LIBRARIES;TEST_LIBRARIES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cpp)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cpp$|/main\\.cpp$")
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")

  if(sources)
    annals_gather(units ${PROJECT_SOURCE_DIR}/src ${name} ${sources})
    add_library(annals_${name} STATIC ${units})
    set(visibility PUBLIC)
  else()
    add_library(annals_${name} INTERFACE)
    set(visibility INTERFACE)
  endif()
  target_include_directories(annals_${name} ${visibility} ${PROJECT_SOURCE_DIR}/src)
  list(TRANSFORM FOLDER_USES PREPEND annals_)
  target_link_libraries(annals_${name} ${visibility} annals_options ${FOLDER_USES} ${FOLDER_LIBRARIES})
  if(sources)
    annals_precompile_library(annals_${name})
  endif()

  if(tests AND ANNALS_TESTS)
    annals_gather(units ${PROJECT_SOURCE_DIR}/src ${name}_test ${tests})
    add_executable(${name}_test ${units})
    target_link_libraries(${name}_test PRIVATE annals_${name} ${FOLDER_TEST_LIBRARIES} annals_test_main)
    annals_quick_to_compile(${name}_test)
    annals_discover_tests(${name}_test)
  endif()
endfunction()

# Half of the time that a test takes to compile goes into optimising what runs once. What is tested is optimised all the same.
function(annals_quick_to_compile tests)
  target_compile_options(${tests} PRIVATE -O0)
  annals_precompile_tests(${tests} -O0)
endfunction()

# Every test of a GoogleTest program becomes a test of ctest, found when ctest runs. Programs with thousands of quick
# checks stay quick because a check is not a test.
function(annals_discover_tests program)
  include(GoogleTest)
  gtest_discover_tests(${program} TEST_PREFIX "${program}." DISCOVERY_MODE PRE_TEST
                       PROPERTIES TIMEOUT 300 SKIP_RETURN_CODE 77)
endfunction()

# A request is many small allocations: jemalloc takes a sixth off the processor time of a durable PUT. The sanitizers bring
# allocators of their own.
function(annals_use_allocator program)
  if(NOT ANNALS_SANITIZE AND NOT ANNALS_FUZZERS)
    find_library(JEMALLOC_LIBRARY jemalloc REQUIRED)
    target_link_options(${program} PRIVATE -Wl,--no-as-needed)
    target_link_libraries(${program} PRIVATE ${JEMALLOC_LIBRARY})
  endif()
endfunction()
