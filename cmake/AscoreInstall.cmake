# What `cmake --install` lays down, so that find_package(ascore) serves a program outside this tree.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
