# annals_gather(RESULT ROOT NAME source...)
#
# What is to be compiled for these sources: themselves; with ANNALS_UNITY so many at a time, as units that include one after
# the other. ROOT is a directory that the target includes from.
#
# What many files read and instantiate alike is then made once: six files of engine took g++ 11.6 seconds of a processor, and 26.0
# file by file; nine of log/segment, under clang's address sanitizer, 21 and 28. What two files of a unit both declare, though in
# unnamed namespaces, has to have two names. A unit notices no include that is missing: the preset `debug` compiles file by file.
#
# CMake's own UNITY_BUILD names every source by its whole path, so that the compiler's cache could not serve one checkout with what
# another has compiled; and it forgets OBJECT_DEPENDS (AnnalsPrecompiled.cmake).
set(annals_unit_files_max 12)

function(annals_gather result root name)
  set(sources ${ARGN})
  list(LENGTH sources count)
  if(NOT ANNALS_UNITY OR count LESS 2)
    set(${result} ${sources} PARENT_SCOPE)
    return()
  endif()
  # Units of one size, so that there is no small one at the end.
  math(EXPR units "(${count} + ${annals_unit_files_max} - 1) / ${annals_unit_files_max}")
  math(EXPR last "${units} - 1")
  foreach(unit RANGE ${last})
    math(EXPR begin "${count} * ${unit} / ${units}")
    math(EXPR size "${count} * (${unit} + 1) / ${units} - ${begin}")
    list(SUBLIST sources ${begin} ${size} members)
    set(text "// Made by cmake/AnnalsUnits.cmake.\n")
    foreach(member IN LISTS members)
      cmake_path(RELATIVE_PATH member BASE_DIRECTORY ${root})
      string(APPEND text "#include \"${member}\"\n")
    endforeach()
    set(path ${CMAKE_CURRENT_BINARY_DIR}/units/${name}_${unit}.cpp)
    file(CONFIGURE OUTPUT ${path} CONTENT "${text}" @ONLY)
    list(APPEND gathered ${path})
  endforeach()
  set(${result} ${gathered} PARENT_SCOPE)
endfunction()
