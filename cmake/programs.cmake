# The program, the examples and the benchmarks. The first two stand on the public headers alone.
file(GLOB cli_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cli/*.c)
if(cli_sources)
  pkg_check_modules(LIBCURL REQUIRED IMPORTED_TARGET libcurl)
  pkg_check_modules(NETTLE REQUIRED IMPORTED_TARGET nettle)
  add_executable(cajal_program ${cli_sources})
  set_target_properties(cajal_program PROPERTIES OUTPUT_NAME cajal)
  target_include_directories(cajal_program PRIVATE ${PROJECT_SOURCE_DIR}/cli)
  target_link_libraries(cajal_program PRIVATE
    cajal_static cajal_warnings PkgConfig::JANSSON PkgConfig::LIBCURL PkgConfig::NETTLE PkgConfig::ZLIB Threads::Threads m)
endif()

# One program for each file of the examples. They link the shared library: what is not exported is missed here.
file(GLOB example_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/examples/*.c)
foreach(source IN LISTS example_sources)
  cmake_path(GET source STEM name)
  add_executable(examples-${name} ${source})
  set_target_properties(examples-${name} PROPERTIES
    OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/examples)
  target_link_libraries(examples-${name} PRIVATE cajal cajal_warnings m)
endforeach()

# What bench/run starts: one program for all of bench/*.c.
file(GLOB bench_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/bench/*.c)
if(bench_sources)
  add_executable(bench-worker ${bench_sources})
  set_target_properties(bench-worker PROPERTIES
    OUTPUT_NAME worker RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)
  target_include_directories(bench-worker PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(bench-worker PRIVATE cajal_static cajal_warnings m)
endif()
