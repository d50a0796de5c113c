# What comes from the distribution. The core (base to train) needs threads and libm and nothing else:
# pkg-config is asked only for what an option wants.
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

if(CAJAL_CLI AND NOT CAJAL_FILES)
  message(STATUS "CAJAL_CLI is off: the program needs CAJAL_FILES")
  set(CAJAL_CLI OFF)
endif()

# The pkg-config modules that the library itself needs, for cajal.pc and the CMake package as well.
set(CAJAL_MODULES)
if(CAJAL_IMAGES)
  list(APPEND CAJAL_MODULES zlib libpng libjpeg)
endif()
if(CAJAL_FILES)
  list(APPEND CAJAL_MODULES jansson)
endif()
set(CAJAL_MODULE_TARGETS)
if(CAJAL_MODULES)
  find_package(PkgConfig REQUIRED)
endif()
foreach(module IN LISTS CAJAL_MODULES)
  string(TOUPPER ${module} prefix)
  pkg_check_modules(${prefix} REQUIRED IMPORTED_TARGET ${module})
  list(APPEND CAJAL_MODULE_TARGETS PkgConfig::${prefix})
endforeach()
