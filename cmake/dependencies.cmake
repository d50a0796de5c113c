# What comes from the distribution. The core (base to train) needs none of it beside threads and libm.
find_package(PkgConfig REQUIRED)
set(THREADS_PREFER_PTHREAD_FLAG ON)
find_package(Threads REQUIRED)

# The pkg-config modules that the library itself needs, for cajal.pc and the CMake package as well.
set(CAJAL_MODULES zlib libpng libjpeg jansson)
foreach(module IN LISTS CAJAL_MODULES)
  string(TOUPPER ${module} prefix)
  pkg_check_modules(${prefix} REQUIRED IMPORTED_TARGET ${module})
endforeach()
