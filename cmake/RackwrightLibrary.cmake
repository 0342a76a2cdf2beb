# rackwright_library(name SOURCES … PUBLIC … PRIVATE …): one static library per folder, with the
# alias rackwright::name, our warnings and C++20. Includes are written from the source root.
function(rackwright_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  set(target rackwright_${name})
  if(NOT ARG_SOURCES)  # headers only so far
    file(WRITE ${CMAKE_CURRENT_BINARY_DIR}/${name}_empty.cpp "")
    set(ARG_SOURCES ${CMAKE_CURRENT_BINARY_DIR}/${name}_empty.cpp)
  endif()
  add_library(${target} STATIC ${ARG_SOURCES})
  add_library(rackwright::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name}
    UNITY_BUILD ${RACKWRIGHT_UNITY} UNITY_BUILD_BATCH_SIZE 8)
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}>
    $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}/rackwright>)
  target_link_libraries(${target} PUBLIC ${ARG_PUBLIC} PRIVATE ${ARG_PRIVATE})
  rackwright_target(${target})
  set_property(GLOBAL APPEND PROPERTY RACKWRIGHT_LIBRARIES ${target})
endfunction()

# Language level, warnings and sanitizers of one of our targets.
function(rackwright_target target)
  target_compile_features(${target} PUBLIC cxx_std_20)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON)
  target_compile_options(${target} PRIVATE
    $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wconversion -Wno-sign-conversion
      -Wno-missing-field-initializers -Wshadow -Wnon-virtual-dtor $<$<BOOL:${RACKWRIGHT_WERROR}>:-Werror>>
    # GCC 12 sees a false out-of-bounds inside std::map when it inlines nlohmann::json.
    $<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds>)
  if(RACKWRIGHT_SANITIZE)
    target_compile_options(${target} PUBLIC -fsanitize=address,undefined -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=address,undefined)
  endif()
endfunction()
