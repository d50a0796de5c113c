# The program, the examples and the benchmarks. They stand on the public headers alone.
file(GLOB cli_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cli/*.c)
if(cli_sources)
  pkg_check_modules(LIBCURL REQUIRED IMPORTED_TARGET libcurl)
  add_executable(cajal_program ${cli_sources})
  set_target_properties(cajal_program PROPERTIES OUTPUT_NAME cajal)
  target_include_directories(cajal_program PRIVATE ${PROJECT_SOURCE_DIR}/cli)
  target_link_libraries(cajal_program PRIVATE
    cajal_static cajal_warnings PkgConfig::JANSSON PkgConfig::LIBCURL PkgConfig::LIBPNG Threads::Threads m)
endif()

# One program for each file of a folder, against the shared library: what is not exported is missed here.
function(cajal_add_programs folder)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.c)
  foreach(source IN LISTS sources)
    cmake_path(GET source STEM name)
    add_executable(${folder}-${name} ${source})
    set_target_properties(${folder}-${name} PROPERTIES
      OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/${folder})
    target_link_libraries(${folder}-${name} PRIVATE cajal cajal_warnings m)
  endforeach()
endfunction()
cajal_add_programs(examples)
cajal_add_programs(bench)
