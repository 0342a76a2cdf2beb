# cmake -DCXX=… -DSOURCE=… -DINCLUDE=… -P compile_fail.cmake
# Compiles SOURCE twice: as it is (must succeed) and with RACKWRIGHT_WRONG defined (must fail), so
# that a test of "must not compile" cannot pass for another reason.
foreach(variant right wrong)
  set(define "")
  if(variant STREQUAL "wrong")
    set(define -DRACKWRIGHT_WRONG)
  endif()
  execute_process(COMMAND ${CXX} -std=c++20 -fsyntax-only -I${INCLUDE} ${define} ${SOURCE}
    RESULT_VARIABLE ${variant} OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(variant STREQUAL "right" AND NOT right EQUAL 0)
    message(FATAL_ERROR "the right variant of ${SOURCE} does not compile:\n${output}")
  endif()
endforeach()
if(wrong EQUAL 0)
  message(FATAL_ERROR "the wrong variant of ${SOURCE} compiles")
endif()
