# What `cmake --install` lays down: headers, both libraries, the CMake package, cajal.pc, the program and its pages.
include(CMakePackageConfigHelpers)
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/cajal)

# As part of another project nothing is installed unless that project asks for it.
option(CAJAL_INSTALL "Install Cajal" ${PROJECT_IS_TOP_LEVEL})
if(NOT CAJAL_INSTALL)
  return()
endif()

install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(TARGETS cajal EXPORT cajal-shared)
install(TARGETS cajal_static EXPORT cajal-static)
install(EXPORT cajal-shared NAMESPACE cajal:: DESTINATION ${package_folder})
install(EXPORT cajal-static NAMESPACE cajal:: DESTINATION ${package_folder})

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/cajal-config.cmake.in ${PROJECT_BINARY_DIR}/cajal-config.cmake
  INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/cajal-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/cajal-config.cmake ${PROJECT_BINARY_DIR}/cajal-config-version.cmake
  DESTINATION ${package_folder})

# cajal.pc finds its prefix from the place where it lies, so that it is right under every --prefix
# and below a DESTDIR. Absolute folders stay what they are.
set(CAJAL_PC_INCLUDEDIR "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
set(CAJAL_PC_LIBDIR "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
if(IS_ABSOLUTE ${CMAKE_INSTALL_INCLUDEDIR})
  set(CAJAL_PC_INCLUDEDIR ${CMAKE_INSTALL_INCLUDEDIR})
endif()
if(IS_ABSOLUTE ${CMAKE_INSTALL_LIBDIR})
  set(CAJAL_PC_LIBDIR ${CMAKE_INSTALL_LIBDIR})
  set(CAJAL_PC_PREFIX ${CMAKE_INSTALL_PREFIX})
else()
  file(RELATIVE_PATH up /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
  string(REGEX REPLACE "/$" "" up "${up}")
  set(CAJAL_PC_PREFIX "\${pcfiledir}/${up}")
endif()
list(JOIN CAJAL_MODULES ", " CAJAL_REQUIRES_PRIVATE)
configure_file(${PROJECT_SOURCE_DIR}/cmake/cajal.pc.in ${PROJECT_BINARY_DIR}/cajal.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/cajal.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

if(TARGET cajal_program)
  install(TARGETS cajal_program)
endif()
file(GLOB manual_pages CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/docs/*.1 ${PROJECT_SOURCE_DIR}/cli/*.1)
install(FILES ${manual_pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
if(TARGET cajal_program)
  # The program prints its own completion; it is kept in a file when the program is built.
  add_custom_command(TARGET cajal_program POST_BUILD
    COMMAND cajal_program completion bash > ${PROJECT_BINARY_DIR}/completion.bash VERBATIM)
  install(FILES ${PROJECT_BINARY_DIR}/completion.bash
    DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME cajal)
endif()
