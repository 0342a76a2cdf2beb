# Binary, data, headers and CMake package. The binary finds its data at ../share/rackwright, so an
# installed prefix can be moved.
set(data_dir ${CMAKE_INSTALL_DATADIR}/rackwright)

if(TARGET rackwright)
  install(TARGETS rackwright RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()

foreach(folder workloads workloads/models workloads/requests kernels/devices
               kernels/devices/profiles profiler/cupti profiler/nvml profiler/serving_profiles topology/catalog topology/racks topology/fabrics
               topology/layouts topology/layouts/practice topology/layouts/pods
               topology/schema)
  file(GLOB files CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.json)
  install(FILES ${files} DESTINATION ${data_dir}/${folder})
endforeach()

install(FILES ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})

foreach(folder IN LISTS RACKWRIGHT_FOLDERS)
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/${folder}/
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/rackwright/${folder}
    FILES_MATCHING PATTERN "*.hpp" PATTERN "node_modules" EXCLUDE PATTERN "web" EXCLUDE)
endforeach()

get_property(libraries GLOBAL PROPERTY RACKWRIGHT_LIBRARIES)
install(TARGETS ${libraries} EXPORT rackwrightTargets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT rackwrightTargets NAMESPACE rackwright::
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/rackwright)

include(CMakePackageConfigHelpers)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/rackwrightConfig.cmake.in
  ${CMAKE_CURRENT_BINARY_DIR}/rackwrightConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/rackwright)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/rackwrightConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/rackwrightConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/rackwrightConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/rackwright)
