include(CheckCCompilerFlag)

# One object library a room, in the order in which rooms may see each other; a room without sources is passed over.
set(CAJAL_ROOMS base kernels tensor ops graph layers architectures explain train data classic formats)

# What a room needs from outside the project, and the files that need it. Where an option is off, the
# room's absent_*.c answers in their place that this build cannot do it.
set(CAJAL_LIBRARIES_data)
set(CAJAL_LIBRARIES_formats)
if(CAJAL_IMAGES)
  list(APPEND CAJAL_LIBRARIES_data PkgConfig::ZLIB PkgConfig::LIBPNG PkgConfig::LIBJPEG)
endif()
if(CAJAL_HAS_gif_FOUND)
  list(APPEND CAJAL_LIBRARIES_data PkgConfig::LIBGIF7)
endif()
if(CAJAL_HAS_webp_FOUND)
  list(APPEND CAJAL_LIBRARIES_data PkgConfig::LIBWEBP)
endif()
if(CAJAL_FILES)
  list(APPEND CAJAL_LIBRARIES_formats PkgConfig::JANSSON PkgConfig::ZLIB)
endif()
function(cajal_choose_sources room name)
  set(chosen ${${name}})
  if(room STREQUAL data AND CAJAL_IMAGES)
    list(FILTER chosen EXCLUDE REGEX "/absent_(gzip|images)\\.c$")
  elseif(room STREQUAL data)
    list(FILTER chosen EXCLUDE REGEX "/(png|jpeg|gzip)\\.c$")
  elseif(room STREQUAL formats AND CAJAL_FILES)
    list(FILTER chosen EXCLUDE REGEX "/absent_[a-z]+\\.c$")
  elseif(room STREQUAL formats)
    list(FILTER chosen INCLUDE REGEX "/absent_[a-z]+\\.c$")
  endif()
  foreach(format gif webp)
    if(room STREQUAL data AND CAJAL_HAS_${format}_FOUND)
      list(FILTER chosen EXCLUDE REGEX "/absent_${format}\\.c$")
    elseif(room STREQUAL data)
      list(FILTER chosen EXCLUDE REGEX "/${format}\\.c$")
    endif()
  endforeach()
  set(${name} ${chosen} PARENT_SCOPE)
endfunction()

# Warnings for everything that is ours.
add_library(cajal_warnings INTERFACE)
target_compile_options(cajal_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion $<$<BOOL:${CAJAL_WERROR}>:-Werror>)

# How every room is compiled. No compiler may contract a * b + c: it would decide anew in each loop and for each tail, and
# bits would depend on how work is cut. Kernels that want a fused multiply-add say vec_fma. For the same reason floats are
# not computed as doubles where only lanes of vectors are floats (gcc for s390x in standard C).
add_library(cajal_settings INTERFACE)
target_compile_definitions(cajal_settings INTERFACE CAJAL_BUILDING)
target_compile_options(cajal_settings INTERFACE -ffp-contract=off
  $<$<NOT:$<BOOL:${CAJAL_SHARED_INSIDE}>>:-fvisibility=hidden>
  $<$<C_COMPILER_ID:GNU>:-fexcess-precision=fast>)
target_include_directories(cajal_settings INTERFACE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src)
target_link_libraries(cajal_settings INTERFACE cajal_warnings Threads::Threads)

# The flags of one instruction set go to the files named for it and to no other.
set(CAJAL_FLAGS_avx2 -mavx2 -mfma)
set(CAJAL_FLAGS_avx512
  -mavx512f -mavx512bw -mavx512vl -mavx512dq -mfma -mprefer-vector-width=512)
set(CAJAL_FLAGS_avx512vnni ${CAJAL_FLAGS_avx512} -mavx512vnni)
set(CAJAL_FLAGS_avx512bf16 ${CAJAL_FLAGS_avx512} -mavx512bf16)
set(CAJAL_FLAGS_amx ${CAJAL_FLAGS_avx512bf16} -mamx-tile -mamx-bf16)

# Linux lets a process use AMX, and older compilers do not know it.
if(CMAKE_SYSTEM_NAME STREQUAL Linux AND CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  check_c_compiler_flag("-mamx-tile -mamx-bf16" CAJAL_COMPILER_HAS_AMX)
endif()
if(CAJAL_COMPILER_HAS_AMX)
  target_compile_definitions(cajal_settings INTERFACE CAJAL_HAS_AMX)
endif()

function(cajal_set_isa_flags sources)
  foreach(isa avx2 avx512 avx512vnni avx512bf16 amx)
    set(of_isa ${sources})
    list(FILTER of_isa INCLUDE REGEX "_${isa}\\.c$")
    set_source_files_properties(${of_isa} PROPERTIES COMPILE_OPTIONS "${CAJAL_FLAGS_${isa}}")
  endforeach()
endfunction()

set(CAJAL_OBJECTS)
foreach(room IN LISTS CAJAL_ROOMS)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${room}/*.c)
  if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
    list(FILTER sources EXCLUDE REGEX "/kernels/x86/")
  endif()
  if(NOT CAJAL_COMPILER_HAS_AMX)
    list(FILTER sources EXCLUDE REGEX "_amx\\.c$")
  endif()
  cajal_choose_sources(${room} sources)
  if(NOT sources)
    continue()
  endif()
  add_library(cajal_${room} OBJECT ${sources})
  set_target_properties(cajal_${room} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  target_link_libraries(cajal_${room} PRIVATE cajal_settings ${CAJAL_LIBRARIES_${room}})
  if(room STREQUAL kernels)
    cajal_set_isa_flags("${sources}")
    # Unrolling is asked for by pragmas; where clang's optimizer declines, that is no fault of the code.
    target_compile_options(cajal_kernels PRIVATE $<$<C_COMPILER_ID:Clang>:-Wno-pass-failed>)
    target_compile_options(cajal_kernels PRIVATE $<$<CONFIG:Release>:-O3>)
    if(CMAKE_SYSTEM_PROCESSOR MATCHES "^i.86$")
      # gcc warns that vectors are passed otherwise without SSE; they are passed between inline functions alone.
      target_compile_options(cajal_kernels PRIVATE -Wno-psabi)
    endif()
  endif()
  list(APPEND CAJAL_OBJECTS cajal_${room})
endforeach()

# The two libraries. Only what cajal/*.h declares leaves the shared one.
add_library(cajal SHARED)
add_library(cajal_static STATIC)
add_library(cajal::cajal ALIAS cajal)
add_library(cajal::static ALIAS cajal_static)
foreach(library cajal cajal_static)
  foreach(objects IN LISTS CAJAL_OBJECTS)
    target_sources(${library} PRIVATE $<TARGET_OBJECTS:${objects}>)
  endforeach()
  target_include_directories(${library} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(${library} PRIVATE
    Threads::Threads ${CAJAL_MODULE_TARGETS} m)
  set_target_properties(${library} PROPERTIES OUTPUT_NAME cajal LINKER_LANGUAGE C)
endforeach()
set_target_properties(cajal PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION 0)
set(exports ${PROJECT_SOURCE_DIR}/cmake/exports.map)
if(NOT APPLE)
  target_link_options(cajal PRIVATE LINKER:--version-script=${exports})
  set_target_properties(cajal PROPERTIES LINK_DEPENDS ${exports})
endif()
set_target_properties(cajal_static PROPERTIES EXPORT_NAME static)

# What tests and benchmarks link, which reach internal names. Copies in some 260 programs are 1 GiB in a release build and
# 20 GiB under the sanitizers, so there they share one library that shows all names.
if(CAJAL_SHARED_INSIDE)
  add_library(cajal_inside SHARED)
  foreach(objects IN LISTS CAJAL_OBJECTS)
    target_sources(cajal_inside PRIVATE $<TARGET_OBJECTS:${objects}>)
  endforeach()
  target_include_directories(cajal_inside PUBLIC ${PROJECT_SOURCE_DIR}/include)
  target_link_libraries(cajal_inside PRIVATE Threads::Threads ${CAJAL_MODULE_TARGETS} m)
  set_target_properties(cajal_inside PROPERTIES LINKER_LANGUAGE C)
else()
  add_library(cajal_inside ALIAS cajal_static)
endif()
