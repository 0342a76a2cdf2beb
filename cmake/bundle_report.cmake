# Installs the locked packages in a folder of the build tree and bundles the report's script. A
# failure (no registry, say) is a warning unless REQUIRED is ON: the report then has no charts.
file(REMOVE_RECURSE ${WORK}/src)
file(COPY ${SOURCE}/src ${SOURCE}/build.mjs ${SOURCE}/package.json ${SOURCE}/package-lock.json
  DESTINATION ${WORK})
execute_process(COMMAND ${NPM} ci --no-audit --no-fund --loglevel=error
  WORKING_DIRECTORY ${WORK} RESULT_VARIABLE failed OUTPUT_QUIET ERROR_VARIABLE text)
if(NOT failed)
  execute_process(COMMAND ${NODE} build.mjs ${OUTPUT} WORKING_DIRECTORY ${WORK}
    RESULT_VARIABLE failed OUTPUT_QUIET ERROR_VARIABLE text)
endif()
if(failed)
  file(REMOVE ${OUTPUT})
  if(REQUIRED STREQUAL "ON")
    message(FATAL_ERROR "the report's charts could not be bundled:\n${text}")
  endif()
  message(WARNING "the report will have no charts, npm or esbuild failed:\n${text}")
endif()
