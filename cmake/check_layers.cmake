# cmake -DSOURCE_DIR=… -P check_layers.cmake
# Fails on an include that goes up the one-way order
#   common -> workloads -> kernels -> profiler -> topology -> results -> cli
# and on an include of tests from the product.
cmake_minimum_required(VERSION 3.25)
set(order common workloads kernels profiler topology results cli)
set(failures "")
list(LENGTH order count)
math(EXPR last "${count} - 1")
foreach(index RANGE ${last})
  list(GET order ${index} folder)
  file(GLOB_RECURSE files RELATIVE ${SOURCE_DIR}
    ${SOURCE_DIR}/${folder}/*.hpp ${SOURCE_DIR}/${folder}/*.cpp
    ${SOURCE_DIR}/${folder}/*.cu ${SOURCE_DIR}/${folder}/*.cuh)
  foreach(file IN LISTS files)
    if(file MATCHES "node_modules")
      continue()
    endif()
    file(STRINGS ${SOURCE_DIR}/${file} includes REGEX "^[ \t]*#[ \t]*include[ \t]*\"")
    foreach(include IN LISTS includes)
      string(REGEX REPLACE ".*\"([^\"/]*)/?.*" "\\1" target "${include}")
      list(FIND order "${target}" at)
      if(target STREQUAL "tests" OR at GREATER index)
        string(APPEND failures "\n  ${file}: ${include}")
      endif()
    endforeach()
  endforeach()
endforeach()
if(failures)
  message(FATAL_ERROR "Includes must go down the order ${order}:${failures}")
endif()
message(STATUS "include order holds")
