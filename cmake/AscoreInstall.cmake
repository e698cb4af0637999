# What `cmake --install` lays down, so that find_package(ascore) serves a program outside this tree: headers under
# include/ascore (includes read "kernels/..."), the four libraries, the program, the package files.
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/ascore)

foreach(layer kernels engine models samplers)
  install(DIRECTORY ${layer} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/ascore FILES_MATCHING PATTERN "*.hpp")
endforeach()
# The digits are embedded in the libraries: their licence goes where the binaries go.
install(FILES LICENSE engine/data/digits/digits.LICENSE.txt DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(EXPORT ascoreTargets NAMESPACE ascore:: DESTINATION ${package_dir})
configure_package_config_file(cmake/ascoreConfig.cmake.in ${CMAKE_BINARY_DIR}/ascoreConfig.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/ascoreConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/ascoreConfig.cmake ${CMAKE_BINARY_DIR}/ascoreConfigVersion.cmake
              cmake/AscoreExternal.cmake cmake/AscoreLibraries.cmake DESTINATION ${package_dir})
