# The program, the examples and the benchmarks. The first two stand on the public headers alone.
file(GLOB cli_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/cli/*.c)
if(CAJAL_CLI)
  pkg_check_modules(LIBCURL REQUIRED libcurl)
  pkg_check_modules(NETTLE REQUIRED IMPORTED_TARGET nettle)
  add_executable(cajal_program ${cli_sources})
  set_target_properties(cajal_program PROPERTIES OUTPUT_NAME cajal)
  target_include_directories(cajal_program PRIVATE ${PROJECT_SOURCE_DIR}/cli)
  # The shared library: kernels for every processor are 4 MiB, which an installation should not have twice. The installed
  # program finds it from the place where it lies.
  if(IS_ABSOLUTE ${CMAKE_INSTALL_LIBDIR})
    set(library_place ${CMAKE_INSTALL_LIBDIR})
  else()
    file(RELATIVE_PATH library_place /${CMAKE_INSTALL_BINDIR} /${CMAKE_INSTALL_LIBDIR})
    set(library_place "$ORIGIN/${library_place}")
  endif()
  set_target_properties(cajal_program PROPERTIES INSTALL_RPATH "${library_place}")
  target_link_libraries(cajal_program PRIVATE
    cajal cajal_warnings PkgConfig::JANSSON PkgConfig::NETTLE PkgConfig::ZLIB Threads::Threads m ${CMAKE_DL_LIBS})
  # libcurl is loaded when it is needed (cli/fetch.c): its headers are enough.
  target_include_directories(cajal_program PRIVATE ${LIBCURL_INCLUDE_DIRS})
endif()

# One program for each file of a folder. Examples link the shared library: what is not exported is missed here.
# Benchmarks link what tests link, because those of single kernels look inside.
function(cajal_add_programs folder library)
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.c)
  foreach(source IN LISTS sources)
    cmake_path(GET source STEM name)
    add_executable(${folder}-${name} ${source})
    set_target_properties(${folder}-${name} PROPERTIES
      OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/${folder})
    target_link_libraries(${folder}-${name} PRIVATE ${library} cajal_warnings Threads::Threads m)
    if(library STREQUAL cajal_inside)
      target_include_directories(${folder}-${name} PRIVATE ${PROJECT_SOURCE_DIR}/src)
    endif()
  endforeach()
endfunction()
if(CAJAL_EXAMPLES)
  cajal_add_programs(examples cajal)
endif()
if(NOT CAJAL_BENCH)
  return()
endif()
cajal_add_programs(bench cajal_inside)

# What bench/run starts.
file(GLOB worker_sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/bench/worker/*.c)
add_executable(bench-worker ${worker_sources})
set_target_properties(bench-worker PROPERTIES
  OUTPUT_NAME worker RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)
target_include_directories(bench-worker PRIVATE ${PROJECT_SOURCE_DIR}/src)
target_link_libraries(bench-worker PRIVATE cajal_inside cajal_warnings Threads::Threads m)

# Peers in C, each where its library is found; bench/run names the others as missing. oneDNN is asked for its threads through
# libgomp, the runtime that it is built on, whatever the compiler's own is.
function(cajal_add_peer name)
  add_executable(bench-peer-${name} bench/peers/${name}.c bench/peers/serve.c bench/worker/settings.c)
  set_target_properties(bench-peer-${name} PROPERTIES
    OUTPUT_NAME peer-${name} RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bench)
  target_link_libraries(bench-peer-${name} PRIVATE ${ARGN} cajal_warnings)
endfunction()
find_library(ONEDNN_LIBRARY dnnl)
find_library(GOMP_LIBRARY NAMES gomp libgomp.so.1)
find_path(ONEDNN_INCLUDE oneapi/dnnl/dnnl.h)
if(ONEDNN_LIBRARY AND GOMP_LIBRARY AND ONEDNN_INCLUDE)
  file(STRINGS ${ONEDNN_INCLUDE}/oneapi/dnnl/dnnl_version.h onednn_major REGEX "define DNNL_VERSION_MAJOR 2")
  if(onednn_major) # version 3 describes operations in another way
    cajal_add_peer(onednn ${ONEDNN_LIBRARY} ${GOMP_LIBRARY})
    target_include_directories(bench-peer-onednn SYSTEM PRIVATE ${ONEDNN_INCLUDE})
  endif()
endif()
find_package(PkgConfig QUIET)
if(PkgConfig_FOUND)
  pkg_check_modules(OPENBLAS QUIET IMPORTED_TARGET openblas)
endif()
if(OPENBLAS_FOUND)
  cajal_add_peer(openblas PkgConfig::OPENBLAS)
endif()
