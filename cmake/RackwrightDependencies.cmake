# Every dependency, with its minimum version. A missing one names its Debian package.
function(rackwright_require package debian)
  find_package(${package} ${ARGN} QUIET)
  if(NOT ${package}_FOUND)
    message(FATAL_ERROR "${package} ${ARGN} was not found. Debian and Ubuntu: apt install ${debian}")
  endif()
endfunction()

macro(rackwright_need package debian)
  rackwright_require(${package} ${debian} ${ARGN})
  find_package(${package} ${ARGN} QUIET)
endmacro()

rackwright_need(nlohmann_json nlohmann-json3-dev 3.11)
rackwright_need(CLI11 libcli11-dev 2.1)
rackwright_need(fmt libfmt-dev 9)
rackwright_need(Eigen3 libeigen3-dev 3.4)
rackwright_need(SQLite3 libsqlite3-dev 3.34)
rackwright_need(simdjson libsimdjson-dev 3.0)
rackwright_need(ZLIB zlib1g-dev 1.2)
rackwright_need(Threads libc6-dev)

if(RACKWRIGHT_TESTS)
  rackwright_need(GTest libgtest-dev\ libgmock-dev 1.12)
  # Benchmarks are built where the library is (libbenchmark-dev).
  find_package(benchmark 1.7 QUIET)
endif()
