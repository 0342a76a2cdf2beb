# RACKWRIGHT_WEB AUTO: the script of the report is bundled when Node >= 18 and npm are there; ON: it
# must be; OFF: never. Without it the report has tables and drawings. The style needs no Node.
set(web_source ${PROJECT_SOURCE_DIR}/results/report/web)
set(web_output ${CMAKE_BINARY_DIR}/share/rackwright/report)
set(RACKWRIGHT_WEB_STATE "off (RACKWRIGHT_WEB=OFF)")

configure_file(${web_source}/report.css ${web_output}/report.css COPYONLY)

if(NOT RACKWRIGHT_WEB STREQUAL "OFF")
  find_program(RACKWRIGHT_NODE node)
  find_program(RACKWRIGHT_NPM npm)
  set(node_version 0)
  if(RACKWRIGHT_NODE AND RACKWRIGHT_NPM)
    execute_process(COMMAND ${RACKWRIGHT_NODE} --version OUTPUT_VARIABLE node_version
      OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
    string(REPLACE "v" "" node_version "${node_version}")
  endif()
  if(node_version VERSION_GREATER_EQUAL 18)
    set(RACKWRIGHT_WEB_STATE "on (Node ${node_version})")
    file(GLOB web_files CONFIGURE_DEPENDS ${web_source}/src/*.ts)
    add_custom_command(OUTPUT ${web_output}/report.stamp
      COMMAND ${CMAKE_COMMAND} -DSOURCE=${web_source} -DWORK=${CMAKE_BINARY_DIR}/web
              -DOUTPUT=${web_output}/report.js -DNODE=${RACKWRIGHT_NODE} -DNPM=${RACKWRIGHT_NPM}
              -DREQUIRED=${RACKWRIGHT_WEB} -P ${PROJECT_SOURCE_DIR}/cmake/bundle_report.cmake
      COMMAND ${CMAKE_COMMAND} -E touch ${web_output}/report.stamp
      DEPENDS ${web_files} ${web_source}/build.mjs ${web_source}/package.json
              ${web_source}/package-lock.json ${PROJECT_SOURCE_DIR}/cmake/bundle_report.cmake
      COMMENT "Bundling the report's charts"
      VERBATIM)
    add_custom_target(rackwright_web ALL DEPENDS ${web_output}/report.stamp)
  elseif(RACKWRIGHT_WEB STREQUAL "ON")
    message(FATAL_ERROR "RACKWRIGHT_WEB is ON, but Node 18 with npm was not found. "
                        "Debian and Ubuntu: apt install nodejs npm")
  else()
    set(RACKWRIGHT_WEB_STATE "off (no Node 18 with npm): reports have tables and drawings only")
  endif()
endif()

install(DIRECTORY ${web_output}/ DESTINATION ${CMAKE_INSTALL_DATADIR}/rackwright/report
  FILES_MATCHING PATTERN "*.js" PATTERN "*.css")
