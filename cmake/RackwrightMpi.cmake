# RACKWRIGHT_MPI AUTO: the MPI module is built when an MPI is found; ON: it must be; OFF: not looked
# for. The program links nothing of it.
set(RACKWRIGHT_MPI_STATE "off (RACKWRIGHT_MPI=OFF)")
if(NOT RACKWRIGHT_MPI STREQUAL "OFF")
  find_package(MPI 3.0 QUIET COMPONENTS CXX)
  if(MPI_CXX_FOUND)
    add_library(rackwright_mpi MODULE common/launch/mpi_module.cpp)
    set_target_properties(rackwright_mpi PROPERTIES PREFIX "" CXX_VISIBILITY_PRESET hidden
      LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib/rackwright)
    target_include_directories(rackwright_mpi PRIVATE ${PROJECT_SOURCE_DIR})
    target_compile_definitions(rackwright_mpi PRIVATE OMPI_SKIP_MPICXX MPICH_SKIP_MPICXX)
    target_link_libraries(rackwright_mpi PRIVATE MPI::MPI_CXX)
    rackwright_target(rackwright_mpi)
    install(TARGETS rackwright_mpi LIBRARY DESTINATION lib/rackwright)
    set(RACKWRIGHT_MPI_STATE "on (MPI ${MPI_CXX_VERSION})")
  elseif(RACKWRIGHT_MPI STREQUAL "ON")
    message(FATAL_ERROR
      "RACKWRIGHT_MPI is ON, but there is no MPI. Debian and Ubuntu: apt install libopenmpi-dev")
  else()
    set(RACKWRIGHT_MPI_STATE "off (no MPI; Debian and Ubuntu: apt install libopenmpi-dev)")
  endif()
endif()
